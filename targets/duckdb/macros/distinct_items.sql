-- The elements of a list without repetitions, in the order of first appearance.
-- Kusto: "set_union()".
CREATE OR REPLACE TEMP MACRO distinct_items(items_) AS (
    list_filter(items_, lambda distinct_el_, distinct_at_: list_position(items_, distinct_el_) = distinct_at_)
);
