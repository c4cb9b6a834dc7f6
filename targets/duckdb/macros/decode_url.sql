-- A URL with its %xx in plain text. Where their bytes are no UTF-8, those above 7F become U+FFFD.
-- Kusto: "url_decode()".
CREATE OR REPLACE TEMP MACRO decode_url(text_) AS (
    url_decode(CASE
        WHEN regexp_matches(
            regexp_replace(
                text_,
                '(?i)%(?:(?:c[2-9a-f]|d[0-9a-f])%[89ab][0-9a-f]|e0%[ab][0-9a-f]%[89ab][0-9a-f]|(?:e[1-9a-cef]%[89ab][0-9a-f]|ed%[89][0-9a-f])%[89ab][0-9a-f]|(?:f0%[9ab][0-9a-f]|f[1-3]%[89ab][0-9a-f]|f4%8[0-9a-f])%[89ab][0-9a-f]%[89ab][0-9a-f])',
                '-', 'g'
            ),
            '(?i)%[89a-f][0-9a-f]'
        ) THEN regexp_replace(text_, '(?i)%[89a-f][0-9a-f]', '%ef%bf%bd', 'g')
        ELSE text_
    END)
);
