-- needs: json_at_path, json_members, make_bag_of, remove_bag_keys
-- A property bag with a key, or what a path ('$.a.b') leads to, set to a value.
-- Kusto: "bag_set_key()".
CREATE OR REPLACE TEMP MACRO set_bag_key(bag_, key_, value_) AS (
    CASE WHEN coalesce(json_type(bag_), '') <> 'OBJECT' THEN NULL
        WHEN starts_with(key_, '$') THEN json_merge_patch(remove_bag_keys(bag_, json_array(key_)), json_at_path(key_, value_))
        ELSE make_bag_of(
            list_transform(
                map_entries(json_members(bag_)),
                lambda set_key_entry_: {'key': set_key_entry_.key, 'value': CASE WHEN set_key_entry_.key = key_ THEN value_ ELSE set_key_entry_.value END}
            ) || [{'key': key_, 'value': value_}]
        )
    END
);
