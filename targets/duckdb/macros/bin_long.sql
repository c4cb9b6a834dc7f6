-- The greatest multiple of the bin that is not above the number; NULL where the bin is not above 0.
-- Kusto: "bin()".
CREATE OR REPLACE TEMP MACRO bin_long(number_, bin_) AS (
    CASE WHEN bin_ > 0 THEN number_ - (number_ % bin_ + bin_) % bin_ END
);
