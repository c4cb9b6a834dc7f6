-- needs: distinct_items, json_items
-- The distinct elements that all of the arrays have.
-- Kusto: "set_intersect()".
CREATE OR REPLACE TEMP MACRO set_common(arrays_) AS (
    to_json(list_transform(
        [list_transform(arrays_, lambda common_json_: json_items(common_json_))],
        lambda common_all_: list_filter(
            distinct_items(common_all_[1]),
            lambda common_el_: list_bool_and(list_transform(common_all_, lambda common_set_: coalesce(list_contains(common_set_, common_el_), false)))
        )
    )[1])
);
