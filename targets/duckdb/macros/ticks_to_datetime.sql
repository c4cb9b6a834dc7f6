-- A number of 100 ns ticks since the year 1 as a time.
-- Kusto: "todatetime()" of an integer.
CREATE OR REPLACE TEMP MACRO ticks_to_datetime(ticks_) AS (
    make_timestamp(ticks_ // 10 - 62135596800000000)
);
