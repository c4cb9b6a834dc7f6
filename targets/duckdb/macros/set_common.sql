-- needs: distinct_items, json_items
-- The distinct elements that all of the arrays have.
-- Kusto: "set_intersect()".
CREATE OR REPLACE TEMP MACRO set_common(arrays_) AS (
    to_json(list_filter(
        distinct_items(json_items(arrays_[1])),
        lambda common_el_: list_bool_and(list_transform(arrays_, lambda common_set_: list_contains(json_items(common_set_), common_el_)))
    ))
);
