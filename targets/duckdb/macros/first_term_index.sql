-- needs: has_term
-- Index, from 0, of the first word of the list that the text has as a term; -1 where it has none.
-- Kusto: "has_any_index()".
CREATE OR REPLACE TEMP MACRO first_term_index(text_, terms_) AS (
    coalesce(CAST(list_position(list_transform(terms_, lambda first_term_el_: has_term(text_, first_term_el_)), true) AS BIGINT) - 1, -1)
);
