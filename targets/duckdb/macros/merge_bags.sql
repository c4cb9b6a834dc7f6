-- needs: json_members, make_bag_of
-- Several property bags in one; of a repeated key the leftmost value counts, what is no bag adds nothing. NULL without any bag.
-- Kusto: "bag_merge()".
CREATE OR REPLACE TEMP MACRO merge_bags(bags_) AS (
    CASE WHEN list_bool_or(list_transform(bags_, lambda merge_test_: json_type(merge_test_) = 'OBJECT')) THEN
        make_bag_of(flatten(list_transform(bags_, lambda merge_bag_: coalesce(map_entries(json_members(merge_bag_)), []))))
    END
);
