-- The parameters of a URL's query as a JSON object, as they stand (not decoded); of a repeated name the last value counts.
-- Kusto: "parse_urlquery()".
CREATE OR REPLACE TEMP MACRO url_query_parts(query_) AS (
    list_transform(
        [list_transform(
            list_reverse(regexp_extract_all(coalesce(query_, ''), '[^&]+')),
            lambda query_pair_: {'k': split_part(query_pair_, '=', 1), 'v': regexp_extract(query_pair_, '^[^=]*=(.*)$', 1)}
        )],
        lambda query_pairs_: coalesce(to_json(map_from_entries(list_reverse(list_filter(
            query_pairs_,
            lambda query_entry_, query_at_: list_position(list_transform(query_pairs_, lambda query_name_: query_name_.k), query_entry_.k) = query_at_
        )))), '{}'::JSON)
    )[1]
);
