-- needs: to_long
-- A dynamic value as an integer: numbers lose their fraction, text is read as by to_long.
-- Kusto: "tolong()".
CREATE OR REPLACE TEMP MACRO json_to_long(json_) AS (
    CASE json_type(json_)
        WHEN 'VARCHAR' THEN to_long(json_ ->> '$')
        WHEN 'DOUBLE' THEN TRY_CAST(trunc(TRY_CAST(json_ ->> '$' AS DOUBLE)) AS BIGINT)
        WHEN 'BOOLEAN' THEN CASE WHEN json_ ->> '$' = 'true' THEN 1 ELSE 0 END
        ELSE TRY_CAST(json_ ->> '$' AS BIGINT)
    END
);
