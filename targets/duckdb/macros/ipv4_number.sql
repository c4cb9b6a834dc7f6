-- The number of an IPv4 address (a prefix length behind it is passed over), NULL where it is none or the length is out of range.
-- Kusto: "parse_ipv4()".
CREATE OR REPLACE TEMP MACRO ipv4_number(ip_) AS (
    CASE WHEN regexp_full_match(ip_, '\s*(?:(?:25[0-5]|2[0-4]\d|[01]?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|[01]?\d?\d)(?:/(?:3[0-2]|[12]?\d))?\s*') THEN
        TRY_CAST(split_part(ip_, '.', 1) AS BIGINT) * 16777216 + TRY_CAST(split_part(ip_, '.', 2) AS BIGINT) * 65536
        + TRY_CAST(split_part(ip_, '.', 3) AS BIGINT) * 256 + TRY_CAST(split_part(split_part(ip_, '.', 4), '/', 1) AS BIGINT)
    END
);
