-- reads: user_agent_patterns
-- One part of what a user agent string says, as a JSON object with the members of Kusto's: kind 'browser' (Family, MajorVersion, MinorVersion, Patch),
-- 'os' (and PatchMinor) or 'device' (Family, Brand, Model). The first pattern that matches counts; without one the family is Other.
-- Kusto has its patterns built in; here they are an input, the table user_agent_patterns, with a row for each entry of the uap-core
-- project's regexes.yaml (which Kusto's own stem from) that RE2 can read:
--   kind VARCHAR ('browser', 'os', 'device'), place INTEGER (order in the file), pattern VARCHAR (with (?i) in front where regex_flag says so),
--   family VARCHAR, part1 VARCHAR, part2 VARCHAR, part3 VARCHAR, part4 VARCHAR: the entry's replacements in the order of the groups 1 to 5
--   ($1 to $5 stand for the groups), NULL where it has none; for a device family, brand (part1) and model (part2).
-- The table has to be there before the macro is made.
-- Kusto: "parse_user_agent()".
CREATE OR REPLACE TEMP MACRO user_agent_part(agent_, kind_) AS (
    list_transform(
        [(
            SELECT min_by(
                {'pattern': patterns_.pattern, 'texts': [patterns_.family, patterns_.part1, patterns_.part2, patterns_.part3, patterns_.part4]},
                patterns_.place
            )
            FROM user_agent_patterns AS patterns_
            WHERE patterns_.kind = kind_ AND regexp_matches(agent_, patterns_.pattern)
        )],
        lambda agent_found_: list_transform(
            [CASE WHEN agent_found_ IS NULL THEN ['Other', '', '', '', ''] ELSE list_transform(
                [[regexp_extract(agent_, agent_found_.pattern, 1), regexp_extract(agent_, agent_found_.pattern, 2), regexp_extract(agent_, agent_found_.pattern, 3),
                    regexp_extract(agent_, agent_found_.pattern, 4), regexp_extract(agent_, agent_found_.pattern, 5)]],
                lambda agent_groups_: list_transform(
                    agent_found_.texts,
                    lambda agent_text_, agent_at_: CASE
                        WHEN agent_text_ IS NOT NULL THEN trim(replace(replace(replace(replace(replace(agent_text_,
                            '$1', agent_groups_[1]), '$2', agent_groups_[2]), '$3', agent_groups_[3]), '$4', agent_groups_[4]), '$5', agent_groups_[5]))
                        WHEN kind_ <> 'device' THEN agent_groups_[agent_at_]
                        WHEN agent_at_ = 2 THEN ''
                        ELSE agent_groups_[1]
                    END
                )
            )[1] END],
            lambda agent_parts_: CASE kind_
                WHEN 'browser' THEN json_object('Family', agent_parts_[1], 'MajorVersion', agent_parts_[2], 'MinorVersion', agent_parts_[3], 'Patch', agent_parts_[4])
                WHEN 'os' THEN json_object('Family', agent_parts_[1], 'MajorVersion', agent_parts_[2], 'MinorVersion', agent_parts_[3], 'Patch', agent_parts_[4], 'PatchMinor', agent_parts_[5])
                WHEN 'device' THEN json_object('Family', agent_parts_[1], 'Brand', agent_parts_[2], 'Model', agent_parts_[3])
            END
        )[1]
    )[1]
);
