-- Product of two unsigned 64-bit numbers without its overflow.
-- Kusto: "hash_xxhash64()".
CREATE OR REPLACE TEMP MACRO xxhash_multiply(left_, right_) AS (
    CAST(left_ AS UHUGEINT) * CAST(right_ AS UHUGEINT) % 18446744073709551616::UHUGEINT
);
