-- needs: json_members
-- JSON text of a dynamic value with the keys of its bags in order: the bag itself, and one more level of bags in it or in
-- its arrays' place. Deeper bags keep their order.
-- Kusto: "dynamic_to_json()".
CREATE OR REPLACE TEMP MACRO json_sorted_keys(json_) AS (
    CASE json_type(json_)
        WHEN 'OBJECT' THEN CAST(to_json(map_from_entries(list_sort(list_transform(
            map_entries(json_members(json_)),
            lambda sorted_entry_: {
                'k': sorted_entry_.key,
                'v': CASE WHEN json_type(sorted_entry_.value) = 'OBJECT'
                    THEN to_json(map_from_entries(list_sort(map_entries(json_members(sorted_entry_.value)))))
                    ELSE sorted_entry_.value
                END
            }
        )))) AS VARCHAR)
        ELSE CAST(json_extract(json_, '$') AS VARCHAR)
    END
);
