-- Index, from 0, of the n-th place where the text has the word, inside the window [start, start + length); -1 where there is none.
-- A negative start counts from the end; length -1 is no limit.
-- Kusto: "indexof()".
CREATE OR REPLACE TEMP MACRO text_position(text_, word_, start_, length_, nth_) AS (
    CASE WHEN length_ < -1 OR nth_ < 0 THEN NULL ELSE coalesce(list_filter(
        range(
            CASE WHEN start_ < 0 THEN greatest(length(coalesce(text_, '')) + start_, 0) ELSE start_ END,
            least(length(coalesce(text_, '')), CASE WHEN length_ < 0 THEN 9223372036854775807 ELSE
                CASE WHEN start_ < 0 THEN greatest(length(coalesce(text_, '')) + start_, 0) ELSE start_ END + length_ END) - length(word_) + 1
        ),
        lambda position_at_: substring(text_, position_at_ + 1, length(word_)) = word_
    )[nth_], -1) END
);
