-- A time span in Kusto's form, [-][d.]hh:mm:ss[.fffffff].
-- Kusto: "tostring()", "The timespan data type".
CREATE OR REPLACE TEMP MACRO timespan_text(span_) AS (
    CASE WHEN epoch_us(span_) < 0 THEN '-' ELSE '' END
    || CASE WHEN abs(epoch_us(span_)) >= 86400000000 THEN (abs(epoch_us(span_)) // 86400000000) || '.' ELSE '' END
    || strftime(make_timestamp(abs(epoch_us(span_)) % 86400000000), '%H:%M:%S')
    || CASE WHEN epoch_us(span_) % 1000000 <> 0
        THEN '.' || lpad(CAST(abs(epoch_us(span_)) % 1000000 AS VARCHAR), 6, '0') || '0' ELSE ''
    END
);
