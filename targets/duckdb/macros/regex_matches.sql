-- All matches of a regular expression as a JSON array: of strings where the capture groups are one, else of arrays with a string
-- for each group, '' for one that is NULL; NULL where nothing matches, or without a group.
-- Kusto: "extract_all()".
CREATE OR REPLACE TEMP MACRO regex_matches(text_, pattern_, groups_) AS (
    CASE WHEN len(groups_) > 0 AND regexp_matches(text_, pattern_) THEN
        list_transform(
            [list_transform(groups_, lambda regex_group_: coalesce(
                regexp_extract_all(text_, pattern_, CAST(regex_group_ AS INTEGER)),
                list_transform(regexp_extract_all(text_, pattern_), lambda regex_lost_: '')
            ))],
            lambda regex_columns_: CASE WHEN len(regex_columns_) = 1 THEN to_json(regex_columns_[1])
                ELSE to_json(list_transform(
                    range(1, len(regex_columns_[1]) + 1),
                    lambda regex_match_: list_transform(regex_columns_, lambda regex_column_: regex_column_[regex_match_])
                ))
            END
        )[1]
    END
);
