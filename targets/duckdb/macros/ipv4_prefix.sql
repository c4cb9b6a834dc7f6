-- The prefix length behind an IPv4 address, 32 where there is none, NULL where it is out of range.
-- Kusto: "ipv4_netmask_suffix()".
CREATE OR REPLACE TEMP MACRO ipv4_prefix(ip_) AS (
    CASE WHEN NOT contains(ip_, '/') THEN 32
        WHEN TRY_CAST(split_part(ip_, '/', 2) AS BIGINT) BETWEEN 0 AND 32 THEN TRY_CAST(split_part(ip_, '/', 2) AS BIGINT)
    END
);
