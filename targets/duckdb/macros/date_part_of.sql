-- A part of a time as a number; weeks are those of ISO 8601, those of 'weekofyear' start on Sunday and
-- the first one has the year's first Wednesday; parts of a second are counted from the start of the second.
-- Kusto: "datetime_part()".
CREATE OR REPLACE TEMP MACRO date_part_of(part_, time_) AS (
    CAST(CASE lower(part_)
        WHEN 'year' THEN year(time_)
        WHEN 'quarter' THEN quarter(time_)
        WHEN 'month' THEN month(time_)
        WHEN 'week_of_year' THEN week(time_)
        WHEN 'weekofyear' THEN (dayofyear(time_ + to_days(CAST(3 - dayofweek(time_) AS INTEGER))) - 1) // 7 + 1
        WHEN 'day' THEN day(time_)
        WHEN 'dayofyear' THEN dayofyear(time_)
        WHEN 'hour' THEN hour(time_)
        WHEN 'minute' THEN minute(time_)
        WHEN 'second' THEN second(time_)
        WHEN 'millisecond' THEN millisecond(time_) % 1000
        WHEN 'microsecond' THEN microsecond(time_) % 1000000
        WHEN 'nanosecond' THEN microsecond(time_) % 1000000 * 1000
    END AS INTEGER)
);
