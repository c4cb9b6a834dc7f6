-- What fills the free places of an array that is shifted: '' where all elements are strings, else NULL.
-- Kusto: "array_shift_left()".
CREATE OR REPLACE TEMP MACRO array_blank(json_) AS (
    CASE WHEN json_type(json_) = 'ARRAY' AND len(list_filter(json_type(json_, '$[*]'), lambda blank_type_: blank_type_ <> 'VARCHAR')) = 0 THEN '""'::JSON END
);
