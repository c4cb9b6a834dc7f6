-- The number in little-endian bytes: `count_` of a list of hexadecimal bytes from a place counted from 0.
-- Kusto: "hash_xxhash64()".
CREATE OR REPLACE TEMP MACRO xxhash_lane(bytes_, from_, count_) AS (
    CAST(CAST('0x' || array_to_string(list_reverse(bytes_[from_ + 1:from_ + count_]), '') AS UBIGINT) AS UHUGEINT)
);
