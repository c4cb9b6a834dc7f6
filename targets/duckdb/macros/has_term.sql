-- needs: term_pattern
-- Whether the text has the term, in any case.
-- Kusto: "The case-insensitive has string operator".
CREATE OR REPLACE TEMP MACRO has_term(text_, term_) AS (
    regexp_matches(coalesce(text_, ''), term_pattern(term_, true, true), 'i')
);
