-- needs: json_items
-- Elements from a first to a last index, both counted from 0, or from the end where negative.
-- Kusto: "array_slice()".
CREATE OR REPLACE TEMP MACRO array_part(json_, first_, last_) AS (
    to_json(list_slice(
        json_items(json_),
        CASE WHEN first_ < 0 THEN greatest(CAST(json_array_length(json_) AS BIGINT) + first_, 0) + 1 ELSE first_ + 1 END,
        CASE WHEN last_ < 0 THEN greatest(CAST(json_array_length(json_) AS BIGINT) + last_ + 1, 0) ELSE last_ + 1 END
    ))
);
