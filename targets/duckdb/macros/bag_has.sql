-- needs: json_path_keys
-- Whether a property bag has a member, by key or by path ('$.a.b').
-- Kusto: "bag_has_key()".
CREATE OR REPLACE TEMP MACRO bag_has(bag_, key_) AS (
    CASE WHEN json_type(bag_) = 'OBJECT' THEN json_exists(
        bag_,
        '$' || array_to_string(list_transform(json_path_keys(key_), lambda has_part_: '."' || has_part_ || '"'), '')
    ) END
);
