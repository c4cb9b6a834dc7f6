-- needs: term_pattern
-- Whether the text has the term, in the same case.
-- Kusto: "The case-sensitive has_cs string operator".
CREATE OR REPLACE TEMP MACRO has_term_cs(text_, term_) AS (
    regexp_matches(coalesce(text_, ''), term_pattern(term_, true, true))
);
