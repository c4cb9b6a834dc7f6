-- needs: json_numbers
-- Two series side by side: a list of {a, b}, as long as the longer one; a number stands for each place of the other series.
-- Kusto: the element-wise series functions.
CREATE OR REPLACE TEMP MACRO series_pairs(left_, right_) AS (
    list_transform(
        range(1, 1 + greatest(coalesce(len(json_numbers(left_)), 0), coalesce(len(json_numbers(right_)), 0))),
        lambda pair_at_: {
            'a': CASE WHEN json_type(left_) = 'ARRAY' THEN json_numbers(left_)[pair_at_] ELSE TRY_CAST(left_ ->> '$' AS DOUBLE) END,
            'b': CASE WHEN json_type(right_) = 'ARRAY' THEN json_numbers(right_)[pair_at_] ELSE TRY_CAST(right_ ->> '$' AS DOUBLE) END
        }
    )
);
