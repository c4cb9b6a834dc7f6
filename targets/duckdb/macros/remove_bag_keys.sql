-- needs: json_path_keys, json_texts
-- A property bag without the members named, by key or by path ('$.a.b').
-- Kusto: "bag_remove_keys()".
CREATE OR REPLACE TEMP MACRO remove_bag_keys(bag_, keys_) AS (
    CASE WHEN json_type(bag_) = 'OBJECT' THEN list_reduce(
        list_transform(
            json_texts(keys_),
            lambda remove_key_: list_reduce(
                list_transform(list_reverse(json_path_keys(remove_key_)), lambda remove_part_: to_json(remove_part_)),
                lambda remove_inner_, remove_name_: json_object(remove_name_ ->> '$', remove_inner_),
                'null'::JSON
            )
        ),
        lambda remove_from_, remove_patch_: json_merge_patch(remove_from_, remove_patch_),
        bag_
    ) END
);
