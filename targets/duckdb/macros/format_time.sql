-- A time as text after a pattern: y, M, d, H, h, m, s, f, F, tt; all else stands as it is.
-- Kusto: "format_datetime()".
CREATE OR REPLACE TEMP MACRO format_time(time_, pattern_) AS (
    CASE WHEN time_ IS NOT NULL THEN array_to_string(list_transform(
        regexp_extract_all(pattern_, 'yyyy|yy|y|MM|M|dd|d|HH|H|hh|h|mm|m|ss|s|f+|F+|tt|[^yMdHhmsfFt]+'),
        lambda format_part_: CASE format_part_
            WHEN 'yyyy' THEN strftime(time_, '%Y') WHEN 'yy' THEN strftime(time_, '%y') WHEN 'y' THEN CAST(year(time_) % 100 AS VARCHAR)
            WHEN 'MM' THEN strftime(time_, '%m') WHEN 'M' THEN CAST(month(time_) AS VARCHAR)
            WHEN 'dd' THEN strftime(time_, '%d') WHEN 'd' THEN CAST(day(time_) AS VARCHAR)
            WHEN 'HH' THEN strftime(time_, '%H') WHEN 'H' THEN CAST(hour(time_) AS VARCHAR)
            WHEN 'hh' THEN strftime(time_, '%I') WHEN 'h' THEN CAST((hour(time_) + 11) % 12 + 1 AS VARCHAR)
            WHEN 'mm' THEN strftime(time_, '%M') WHEN 'm' THEN CAST(minute(time_) AS VARCHAR)
            WHEN 'ss' THEN strftime(time_, '%S') WHEN 's' THEN CAST(second(time_) AS VARCHAR)
            WHEN 'tt' THEN strftime(time_, '%p')
            ELSE CASE
                WHEN starts_with(format_part_, 'f') THEN left(strftime(time_, '%f0'), length(format_part_))
                WHEN starts_with(format_part_, 'F') THEN rtrim(left(strftime(time_, '%f0'), length(format_part_)), '0')
                ELSE format_part_
            END
        END
    ), '') END
);
