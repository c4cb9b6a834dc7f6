-- needs: json_path_keys
-- A key or a path ('$.a.b') as a JSON pointer ('/a/b'), in which any character may stand.
-- Kusto: "bag_has_key()".
CREATE OR REPLACE TEMP MACRO json_pointer(path_) AS (
    array_to_string(list_transform(json_path_keys(path_), lambda pointer_key_: '/' || replace(replace(pointer_key_, '~', '~0'), '/', '~1')), '')
);
