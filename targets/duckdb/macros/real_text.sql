-- A number as text, in Kusto's spelling of infinities.
-- Kusto: "tostring()".
CREATE OR REPLACE TEMP MACRO real_text(number_) AS (
    CASE WHEN isnan(number_) THEN 'NaN' WHEN isinf(number_) THEN CASE WHEN number_ > 0 THEN 'Infinity' ELSE '-Infinity' END
        ELSE CAST(number_ AS VARCHAR) END
);
