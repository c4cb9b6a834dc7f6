-- needs: regex_groups
-- The numbers of capture groups that are given by number or by name; NULL for one that the pattern has not.
-- Kusto: "extract_all()" with capture groups.
CREATE OR REPLACE TEMP MACRO regex_group_numbers(pattern_, groups_) AS (
    list_transform(
        list_transform(groups_, lambda group_given_: coalesce(TRY_CAST(group_given_ AS BIGINT), list_position(
            regexp_extract_all(
                regexp_replace(regexp_replace(pattern_, '\\.', 'x', 'g'), '\[\^?\]?[^\]]*\]', '', 'g'),
                '\((?:\?P?<([^>]*)>|[^?]|$)', 1
            ),
            group_given_
        ))),
        lambda group_number_: CASE WHEN group_number_ BETWEEN 1 AND len(regex_groups(pattern_)) THEN group_number_ END
    )
);
