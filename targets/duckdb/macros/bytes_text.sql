-- A number of bytes as text, in the unit given or the greatest one (of 1024 each) in which it is 1 or more.
-- Kusto: "format_bytes()".
CREATE OR REPLACE TEMP MACRO bytes_text(bytes_, digits_, unit_) AS (
    list_transform(
        [coalesce(list_position(['Bytes', 'KB', 'MB', 'GB', 'TB', 'PB', 'EB'], unit_), 1 + CASE WHEN abs(bytes_) < 1 THEN 0 ELSE least(CAST(floor(ln(abs(bytes_)) / ln(1024) + 1e-12) AS INTEGER), 6) END)],
        lambda bytes_unit_: CAST(CASE WHEN digits_ = 0 THEN CAST(CAST(round(bytes_ / pow(1024, bytes_unit_ - 1)) AS BIGINT) AS VARCHAR)
                ELSE CAST(round(bytes_ / pow(1024, bytes_unit_ - 1), CAST(digits_ AS INTEGER)) AS VARCHAR) END AS VARCHAR)
            || ' ' || ['Bytes', 'KB', 'MB', 'GB', 'TB', 'PB', 'EB'][bytes_unit_]
    )[1]
);
