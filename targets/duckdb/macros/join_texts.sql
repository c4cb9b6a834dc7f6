-- Texts put together with a delimiter between them; a missing one is ''.
-- Kusto: "strcat_delim()".
CREATE OR REPLACE TEMP MACRO join_texts(texts_, delimiter_) AS (
    array_to_string(list_transform(texts_, lambda join_el_: coalesce(join_el_, '')), delimiter_)
);
