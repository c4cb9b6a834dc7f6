-- A 64-bit number shifted to the left; the number of places is taken modulo 64, bits that fall out are lost.
-- Kusto: "binary_shift_left()".
CREATE OR REPLACE TEMP MACRO shift_left_long(number_, places_) AS (
    list_transform(
        [(CAST(number_ AS HUGEINT) * CAST(pow(2, (places_ % 64 + 64) % 64) AS HUGEINT)) % 18446744073709551616::HUGEINT],
        lambda shifted_bits_: CAST(CASE
            WHEN shifted_bits_ > 9223372036854775807::HUGEINT THEN shifted_bits_ - 18446744073709551616::HUGEINT
            WHEN shifted_bits_ < -9223372036854775808::HUGEINT THEN shifted_bits_ + 18446744073709551616::HUGEINT
            ELSE shifted_bits_ END AS BIGINT)
    )[1]
);
