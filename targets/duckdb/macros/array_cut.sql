-- needs: json_items
-- An array cut before each of the indexes, as an array of arrays; negative indexes count from the end.
-- Kusto: "array_split()".
CREATE OR REPLACE TEMP MACRO array_cut(json_, indexes_) AS (
    to_json(list_transform(
        range(0, len(indexes_) + 1),
        lambda cut_at_: list_slice(
            json_items(json_),
            CASE WHEN cut_at_ = 0 THEN 1 ELSE
                CASE WHEN indexes_[cut_at_] < 0 THEN len(json_items(json_)) + indexes_[cut_at_] ELSE indexes_[cut_at_] END + 1 END,
            CASE WHEN cut_at_ = len(indexes_) THEN len(json_items(json_)) ELSE
                CASE WHEN indexes_[cut_at_ + 1] < 0 THEN len(json_items(json_)) + indexes_[cut_at_ + 1] ELSE indexes_[cut_at_ + 1] END END
        )
    ))
);
