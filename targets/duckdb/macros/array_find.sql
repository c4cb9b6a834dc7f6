-- needs: json_items
-- Index, from 0, of the n-th element that equals the value inside the window [start, start + length); -1 where there is none.
-- A negative start counts from the end; length -1 is no limit.
-- Kusto: "array_index_of()".
CREATE OR REPLACE TEMP MACRO array_find(json_, value_, start_, length_, nth_) AS (
    CASE WHEN json_type(json_) = 'ARRAY' THEN list_transform(
        [{'items': json_items(json_), 'value': value_, 'start': CASE WHEN start_ < 0 THEN greatest(CAST(json_array_length(json_) AS BIGINT) + start_, 0) ELSE start_ END}],
        lambda find_in_: coalesce(list_filter(
            range(find_in_.start, least(len(find_in_.items), CASE WHEN length_ < 0 THEN 9223372036854775807 ELSE find_in_.start + length_ END)),
            lambda find_at_: find_in_.items[find_at_ + 1] = find_in_.value
        )[nth_], -1)
    )[1] END
);
