-- needs: join_texts
-- A text a number of times, at most 1024, with another between.
-- Kusto: "strrep()".
CREATE OR REPLACE TEMP MACRO repeat_text(text_, times_, between_) AS (
    join_texts(list_transform(range(CASE WHEN times_ > 1024 THEN 1024 ELSE times_ END), lambda repeat_at_: text_), between_)
);
