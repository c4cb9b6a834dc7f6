-- needs: distinct_items, json_items
-- The distinct elements of an array that none of the other arrays has.
-- Kusto: "set_difference()".
CREATE OR REPLACE TEMP MACRO set_without(json_, others_) AS (
    to_json(list_filter(
        distinct_items(json_items(json_)),
        lambda without_el_: NOT list_contains(flatten(list_transform(others_, lambda without_set_: coalesce(json_items(without_set_), []))), without_el_)
    ))
);
