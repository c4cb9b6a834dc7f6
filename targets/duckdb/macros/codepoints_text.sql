-- needs: json_texts
-- The text with these Unicode code points: numbers, or arrays of numbers. What is no code point is U+FFFD.
-- Kusto: "unicode_codepoints_to_string()".
CREATE OR REPLACE TEMP MACRO codepoints_text(points_) AS (
    array_to_string(list_transform(
        flatten(list_transform(points_, lambda points_el_: coalesce(json_texts(points_el_), [points_el_ ->> '$']))),
        lambda point_: chr(CASE WHEN TRY_CAST(point_ AS INTEGER) BETWEEN 0 AND 55295 OR TRY_CAST(point_ AS INTEGER) BETWEEN 57344 AND 1114111
            THEN TRY_CAST(point_ AS INTEGER) ELSE 65533 END)
    ), '')
);
