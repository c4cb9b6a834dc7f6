-- needs: json_items
-- An array cut before each of the indexes, as an array of arrays; negative indexes count from the end.
-- Kusto: "array_split()".
CREATE OR REPLACE TEMP MACRO array_cut(json_, indexes_) AS (
    to_json(list_transform(
        [{'items': json_items(json_), 'cuts': [0] || list_transform(
            indexes_,
            lambda cut_index_: CASE WHEN cut_index_ < 0 THEN CAST(json_array_length(json_) AS BIGINT) + cut_index_ ELSE least(cut_index_, CAST(json_array_length(json_) AS BIGINT)) END
        ) || [CAST(json_array_length(json_) AS BIGINT)]}],
        lambda cut_array_: CASE WHEN cut_array_.items IS NOT NULL AND list_count(indexes_) = len(indexes_) THEN list_transform(
            range(1, len(cut_array_.cuts)),
            lambda cut_at_: list_slice(cut_array_.items, cut_array_.cuts[cut_at_] + 1, cut_array_.cuts[cut_at_ + 1])
        ) END
    )[1])
);
