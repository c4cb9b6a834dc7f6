-- Square root: NaN of a negative number, where DuckDB's own raises an error.
-- Kusto: "sqrt()".
CREATE OR REPLACE TEMP MACRO real_sqrt(number_) AS (
    CASE WHEN number_ < 0 THEN 'nan'::DOUBLE ELSE sqrt(number_) END
);
