-- needs: json_items
-- For each element of an array of conditions the element of one of two arrays at that place; a value that is no array stands
-- for each place. Numbers are conditions too (0 is false).
-- Kusto: "array_iff()".
CREATE OR REPLACE TEMP MACRO array_choose(conditions_, then_, else_) AS (
    to_json(list_transform(
        json_items(conditions_),
        lambda choose_el_, choose_at_: CASE
            WHEN json_type(choose_el_) NOT IN ('BOOLEAN', 'BIGINT', 'UBIGINT', 'DOUBLE') THEN NULL
            WHEN choose_el_ ->> '$' NOT IN ('false', '0', '0.0') THEN CASE WHEN json_type(then_) = 'ARRAY' THEN json_items(then_)[choose_at_] ELSE then_ END
            ELSE CASE WHEN json_type(else_) = 'ARRAY' THEN json_items(else_)[choose_at_] ELSE else_ END
        END
    ))
);
