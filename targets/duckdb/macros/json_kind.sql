-- Name of the type of a dynamic value.
-- Kusto: "gettype()".
CREATE OR REPLACE TEMP MACRO json_kind(json_) AS (
    CASE coalesce(json_type(json_), 'NULL')
        WHEN 'NULL' THEN 'null' WHEN 'BOOLEAN' THEN 'bool' WHEN 'VARCHAR' THEN 'string'
        WHEN 'ARRAY' THEN 'array' WHEN 'OBJECT' THEN 'dictionary' WHEN 'DOUBLE' THEN 'real' ELSE 'long'
    END
);
