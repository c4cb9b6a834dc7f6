-- A decimal as text without the zeros at its end.
-- Kusto: "tostring()".
CREATE OR REPLACE TEMP MACRO decimal_text(number_) AS (
    regexp_replace(CAST(number_ AS VARCHAR), '^(-?\d+(?:\.\d*[1-9])?)\.?0*$', '\1')
);
