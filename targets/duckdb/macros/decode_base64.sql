-- The text that is encoded in base64; '' where it is no base64 or no UTF-8.
-- Kusto: "base64_decode_tostring()".
CREATE OR REPLACE TEMP MACRO decode_base64(text_) AS (
    coalesce(TRY(decode(from_base64(text_))), '')
);
