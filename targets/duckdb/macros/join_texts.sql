-- Texts put together with a delimiter between them; a missing one is ''.
-- Kusto: "strcat_delim()", "strcat_array()".
CREATE OR REPLACE TEMP MACRO join_texts(texts_, delimiter_) AS (
    CASE WHEN len(texts_) = 0 THEN '' ELSE list_reduce(
        list_transform(texts_, lambda join_el_: coalesce(join_el_, '')),
        lambda join_done_, join_next_: join_done_ || coalesce(delimiter_, '') || join_next_
    ) END
);
