-- A time as the number of 100 ns ticks since the year 1.
-- Kusto: "tolong()" of a datetime.
CREATE OR REPLACE TEMP MACRO ticks(time_) AS (
    (epoch_us(time_) + 62135596800000000) * 10
);
