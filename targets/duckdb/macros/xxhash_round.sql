-- needs: xxhash_multiply, xxhash_rotate
-- One round of xxHash64: a lane of eight bytes taken into an accumulator.
-- Kusto: "hash_xxhash64()".
CREATE OR REPLACE TEMP MACRO xxhash_round(sum_, lane_) AS (
    xxhash_multiply(
        xxhash_rotate((CAST(sum_ AS UHUGEINT) + xxhash_multiply(lane_, 14029467366897019727::UHUGEINT)) % 18446744073709551616::UHUGEINT, 31),
        11400714785074694791::UHUGEINT
    )
);
