-- The elements of a list without repetitions, in the order of first appearance.
-- Kusto: "set_union()".
CREATE OR REPLACE TEMP MACRO distinct_items(items_) AS (
    list_transform(
        [items_],
        lambda distinct_all_: list_filter(distinct_all_, lambda distinct_el_, distinct_at_: list_position(distinct_all_, distinct_el_) = distinct_at_)
    )[1]
);
