-- The elements of a dynamic array as numbers; NULL where an element is no number. NULL for all that is no array.
-- Kusto: the input of the series functions.
CREATE OR REPLACE TEMP MACRO json_numbers(json_) AS (
    CASE WHEN json_type(json_) = 'ARRAY'
        THEN list_transform(
            CAST(json_extract_string(json_, '$[*]') AS VARCHAR[]),
            lambda json_numbers_el_: CASE json_numbers_el_
                WHEN 'true' THEN 1.0::DOUBLE WHEN 'false' THEN 0.0::DOUBLE ELSE TRY_CAST(json_numbers_el_ AS DOUBLE)
            END
        )
    END
);
