-- Text as a dynamic value: '' is null, text that is no JSON stays a string.
-- Kusto: "parse_json()".
CREATE OR REPLACE TEMP MACRO parse_json_text(text_) AS (
    coalesce(TRY_CAST(text_ AS JSON), to_json(nullif(text_, '')))
);
