-- needs: json_at_path, json_pointer, json_texts
-- A property bag without the members named, by key or by path ('$.a.b').
-- Kusto: "bag_remove_keys()".
CREATE OR REPLACE TEMP MACRO remove_bag_keys(bag_, keys_) AS (
    CASE WHEN json_type(bag_) = 'OBJECT' THEN list_reduce(
        list_transform(coalesce(json_texts(keys_), []), lambda remove_key_: to_json(remove_key_)),
        lambda remove_from_, remove_next_: CASE WHEN json_exists(remove_from_, json_pointer(remove_next_ ->> '$'))
            THEN json_merge_patch(remove_from_, json_at_path(remove_next_ ->> '$', 'null'::JSON)) ELSE remove_from_ END,
        bag_
    ) END
);
