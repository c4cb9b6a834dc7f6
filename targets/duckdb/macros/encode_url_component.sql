-- Text encoded for a URL: all but the characters that have a meaning in one; hexadecimal digits are lower-case.
-- Kusto: "url_encode_component()".
CREATE OR REPLACE TEMP MACRO encode_url_component(text_) AS (
    array_to_string(list_transform(
        regexp_extract_all(text_, '[A-Za-z0-9_.~!*''()-]+|[^A-Za-z0-9_.~!*''()-]+'),
        lambda component_part_: CASE WHEN regexp_matches(component_part_, '^[A-Za-z0-9_.~!*''()-]') THEN component_part_
            ELSE lower(regexp_replace(hex(encode(component_part_)), '(..)', '%\1', 'g')) END
    ), '')
);
