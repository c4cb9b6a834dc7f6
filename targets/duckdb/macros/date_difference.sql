-- Number of borders of a period between two times (first minus second); weeks start on Sunday.
-- Kusto: "datetime_diff()".
CREATE OR REPLACE TEMP MACRO date_difference(period_, time1_, time2_) AS (
    CASE lower(period_)
        WHEN 'year' THEN date_diff('year', time2_, time1_)
        WHEN 'quarter' THEN date_diff('quarter', time2_, time1_)
        WHEN 'month' THEN date_diff('month', time2_, time1_)
        WHEN 'week' THEN date_diff('day', time2_ - to_days(CAST(dayofweek(time2_) AS INTEGER)), time1_ - to_days(CAST(dayofweek(time1_) AS INTEGER))) // 7
        WHEN 'day' THEN date_diff('day', time2_, time1_)
        WHEN 'hour' THEN date_diff('hour', time2_, time1_)
        WHEN 'minute' THEN date_diff('minute', time2_, time1_)
        WHEN 'second' THEN date_diff('second', time2_, time1_)
        WHEN 'millisecond' THEN date_diff('millisecond', time2_, time1_)
        WHEN 'microsecond' THEN date_diff('microsecond', time2_, time1_)
        WHEN 'nanosecond' THEN date_diff('microsecond', time2_, time1_) * 1000
    END
);
