-- needs: has_ipv4_start
-- Whether a text has an IPv4 address that starts like one of the prefixes of a list.
-- Kusto: "has_any_ipv4_prefix()".
CREATE OR REPLACE TEMP MACRO has_any_ipv4_start(text_, starts_) AS (
    coalesce(list_bool_or(list_transform(starts_, lambda any_start_el_: has_ipv4_start(text_, any_start_el_))), false)
);
