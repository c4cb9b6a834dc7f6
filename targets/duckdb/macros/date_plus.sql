-- A time moved by a number of periods.
-- Kusto: "datetime_add()".
CREATE OR REPLACE TEMP MACRO date_plus(period_, count_, time_) AS (
    time_ + CASE lower(period_)
        WHEN 'year' THEN to_years(CAST(count_ AS INTEGER))
        WHEN 'quarter' THEN to_months(CAST(3 * count_ AS INTEGER))
        WHEN 'month' THEN to_months(CAST(count_ AS INTEGER))
        WHEN 'week' THEN to_days(CAST(7 * count_ AS INTEGER))
        WHEN 'day' THEN to_days(CAST(count_ AS INTEGER))
        WHEN 'hour' THEN to_hours(count_)
        WHEN 'minute' THEN to_minutes(count_)
        WHEN 'second' THEN to_seconds(count_)
        WHEN 'millisecond' THEN to_microseconds(1000 * count_)
        WHEN 'microsecond' THEN to_microseconds(count_)
        WHEN 'nanosecond' THEN to_microseconds(count_ // 1000)
    END
);
