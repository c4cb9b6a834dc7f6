-- needs: has_term
-- Whether the text has one of the words of a list as a term.
-- Kusto: "The case-insensitive has_any string operator".
CREATE OR REPLACE TEMP MACRO has_any_term(text_, terms_) AS (
    coalesce(list_bool_or(list_transform(terms_, lambda any_term_el_: has_term(text_, any_term_el_))), false)
);
