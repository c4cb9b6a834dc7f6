-- A time span as text after a pattern: d, H, h, m, s, f, F; all else stands as it is. The sign is not shown.
-- Kusto: "format_timespan()".
CREATE OR REPLACE TEMP MACRO format_span(span_, pattern_) AS (
    CASE WHEN span_ IS NOT NULL THEN array_to_string(list_transform(
        regexp_extract_all(pattern_, 'd+|HH|H|hh|h|mm|m|ss|s|f+|F+|[^dHhmsfF]+'),
        lambda span_part_: CASE left(span_part_, 1)
            WHEN 'd' THEN lpad(CAST(abs(epoch_us(span_)) // 86400000000 AS VARCHAR),
                CAST(greatest(length(span_part_), length(CAST(abs(epoch_us(span_)) // 86400000000 AS VARCHAR))) AS INTEGER), '0')
            WHEN 'H' THEN lpad(CAST(abs(epoch_us(span_)) // 3600000000 % 24 AS VARCHAR), CASE WHEN length(span_part_) > 1 OR abs(epoch_us(span_)) // 3600000000 % 24 > 9 THEN 2 ELSE 1 END, '0')
            WHEN 'h' THEN lpad(CAST(abs(epoch_us(span_)) // 3600000000 % 24 AS VARCHAR), CASE WHEN length(span_part_) > 1 OR abs(epoch_us(span_)) // 3600000000 % 24 > 9 THEN 2 ELSE 1 END, '0')
            WHEN 'm' THEN lpad(CAST(abs(epoch_us(span_)) // 60000000 % 60 AS VARCHAR), CASE WHEN length(span_part_) > 1 OR abs(epoch_us(span_)) // 60000000 % 60 > 9 THEN 2 ELSE 1 END, '0')
            WHEN 's' THEN lpad(CAST(abs(epoch_us(span_)) // 1000000 % 60 AS VARCHAR), CASE WHEN length(span_part_) > 1 OR abs(epoch_us(span_)) // 1000000 % 60 > 9 THEN 2 ELSE 1 END, '0')
            WHEN 'f' THEN left(lpad(CAST(abs(epoch_us(span_)) % 1000000 AS VARCHAR), 6, '0') || '0', length(span_part_))
            WHEN 'F' THEN rtrim(left(lpad(CAST(abs(epoch_us(span_)) % 1000000 AS VARCHAR), 6, '0') || '0', length(span_part_)), '0')
            ELSE span_part_
        END
    ), '') END
);
