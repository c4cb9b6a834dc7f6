-- The elements of a dynamic array as a list of JSON values (a null element is JSON null); NULL for all that is no array.
-- Kusto: "The dynamic data type".
CREATE OR REPLACE TEMP MACRO json_items(json_) AS (
    CASE WHEN json_type(json_) = 'ARRAY' THEN CAST(json_extract(json_, '$[*]') AS JSON[]) END
);
