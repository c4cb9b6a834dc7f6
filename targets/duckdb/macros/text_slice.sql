-- Part of a text, from a start counted from 0, or from the end where it is negative, then never before the start of the text.
-- Kusto: "substring()".
CREATE OR REPLACE TEMP MACRO text_slice(text_, start_, count_) AS (
    substring(text_, CASE WHEN start_ < 0 THEN greatest(length(text_) + start_, 0) ELSE start_ END + 1, greatest(count_, 0))
);
