-- Text as a time in UTC, NULL where it is none: ISO 8601 with or without an offset, RFC 822 and RFC 850, month/day/year, and day/month/year
-- where the first number is no month.
-- DuckDB's own cast drops the offset, so it is taken off here.
-- Kusto: "todatetime()", "The datetime data type: supported formats".
CREATE OR REPLACE TEMP MACRO to_datetime(text_) AS (
    coalesce(
        TRY_CAST(nullif(regexp_extract(text_, '^\s*(\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?)\s*(?:[Zz]|GMT|UTC|[+-]\d{2}:?\d{2})?\s*$', 1), '') AS TIMESTAMP),
        CASE WHEN regexp_matches(text_, '\d') THEN try_strptime(
            trim(regexp_replace(text_, '\s*(?:[Zz]|GMT|UTC|[+-]\d{2}:?\d{2})\s*$', '')),
            ['%Y-%m-%dT%H', '%Y-%m-%d %H', '%a, %d %b %y %H:%M:%S', '%a, %d %b %Y %H:%M:%S', '%d %b %y %H:%M:%S', '%d %b %Y %H:%M:%S',
             '%d %b %y %H:%M', '%d %b %Y %H:%M', '%A, %d-%b-%y %H:%M:%S', '%m/%d/%Y %I:%M:%S %p', '%m/%d/%Y %I:%M %p', '%m/%d/%Y %H:%M:%S', '%m/%d/%Y %H:%M',
             '%d/%m/%Y %H:%M:%S', '%d/%m/%Y %H:%M']
        ) END,
        CASE WHEN regexp_full_match(text_, '\s*(?:\d{4}(?:-\d{1,2})?|\d{1,2}[/-](?:\d{1,2}|[A-Za-z]{3})[/-]\d{4}|(?:[A-Za-z]{3}, ?)?\d{1,2} [A-Za-z]{3,9} (?:\d{2}|\d{4}))\s*') THEN try_strptime(trim(text_), ['%Y-%m', '%Y', '%m/%d/%Y', '%m-%d-%Y', '%d/%m/%Y', '%d-%m-%Y', '%d-%b-%Y',
             '%d %b %y', '%d %b %Y', '%d %B %y', '%d %B %Y', '%a, %d %b %y', '%a, %d %b %Y']) END
    )
    - to_minutes(CASE WHEN regexp_matches(text_, '\d:\d{2}.*[+-]\d{2}:?\d{2}\s*$')
        THEN CAST(regexp_extract(text_, '([+-])\d{2}:?\d{2}\s*$', 1) || '1' AS INTEGER)
            * (60 * CAST(regexp_extract(text_, '[+-](\d{2}):?\d{2}\s*$', 1) AS INTEGER) + CAST(regexp_extract(text_, '[+-]\d{2}:?(\d{2})\s*$', 1) AS INTEGER))
        ELSE 0
    END)
);
