-- Whether all references in the text of an XML document are numbers of characters or one of the five named entities.
-- Kusto: "parse_xml()".
CREATE OR REPLACE TEMP MACRO xml_references_known(text_) AS (
    NOT contains(regexp_replace(text_, '&(?:lt|gt|amp|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});', '', 'g'), '&')
);
