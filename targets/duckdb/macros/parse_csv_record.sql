-- The fields of the first record of a CSV text as a JSON array; quotes are those of RFC 4180.
-- Kusto: "parse_csv()".
CREATE OR REPLACE TEMP MACRO parse_csv_record(text_) AS (
    to_json(list_transform(
        regexp_extract_all(
            ',' || regexp_extract(text_, '^(?:"(?:[^"]|"")*"|[^"\r\n])*'),
            ',("(?:[^"]|"")*"|[^,]*)', 1
        ),
        lambda csv_field_: CASE WHEN starts_with(csv_field_, '"') THEN replace(substring(csv_field_, 2, length(csv_field_) - 2), '""', '"') ELSE csv_field_ END
    ))
);
