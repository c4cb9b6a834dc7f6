-- needs: series_pairs
-- The linear correlation of two series of the same length; NULL where a place has no number.
-- Kusto: "series_pearson_correlation()".
CREATE OR REPLACE TEMP MACRO series_correlation(left_, right_) AS (
    CASE WHEN json_array_length(left_) = json_array_length(right_) THEN list_transform(
        [series_pairs(left_, right_)],
        lambda correlation_pairs_: CASE WHEN len(list_filter(correlation_pairs_, lambda correlation_gap_: correlation_gap_.a IS NULL OR correlation_gap_.b IS NULL)) = 0 THEN list_transform(
            [{'a': list_transform(correlation_pairs_, lambda correlation_a_: correlation_a_.a), 'b': list_transform(correlation_pairs_, lambda correlation_b_: correlation_b_.b)}],
            lambda correlation_: (list_avg(list_transform(correlation_pairs_, lambda correlation_ab_: correlation_ab_.a * correlation_ab_.b)) - list_avg(correlation_.a) * list_avg(correlation_.b))
                / (list_stddev_pop(correlation_.a) * list_stddev_pop(correlation_.b))
        )[1] END
    )[1] END
);
