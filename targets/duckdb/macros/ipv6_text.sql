-- 32 hexadecimal digits as an IPv6 address with all its groups.
-- Kusto: "parse_ipv6()".
CREATE OR REPLACE TEMP MACRO ipv6_text(digits_) AS (
    rtrim(regexp_replace(digits_, '(....)', '\1:', 'g'), ':')
);
