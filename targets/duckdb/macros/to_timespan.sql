-- Text as a time span, NULL where it is none: [-][d.]hh:mm[:ss[.fffffff]], a number of days, or a number with a unit (1.5h).
-- Kusto: "totimespan()", "The timespan data type".
CREATE OR REPLACE TEMP MACRO to_timespan(text_) AS (
    to_microseconds(CASE
        WHEN regexp_full_match(text_, '\s*-?(?:\d+\.)?(?:[01]?\d|2[0-3]):[0-5]?\d(?::[0-5]?\d(?:\.\d{1,7})?)?\s*') THEN
            CASE WHEN starts_with(trim(text_), '-') THEN -1 ELSE 1 END * (
                86400000000 * coalesce(TRY_CAST(regexp_extract(text_, '(\d+)\.\d+:', 1) AS BIGINT), 0)
                + 3600000000 * coalesce(TRY_CAST(regexp_extract(text_, '(\d+):\d', 1) AS BIGINT), 0)
                + 60000000 * coalesce(TRY_CAST(regexp_extract(text_, '\d:(\d+)', 1) AS BIGINT), 0)
                + CAST(1000000 * coalesce(TRY_CAST(regexp_extract(text_, '\d:\d+:(\d+(?:\.\d+)?)', 1) AS DECIMAL(18, 7)), 0) AS BIGINT)
            )
        WHEN regexp_full_match(text_, '\s*-?\d+\s*') THEN 86400000000 * TRY_CAST(text_ AS BIGINT)
        ELSE TRY_CAST(
            TRY_CAST(regexp_extract(text_, '^\s*(-?\d+(?:\.\d+)?)\s*[a-z]+\s*$', 1) AS DOUBLE)
            * CASE regexp_extract(text_, '^\s*-?\d+(?:\.\d+)?\s*([a-z]+)\s*$', 1)
                WHEN 'd' THEN 86400000000 WHEN 'h' THEN 3600000000 WHEN 'm' THEN 60000000 WHEN 's' THEN 1000000
                WHEN 'ms' THEN 1000 WHEN 'microsecond' THEN 1 WHEN 'tick' THEN 0.1
            END AS BIGINT)
    END)
);
