-- needs: json_numbers
-- Two series side by side: a list of {a, b}, as long as the longer one; a number stands for each place of the other series.
-- NULL where neither is a series.
-- Kusto: the element-wise series functions.
CREATE OR REPLACE TEMP MACRO series_pairs(left_, right_) AS (
    list_transform(
        [{'a': json_numbers(left_), 'b': json_numbers(right_)}],
        lambda pair_series_: CASE WHEN pair_series_.a IS NOT NULL OR pair_series_.b IS NOT NULL THEN list_transform(
            range(1, 1 + greatest(coalesce(len(pair_series_.a), 0), coalesce(len(pair_series_.b), 0))),
            lambda pair_at_: {
                'a': CASE WHEN pair_series_.a IS NULL THEN TRY_CAST(left_ ->> '$' AS DOUBLE) ELSE pair_series_.a[pair_at_] END,
                'b': CASE WHEN pair_series_.b IS NULL THEN TRY_CAST(right_ ->> '$' AS DOUBLE) ELSE pair_series_.b[pair_at_] END
            }
        ) END
    )[1]
);
