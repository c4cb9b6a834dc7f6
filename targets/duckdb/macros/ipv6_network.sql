-- 32 hexadecimal digits with the bits behind a prefix length set to 0.
-- Kusto: "parse_ipv6_mask()".
CREATE OR REPLACE TEMP MACRO ipv6_network(digits_, bits_) AS (
    rpad(
        left(digits_, bits_ // 4) || CASE WHEN bits_ % 4 = 0 THEN '' ELSE
            format('{:x}', TRY_CAST('0x' || substring(digits_, bits_ // 4 + 1, 1) AS INTEGER) // (16 >> (bits_ % 4)) * (16 >> (bits_ % 4))) END,
        32, '0'
    )
);
