-- needs: json_path_keys
-- A value inside of as many bags as a path ('$.a.b') has names.
-- Kusto: "bag_set_key()".
CREATE OR REPLACE TEMP MACRO json_at_path(path_, value_) AS (
    list_reduce(
        list_transform(list_reverse(json_path_keys(path_)), lambda at_path_key_: to_json(at_path_key_)),
        lambda at_path_inner_, at_path_name_: json_object(at_path_name_ ->> '$', at_path_inner_),
        value_
    )
);
