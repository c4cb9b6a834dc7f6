-- needs: term_pattern
-- Whether a term of the text ends so, in the same case.
-- Kusto: "The case-sensitive hassuffix_cs operator".
CREATE OR REPLACE TEMP MACRO has_term_suffix_cs(text_, term_) AS (
    regexp_matches(coalesce(text_, ''), term_pattern(term_, false, true))
);
