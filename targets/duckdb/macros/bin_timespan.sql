-- needs: bin_long
-- The greatest multiple of the bin that is not above the time span.
-- Kusto: "bin()".
CREATE OR REPLACE TEMP MACRO bin_timespan(span_, bin_) AS (
    to_microseconds(bin_long(epoch_us(span_), epoch_us(bin_)))
);
