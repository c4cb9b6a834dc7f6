-- Text of an XML document with its character references and the five named entities put in.
-- Kusto: "parse_xml()".
CREATE OR REPLACE TEMP MACRO xml_text(text_) AS (
    array_to_string(list_transform(
        regexp_extract_all(text_, '&#?[A-Za-z0-9]+;|[^&]+|&'),
        lambda xml_piece_: CASE xml_piece_
            WHEN '&lt;' THEN '<' WHEN '&gt;' THEN '>' WHEN '&amp;' THEN '&' WHEN '&quot;' THEN '"' WHEN '&apos;' THEN ''''
            ELSE CASE
                WHEN regexp_full_match(xml_piece_, '&#x[0-9a-fA-F]{1,6};') THEN chr(CAST('0x' || regexp_extract(xml_piece_, 'x([0-9a-fA-F]+)', 1) AS INTEGER))
                WHEN regexp_full_match(xml_piece_, '&#[0-9]{1,7};') THEN chr(CAST(regexp_extract(xml_piece_, '[0-9]+') AS INTEGER))
                ELSE xml_piece_
            END
        END
    ), '')
);
