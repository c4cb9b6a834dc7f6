-- All matches of a regular expression as a JSON array: of strings where the capture groups are one, else of arrays with a string
-- for each group; NULL where nothing matches, or without a group.
-- Kusto: "extract_all()".
CREATE OR REPLACE TEMP MACRO regex_matches(text_, pattern_, groups_) AS (
    CASE WHEN len(groups_) > 0 AND regexp_matches(text_, pattern_) THEN
        CASE WHEN len(groups_) = 1 THEN to_json(regexp_extract_all(text_, pattern_, CAST(groups_[1] AS INTEGER)))
            ELSE to_json(list_transform(
                [list_transform(groups_, lambda regex_group_: regexp_extract_all(text_, pattern_, CAST(regex_group_ AS INTEGER)))],
                lambda regex_columns_: list_transform(
                    range(1, len(regex_columns_[1]) + 1),
                    lambda regex_match_: list_transform(regex_columns_, lambda regex_column_: regex_column_[regex_match_])
                )
            )[1])
        END
    END
);
