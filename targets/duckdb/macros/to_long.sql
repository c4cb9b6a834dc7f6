-- Text as an integer: decimal or 0x… digits, else NULL ('12.7' and '1e3' are no integers).
-- Kusto: "tolong()".
CREATE OR REPLACE TEMP MACRO to_long(text_) AS (
    CASE WHEN regexp_full_match(text_, '\s*[+-]?(?:\d+|0[xX][0-9a-fA-F]+)\s*') THEN TRY_CAST(text_ AS BIGINT) END
);
