-- needs: ipv4_number
-- The prefix length behind an IPv6 or IPv4 address in bits of IPv6, 128 where there is none, NULL where it is out of range.
-- Kusto: "parse_ipv6()".
CREATE OR REPLACE TEMP MACRO ipv6_prefix(ip_) AS (
    CASE WHEN NOT contains(ip_, '/') THEN 128
        WHEN TRY_CAST(split_part(ip_, '/', 2) AS BIGINT) BETWEEN 0 AND CASE WHEN ipv4_number(ltrim(trim(ip_), ':')) IS NULL THEN 128 ELSE 32 END
            THEN TRY_CAST(split_part(ip_, '/', 2) AS BIGINT) + CASE WHEN ipv4_number(ltrim(trim(ip_), ':')) IS NULL THEN 0 ELSE 96 END
    END
);
