-- Whether bytes given in hexadecimal (upper case) are UTF-8.
-- Source: The Unicode Standard, table 3-7 "Well-Formed UTF-8 Byte Sequences".
CREATE OR REPLACE TEMP MACRO hex_is_utf8(hex_) AS (
    regexp_full_match(hex_, '(?:[0-7].|(?:C[2-9A-F]|D.)[89AB].|E0[AB].[89AB].|(?:E[1-9A-CEF][89AB].|ED[89].)[89AB].|(?:F0[9AB].|F[1-3][89AB].|F48.)[89AB].[89AB].)*')
);
