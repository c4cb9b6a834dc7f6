-- A property bag as a map, NULL for all that is no bag.
-- Kusto: "The dynamic data type".
CREATE OR REPLACE TEMP MACRO json_members(json_) AS (
    CASE WHEN json_type(json_) = 'OBJECT' THEN TRY_CAST(json_ AS MAP(VARCHAR, JSON)) END
);
