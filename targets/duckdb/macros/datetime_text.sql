-- A time in Kusto's form, 2021-01-01T00:00:00.0000000Z. The seventh digit is 0: a TIMESTAMP holds microseconds.
-- Kusto: "tostring()".
CREATE OR REPLACE TEMP MACRO datetime_text(time_) AS (
    strftime(time_, '%Y-%m-%dT%H:%M:%S.%f0Z')
);
