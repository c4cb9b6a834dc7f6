-- needs: ipv4_number
-- Whether a text has an IPv4 address that starts so (a prefix ends in a dot, or is a whole address), with no letter or digit
-- beside the address.
-- Kusto: "has_ipv4_prefix()".
CREATE OR REPLACE TEMP MACRO has_ipv4_start(text_, start_) AS (
    (ipv4_number(start_) IS NOT NULL OR regexp_full_match(start_, '(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){1,3}'))
    AND coalesce(list_bool_or(list_transform(
        regexp_extract_all(coalesce(text_, ''), '(?:^|[^0-9A-Za-z.])(' || regexp_escape(start_) || '[0-9.]*)(?:$|[^0-9A-Za-z.])', 1),
        lambda ipv4_start_el_: ipv4_number(rtrim(ipv4_start_el_, '.')) IS NOT NULL
    )), false)
);
