-- needs: base64_bytes, hex_is_utf8
-- The text that is encoded in base64; '' where it is no base64 or no UTF-8.
-- Kusto: "base64_decode_tostring()".
CREATE OR REPLACE TEMP MACRO decode_base64(text_) AS (
    CASE WHEN hex_is_utf8(hex(base64_bytes(text_))) THEN decode(base64_bytes(text_)) ELSE '' END
);
