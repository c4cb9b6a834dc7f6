-- An unsigned 64-bit number rotated to the left.
-- Kusto: "hash_xxhash64()".
CREATE OR REPLACE TEMP MACRO xxhash_rotate(number_, places_) AS (
    (CAST(number_ AS UHUGEINT) << CAST(places_ AS UHUGEINT)) % 18446744073709551616::UHUGEINT + (CAST(number_ AS UHUGEINT) >> CAST(64 - places_ AS UHUGEINT))
);
