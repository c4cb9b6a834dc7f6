-- needs: json_members, make_bag_of
-- A property bag with a key set to a value.
-- Kusto: "bag_set_key()".
CREATE OR REPLACE TEMP MACRO set_bag_key(bag_, key_, value_) AS (
    CASE WHEN json_type(bag_) = 'OBJECT' THEN make_bag_of(
        list_transform(
            map_entries(json_members(bag_)),
            lambda set_key_entry_: {'key': set_key_entry_.key, 'value': CASE WHEN set_key_entry_.key = key_ THEN value_ ELSE set_key_entry_.value END}
        ) || [{'key': key_, 'value': value_}]
    ) END
);
