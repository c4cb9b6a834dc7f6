-- Text without the matches of a regular expression at both ends.
-- Kusto: "trim()".
CREATE OR REPLACE TEMP MACRO trim_both(text_, pattern_) AS (
    regexp_replace(regexp_replace(text_, '^(?:' || pattern_ || ')+', ''), '(?:' || pattern_ || ')+$', '')
);
