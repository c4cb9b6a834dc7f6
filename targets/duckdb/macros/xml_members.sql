-- The value of an XML element from its attributes, texts and child elements ({key, value}): null where there are none, the text where there is
-- nothing else, else an object; elements of the same name make an array.
-- Kusto: "parse_xml()".
CREATE OR REPLACE TEMP MACRO xml_members(members_) AS (
    CASE
        WHEN len(members_) = 0 THEN 'null'::JSON
        WHEN len(members_) = 1 AND members_[1].key = '#text' THEN members_[1].value
        ELSE to_json(map_from_entries(list_transform(
            list_filter(members_, lambda member_, member_at_: list_position(list_transform(members_, lambda member_name_: member_name_.key), member_.key) = member_at_),
            lambda member_first_: {
                'k': member_first_.key,
                'v': CASE WHEN len(list_filter(members_, lambda member_same_: member_same_.key = member_first_.key)) = 1 THEN member_first_.value
                    ELSE to_json(list_transform(list_filter(members_, lambda member_equal_: member_equal_.key = member_first_.key), lambda member_each_: member_each_.value)) END
            }
        )))
    END
);
