-- needs: json_members
-- As expand_items; of a bag an array of name and value for each member.
-- Kusto: "mv-expand operator", kind=array.
CREATE OR REPLACE TEMP MACRO expand_pairs(json_) AS (
    CASE coalesce(json_type(json_), 'NULL')
        WHEN 'ARRAY' THEN CAST(json_extract(json_, '$[*]') AS JSON[])
        WHEN 'OBJECT' THEN list_transform(
            map_entries(json_members(json_)), lambda expand_pair_: json_array(expand_pair_.key, expand_pair_.value)
        )
        WHEN 'NULL' THEN [CAST(NULL AS JSON)]
        ELSE [json_]
    END
);
