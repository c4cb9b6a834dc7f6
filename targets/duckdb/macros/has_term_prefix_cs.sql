-- needs: term_pattern
-- Whether a term of the text starts so, in the same case.
-- Kusto: "The case-sensitive hasprefix_cs operator".
CREATE OR REPLACE TEMP MACRO has_term_prefix_cs(text_, term_) AS (
    regexp_matches(coalesce(text_, ''), term_pattern(term_, true, false))
);
