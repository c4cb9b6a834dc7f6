-- Text encoded for a query string: blank is +, hexadecimal digits are lower-case.
-- Kusto: "url_encode()".
CREATE OR REPLACE TEMP MACRO encode_url_query(text_) AS (
    array_to_string(list_transform(
        regexp_extract_all(text_, '[A-Za-z0-9_.!*()-]+| |[^A-Za-z0-9_.!*() -]+'),
        lambda query_part_: CASE WHEN query_part_ = ' ' THEN '+' WHEN regexp_matches(query_part_, '^[A-Za-z0-9_.!*()-]') THEN query_part_
            ELSE lower(regexp_replace(hex(encode(query_part_)), '(..)', '%\1', 'g')) END
    ), '')
);
