-- needs: distinct_items, json_items
-- The distinct elements of several arrays.
-- Kusto: "set_union()".
CREATE OR REPLACE TEMP MACRO set_union_all(arrays_) AS (
    to_json(distinct_items(flatten(list_transform(arrays_, lambda union_el_: coalesce(json_items(union_el_), [])))))
);
