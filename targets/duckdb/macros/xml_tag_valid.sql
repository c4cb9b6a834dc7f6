-- needs: xml_references_known
-- Whether a start tag is well-formed: a name, and attributes in quotes with a blank before each.
-- Kusto: "parse_xml()".
CREATE OR REPLACE TEMP MACRO xml_tag_valid(tag_) AS (
    regexp_full_match(tag_, '<[\p{L}_:][^\s/>="''<]*(?:\s+[\p{L}_:][^\s/>="''<]*\s*=\s*(?:"[^"]*"|''[^'']*''))*\s*/?>') AND xml_references_known(tag_)
);
