-- needs: distinct_items, json_items
-- Size of the intersection of two sets over that of their union.
-- Kusto: "jaccard_index()".
CREATE OR REPLACE TEMP MACRO set_similarity(left_, right_) AS (
    len(list_intersect(json_items(left_), json_items(right_))) / len(distinct_items(json_items(left_) || json_items(right_)))
);
