-- A number of 100 ns ticks since the year 1 as a time; NULL before the year 1 and after 9999.
-- Kusto: "todatetime()" of an integer.
CREATE OR REPLACE TEMP MACRO ticks_to_datetime(ticks_) AS (
    CASE WHEN ticks_ BETWEEN 0 AND 3155378975999999999 THEN make_timestamp(ticks_ // 10 - 62135596800000000) END
);
