-- needs: distinct_items, json_items
-- The distinct elements of an array that none of the other arrays has.
-- Kusto: "set_difference()".
CREATE OR REPLACE TEMP MACRO set_without(json_, others_) AS (
    to_json(list_transform(
        [{'items': distinct_items(json_items(json_)), 'others': flatten(list_transform(others_, lambda without_json_: coalesce(json_items(without_json_), [])))}],
        lambda without_: list_filter(without_.items, lambda without_el_: NOT list_contains(without_.others, without_el_))
    )[1])
);
