-- Natural logarithm: NaN of a negative number, -Infinity of 0, where DuckDB's own raises an error.
-- Kusto: "log()".
CREATE OR REPLACE TEMP MACRO real_log(number_) AS (
    CASE WHEN number_ > 0 THEN ln(number_) WHEN number_ = 0 THEN '-inf'::DOUBLE WHEN number_ < 0 THEN 'nan'::DOUBLE END
);
