-- The eight bytes of a number, the lowest first, in hexadecimal.
-- Kusto: "hash()" of a number or a datetime (its ticks).
CREATE OR REPLACE TEMP MACRO bytes_of_long(number_) AS (
    array_to_string(list_reverse(regexp_extract_all(printf('%016x', CAST(number_ AS BIGINT)), '..')), '')
);
