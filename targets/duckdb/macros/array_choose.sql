-- needs: json_items
-- For each element of an array of conditions the element of one of two arrays at that place; a value that is no array stands
-- for each place. Numbers are conditions too (0 is false).
-- Kusto: "array_iff()".
CREATE OR REPLACE TEMP MACRO array_choose(conditions_, then_, else_) AS (
    to_json(list_transform(
        [{'conditions': json_items(conditions_), 'then': json_items(then_), 'else': json_items(else_)}],
        lambda choose_: list_transform(
            choose_.conditions,
            lambda choose_el_, choose_at_: CASE
                WHEN json_type(choose_el_) NOT IN ('BOOLEAN', 'BIGINT', 'UBIGINT', 'DOUBLE') THEN NULL
                WHEN choose_el_ ->> '$' NOT IN ('false', '0', '0.0') THEN CASE WHEN choose_."then" IS NULL THEN then_ ELSE choose_."then"[choose_at_] END
                ELSE CASE WHEN choose_."else" IS NULL THEN else_ ELSE choose_."else"[choose_at_] END
            END
        )
    )[1])
);
