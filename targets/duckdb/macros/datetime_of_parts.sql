-- A time from its parts; NULL where there is none.
-- Kusto: "make_datetime()".
CREATE OR REPLACE TEMP MACRO datetime_of_parts(year_, month_, day_, hour_, minute_, second_) AS (
    CASE WHEN year_ BETWEEN 1 AND 9999 AND hour_ BETWEEN 0 AND 23 AND second_ >= 0 AND second_ < 60
        THEN TRY_CAST(printf('%04d-%02d-%02d %02d:%02d:00', year_, month_, day_, hour_, minute_) AS TIMESTAMP) + to_microseconds(CAST(round(second_ * 10000000) AS BIGINT) // 10) END
);
