-- A dynamic value as a number; true is 1, false 0.
-- Kusto: "toreal()".
CREATE OR REPLACE TEMP MACRO json_to_real(json_) AS (
    CASE WHEN json_type(json_) = 'BOOLEAN' THEN CASE WHEN json_ ->> '$' = 'true' THEN 1.0 ELSE 0.0 END
        ELSE TRY_CAST(json_ ->> '$' AS DOUBLE) END
);
