-- needs: ipv4_network
-- An IPv4 address as text from its number, masked to a prefix length.
-- Kusto: "format_ipv4()".
CREATE OR REPLACE TEMP MACRO ipv4_text(number_, bits_) AS (
    CASE WHEN number_ BETWEEN 0 AND 4294967295 AND bits_ BETWEEN 0 AND 32 THEN
        (ipv4_network(number_, bits_) // 16777216) || '.' || (ipv4_network(number_, bits_) // 65536 % 256)
        || '.' || (ipv4_network(number_, bits_) // 256 % 256) || '.' || (ipv4_network(number_, bits_) % 256)
    ELSE '' END
);
