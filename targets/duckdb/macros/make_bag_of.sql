-- A JSON object from names and values; of a repeated name the first value counts.
-- Kusto: "bag_merge()".
CREATE OR REPLACE TEMP MACRO make_bag_of(entries_) AS (
    list_transform(
        [{'entries': entries_, 'names': list_transform(entries_, lambda bag_name_: bag_name_.key)}],
        lambda bag_: coalesce(to_json(map_from_entries(list_filter(
            bag_.entries,
            lambda bag_entry_, bag_at_: list_position(bag_.names, bag_entry_.key) = bag_at_
        ))), '{}'::JSON)
    )[1]
);
