-- needs: term_pattern
-- Whether a term of the text ends so, in any case.
-- Kusto: "The case-insensitive hassuffix operator".
CREATE OR REPLACE TEMP MACRO has_term_suffix(text_, term_) AS (
    regexp_matches(coalesce(text_, ''), term_pattern(term_, false, true), 'i')
);
