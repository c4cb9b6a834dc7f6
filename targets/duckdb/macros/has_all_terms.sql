-- needs: has_term
-- Whether the text has all words of a list as terms.
-- Kusto: "The case-insensitive has_all string operator".
CREATE OR REPLACE TEMP MACRO has_all_terms(text_, terms_) AS (
    coalesce(list_bool_and(list_transform(terms_, lambda all_term_el_: has_term(text_, all_term_el_))), true)
);
