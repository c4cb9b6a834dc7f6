-- The names of the members that a path goes through: '$.a.b' and '$["a"]["b"]' are a, b; what does not start with $ is one name.
-- Kusto: "bag_remove_keys()".
CREATE OR REPLACE TEMP MACRO json_path_keys(path_) AS (
    CASE WHEN starts_with(path_, '$')
        THEN list_transform(regexp_extract_all(path_, '\["[^"]*"\]|\[''[^'']*''\]|[^$.\[\]]+'), lambda path_key_: regexp_replace(path_key_, '^\[.(.*).\]$', '\1'))
        ELSE [path_]
    END
);
