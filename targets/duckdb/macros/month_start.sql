-- Start of the month of a time, moved by a number of months.
-- Kusto: "startofmonth()".
CREATE OR REPLACE TEMP MACRO month_start(time_, offset_) AS (
    date_trunc('month', time_) + to_months(CAST(offset_ AS INTEGER))
);
