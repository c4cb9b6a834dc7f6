-- A number of bytes as text, in the unit given or the greatest one (of 1024 each) in which it is 1 or more; no zeros at the end.
-- Kusto: "format_bytes()".
CREATE OR REPLACE TEMP MACRO bytes_text(bytes_, digits_, unit_) AS (
    list_transform(
        [CASE WHEN isfinite(bytes_) THEN coalesce(list_position(['Bytes', 'KB', 'MB', 'GB', 'TB', 'PB', 'EB'], unit_), 1 + CASE WHEN abs(bytes_) < 1 THEN 0 ELSE least(CAST(floor(ln(abs(bytes_)) / ln(1024) + 1e-12) AS INTEGER), 6) END) END],
        lambda bytes_unit_: regexp_replace(CAST(round(bytes_ / pow(1024, bytes_unit_ - 1), CAST(digits_ AS INTEGER)) AS VARCHAR), '\.0$', '')
            || ' ' || ['Bytes', 'KB', 'MB', 'GB', 'TB', 'PB', 'EB'][bytes_unit_]
    )[1]
);
