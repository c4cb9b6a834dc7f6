-- needs: json_items
-- Index, from 0, of the n-th element that equals the value inside the window [start, start + length); -1 where there is none.
-- A negative start counts from the end; length -1 is no limit.
-- Kusto: "array_index_of()".
CREATE OR REPLACE TEMP MACRO array_find(json_, value_, start_, length_, nth_) AS (
    CASE WHEN json_type(json_) = 'ARRAY' THEN coalesce(list_filter(
        range(
            CASE WHEN start_ < 0 THEN greatest(CAST(json_array_length(json_) AS BIGINT) + start_, 0) ELSE start_ END,
            least(CAST(json_array_length(json_) AS BIGINT), CASE WHEN length_ < 0 THEN 9223372036854775807 ELSE
                CASE WHEN start_ < 0 THEN greatest(CAST(json_array_length(json_) AS BIGINT) + start_, 0) ELSE start_ END + length_ END)
        ),
        lambda find_at_: json_items(json_)[find_at_ + 1] = value_
    )[nth_], -1) END
);
