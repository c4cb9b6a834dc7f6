-- A time span of days, hours (0 to 23), minutes and seconds (0 to 59); NULL where one is out of its range.
-- Kusto: "make_timespan()".
CREATE OR REPLACE TEMP MACRO span_of_parts(days_, hours_, minutes_, seconds_) AS (
    CASE WHEN hours_ BETWEEN 0 AND 23 AND minutes_ BETWEEN 0 AND 59 AND seconds_ >= 0 AND seconds_ < 60
        THEN to_days(CAST(days_ AS INTEGER)) + to_hours(hours_) + to_minutes(minutes_) + to_microseconds(CAST(round(seconds_ * 10000000) AS BIGINT) // 10) END
);
