-- needs: json_members
-- The first members of a property bag, at most a number of them.
-- Kusto: "make_bag()" with a size.
CREATE OR REPLACE TEMP MACRO bag_head(bag_, count_) AS (
    to_json(map_from_entries(list_slice(map_entries(json_members(bag_)), 1, count_)))
);
