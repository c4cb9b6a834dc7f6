-- needs: json_members, make_bag_of
-- Several property bags in one; of a repeated key the leftmost value counts, what is no bag adds nothing. NULL without any bag.
-- Kusto: "bag_merge()".
CREATE OR REPLACE TEMP MACRO merge_bags(bags_) AS (
    list_transform(
        [list_filter(bags_, lambda merge_test_: json_type(merge_test_) = 'OBJECT')],
        lambda merge_bags_: CASE WHEN len(merge_bags_) > 0 THEN
            make_bag_of(flatten(list_transform(merge_bags_, lambda merge_bag_: map_entries(json_members(merge_bag_)))))
        END
    )[1]
);
