-- needs: xxhash_lane, xxhash_multiply, xxhash_rotate, xxhash_round
-- xxHash64 (seed 0) of bytes given in hexadecimal, as a signed number.
-- Kusto: "hash()", "hash_xxhash64()".
CREATE OR REPLACE TEMP MACRO xxhash64(hex_) AS (
    list_transform(
        [regexp_extract_all(hex_, '..')],
        lambda xxhash_bytes_: list_transform(
            [list_reduce(
                list_transform(range(len(xxhash_bytes_) // 32 * 4, len(xxhash_bytes_) // 8), lambda xxhash_eight_: {'kind': 8, 'sum': xxhash_lane(xxhash_bytes_, xxhash_eight_ * 8, 8)})
                || CASE WHEN len(xxhash_bytes_) % 8 >= 4 THEN [{'kind': 4, 'sum': xxhash_lane(xxhash_bytes_, len(xxhash_bytes_) // 8 * 8, 4)}] ELSE [] END
                || list_transform(range(len(xxhash_bytes_) // 4 * 4, len(xxhash_bytes_)), lambda xxhash_one_: {'kind': 1, 'sum': xxhash_lane(xxhash_bytes_, xxhash_one_, 1)}),
                lambda xxhash_done_, xxhash_step_: {'kind': 0, 'sum': CASE xxhash_step_.kind
                    WHEN 8 THEN (xxhash_multiply(xxhash_rotate(xor(xxhash_done_.sum, xxhash_round(0::UHUGEINT, xxhash_step_.sum)), 27), 11400714785074694791::UHUGEINT) + 9650029242287828579::UHUGEINT) % 18446744073709551616::UHUGEINT
                    WHEN 4 THEN (xxhash_multiply(xxhash_rotate(xor(xxhash_done_.sum, xxhash_multiply(xxhash_step_.sum, 11400714785074694791::UHUGEINT)), 23), 14029467366897019727::UHUGEINT) + 1609587929392839161::UHUGEINT) % 18446744073709551616::UHUGEINT
                    ELSE xxhash_multiply(xxhash_rotate(xor(xxhash_done_.sum, xxhash_multiply(xxhash_step_.sum, 2870177450012600261::UHUGEINT)), 11), 11400714785074694791::UHUGEINT)
                END},
                {'kind': 0, 'sum': (CAST(len(xxhash_bytes_) AS UHUGEINT) + CASE WHEN len(xxhash_bytes_) < 32 THEN 2870177450012600261::UHUGEINT ELSE list_transform(
                    [list_transform(
                        [{'lane': 0, 'sum': 6983438078262162902::UHUGEINT}, {'lane': 1, 'sum': 14029467366897019727::UHUGEINT}, {'lane': 2, 'sum': 0::UHUGEINT}, {'lane': 3, 'sum': 7046029288634856825::UHUGEINT}],
                        lambda xxhash_start_: list_reduce(
                            list_transform(range(0, len(xxhash_bytes_) // 32), lambda xxhash_stripe_: xxhash_lane(xxhash_bytes_, xxhash_stripe_ * 32 + xxhash_start_.lane * 8, 8)),
                            lambda xxhash_sum_, xxhash_next_: xxhash_round(xxhash_sum_, xxhash_next_),
                            xxhash_start_.sum
                        )
                    )],
                    lambda xxhash_sums_: list_reduce(
                        xxhash_sums_,
                        lambda xxhash_merged_, xxhash_merge_: (xxhash_multiply(xor(xxhash_merged_, xxhash_round(0::UHUGEINT, xxhash_merge_)), 11400714785074694791::UHUGEINT) + 9650029242287828579::UHUGEINT) % 18446744073709551616::UHUGEINT,
                        (xxhash_rotate(xxhash_sums_[1], 1) + xxhash_rotate(xxhash_sums_[2], 7) + xxhash_rotate(xxhash_sums_[3], 12) + xxhash_rotate(xxhash_sums_[4], 18)) % 18446744073709551616::UHUGEINT
                    )
                )[1] END) % 18446744073709551616::UHUGEINT}
            ).sum],
            lambda xxhash_end_: list_transform(
                [xxhash_multiply(xor(xxhash_end_, xxhash_end_ >> 33::UHUGEINT), 14029467366897019727::UHUGEINT)],
                lambda xxhash_mixed_: list_transform(
                    [xxhash_multiply(xor(xxhash_mixed_, xxhash_mixed_ >> 29::UHUGEINT), 1609587929392839161::UHUGEINT)],
                    lambda xxhash_last_: list_transform(
                        [CAST(xor(xxhash_last_, xxhash_last_ >> 32::UHUGEINT) AS HUGEINT)],
                        lambda xxhash_value_: CAST(xxhash_value_ - CASE WHEN xxhash_value_ > 9223372036854775807 THEN 18446744073709551616::HUGEINT ELSE 0::HUGEINT END AS BIGINT)
                    )[1]
                )[1]
            )[1]
        )[1]
    )[1]
);
