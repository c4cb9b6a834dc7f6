-- needs: json_members
-- The rows that a dynamic value expands to: the elements of an array, a bag for each member of a bag, else the value itself; one
-- null of null.
-- Kusto: "mv-expand operator".
CREATE OR REPLACE TEMP MACRO expand_items(json_) AS (
    CASE coalesce(json_type(json_), 'NULL')
        WHEN 'ARRAY' THEN list_transform(
            CAST(json_extract(json_, '$[*]') AS JSON[]),
            lambda item_: CASE json_type(item_) WHEN 'NULL' THEN CAST(NULL AS JSON) ELSE item_ END
        )
        WHEN 'OBJECT' THEN list_transform(
            map_entries(json_members(json_)), lambda expand_member_: json_object(expand_member_.key, expand_member_.value)
        )
        WHEN 'NULL' THEN [CAST(NULL AS JSON)]
        ELSE [json_]
    END
);
