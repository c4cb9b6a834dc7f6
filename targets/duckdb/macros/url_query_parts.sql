-- The parameters of a URL's query as a JSON object; names and values are decoded, of a repeated name the last value counts.
-- Kusto: "parse_urlquery()".
CREATE OR REPLACE TEMP MACRO url_query_parts(query_) AS (
    coalesce(to_json(map_from_entries(list_filter(
        list_transform(
            regexp_extract_all(coalesce(query_, ''), '[^&]+'),
            lambda query_pair_: {'k': split_part(query_pair_, '=', 1), 'v': regexp_extract(query_pair_, '^[^=]*=(.*)$', 1)}
        ),
        lambda query_entry_, query_index_: NOT list_contains(
            list_transform(regexp_extract_all(coalesce(query_, ''), '[^&]+')[query_index_ + 1:], lambda query_later_: split_part(query_later_, '=', 1)),
            query_entry_.k
        )
    ))), '{}'::JSON)
);
