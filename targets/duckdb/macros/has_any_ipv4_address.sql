-- needs: has_ipv4_address
-- Whether a text has one of the IPv4 addresses of a list.
-- Kusto: "has_any_ipv4()".
CREATE OR REPLACE TEMP MACRO has_any_ipv4_address(text_, ips_) AS (
    coalesce(list_bool_or(list_transform(ips_, lambda any_ipv4_el_: has_ipv4_address(text_, any_ipv4_el_))), false)
);
