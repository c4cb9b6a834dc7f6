-- The number of an IPv4 address with the bits behind a prefix length set to 0.
-- Kusto: "parse_ipv4_mask()".
CREATE OR REPLACE TEMP MACRO ipv4_network(number_, bits_) AS (
    number_ - number_ % CAST(pow(2, 32 - least(greatest(bits_, 0), 32)) AS BIGINT)
);
