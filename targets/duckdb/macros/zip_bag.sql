-- needs: json_items, make_bag_of
-- A property bag from an array of keys and one of values; keys that are no strings are left out, values that lack are null.
-- Kusto: "bag_zip()".
CREATE OR REPLACE TEMP MACRO zip_bag(keys_, values_) AS (
    list_transform(
        [{'keys': json_items(keys_), 'values': json_items(values_)}],
        lambda zip_bag_: CASE WHEN coalesce(json_type(keys_), 'NULL') <> 'NULL' THEN make_bag_of(list_filter(
            list_transform(
                zip_bag_.keys,
                lambda zip_key_, zip_key_at_: {
                    'key': CASE WHEN json_type(zip_key_) = 'VARCHAR' THEN zip_key_ ->> '$' END,
                    'value': zip_bag_.values[zip_key_at_]
                }
            ),
            lambda zip_entry_: zip_entry_.key IS NOT NULL
        )) END
    )[1]
);
