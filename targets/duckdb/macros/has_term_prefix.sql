-- needs: term_pattern
-- Whether a term of the text starts so, in any case.
-- Kusto: "The case-insensitive hasprefix operator".
CREATE OR REPLACE TEMP MACRO has_term_prefix(text_, term_) AS (
    regexp_matches(coalesce(text_, ''), term_pattern(term_, true, false), 'i')
);
