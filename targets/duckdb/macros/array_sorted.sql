-- needs: json_items
-- The elements in order: numbers, then strings, then all others as they were; nulls at the end or the start.
-- order_ is 'ASC' or 'DESC' and holds inside each kind.
-- Kusto: "array_sort_asc()", "array_sort_desc()".
CREATE OR REPLACE TEMP MACRO array_sorted(json_, order_, nulls_last_) AS (
    to_json(
        CASE WHEN nulls_last_ THEN [] ELSE list_filter(json_items(json_), lambda sorted_null_: json_type(sorted_null_) = 'NULL') END
        || list_transform(
            list_sort(list_transform(
                list_filter(json_items(json_), lambda sorted_number_: json_type(sorted_number_) IN ('BIGINT', 'UBIGINT', 'DOUBLE')),
                lambda sorted_key_: {'number': TRY_CAST(sorted_key_ ->> '$' AS DOUBLE), 'json': sorted_key_}
            ), order_),
            lambda sorted_back_: sorted_back_.json
        )
        || list_transform(
            list_sort(list_transform(
                list_filter(json_items(json_), lambda sorted_text_: json_type(sorted_text_) = 'VARCHAR'),
                lambda sorted_value_: sorted_value_ ->> '$'
            ), order_),
            lambda sorted_quoted_: to_json(sorted_quoted_)
        )
        || list_filter(json_items(json_), lambda sorted_other_: json_type(sorted_other_) IN ('BOOLEAN', 'ARRAY', 'OBJECT'))
        || CASE WHEN nulls_last_ THEN list_filter(json_items(json_), lambda sorted_tail_: json_type(sorted_tail_) = 'NULL') ELSE [] END
    )
);
