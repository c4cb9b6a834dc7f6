-- needs: json_items
-- The elements of several arrays in one; what is no array adds nothing.
-- Kusto: "array_concat()".
CREATE OR REPLACE TEMP MACRO array_concat_all(arrays_) AS (
    to_json(flatten(list_transform(arrays_, lambda concat_el_: coalesce(json_items(concat_el_), []))))
);
