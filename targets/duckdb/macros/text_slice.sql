-- Part of a text, from a start counted from 0, or from the end where it is negative.
-- Kusto: "substring()".
CREATE OR REPLACE TEMP MACRO text_slice(text_, start_, count_) AS (
    substring(text_, CASE WHEN start_ < 0 THEN start_ ELSE start_ + 1 END, greatest(count_, 0))
);
