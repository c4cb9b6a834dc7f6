-- Number of elements of a dynamic array, NULL for all that is no array.
-- Kusto: "array_length()".
CREATE OR REPLACE TEMP MACRO json_length(json_) AS (
    CASE WHEN json_type(json_) = 'ARRAY' THEN CAST(json_array_length(json_) AS BIGINT) END
);
