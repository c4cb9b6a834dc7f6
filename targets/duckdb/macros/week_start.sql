-- Start of the week of a time, a Sunday, moved by a number of weeks.
-- Kusto: "startofweek()".
CREATE OR REPLACE TEMP MACRO week_start(time_, offset_) AS (
    date_trunc('day', time_) + to_days(CAST(7 * offset_ - dayofweek(time_) AS INTEGER))
);
