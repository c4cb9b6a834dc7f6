-- Numbers from 0 to 255 as base64; '' where one is none.
-- Kusto: "base64_encode_fromarray()".
CREATE OR REPLACE TEMP MACRO encode_bytes(numbers_) AS (
    CASE WHEN len(list_filter(numbers_, lambda bytes_number_: coalesce(TRY_CAST(bytes_number_ AS INTEGER) NOT BETWEEN 0 AND 255, true))) = 0
        THEN to_base64(unhex(array_to_string(list_transform(numbers_, lambda bytes_byte_: format('{:02x}', CAST(bytes_byte_ AS INTEGER))), '')))
        ELSE ''
    END
);
