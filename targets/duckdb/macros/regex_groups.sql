-- The numbers of the capture groups of a regular expression: its opening parentheses that neither are escaped, nor stand in a
-- class, nor open a group without a number.
-- Kusto: "extract_all()" without capture groups.
CREATE OR REPLACE TEMP MACRO regex_groups(pattern_) AS (
    range(1, 1 + len(regexp_extract_all(
        regexp_replace(regexp_replace(pattern_, '\\.', 'x', 'g'), '\[\^?\]?[^\]]*\]', '', 'g'),
        '\((?:[^?]|\?P?<|$)'
    )))
);
