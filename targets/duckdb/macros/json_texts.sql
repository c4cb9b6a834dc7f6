-- The elements of a dynamic array as text, strings without their quotes, null elements as ''; NULL for all that is no array.
-- Kusto: "tostring()" of each element.
CREATE OR REPLACE TEMP MACRO json_texts(json_) AS (
    CASE WHEN json_type(json_) = 'ARRAY'
        THEN list_transform(CAST(json_extract_string(json_, '$[*]') AS VARCHAR[]), lambda json_texts_el_: coalesce(json_texts_el_, ''))
    END
);
