-- Text as a truth value: true and false in any case, and numbers (0 is false).
-- Kusto: "tobool()".
CREATE OR REPLACE TEMP MACRO to_bool(text_) AS (
    CASE lower(trim(text_)) WHEN 'true' THEN true WHEN 'false' THEN false ELSE TRY_CAST(text_ AS DOUBLE) <> 0 END
);
