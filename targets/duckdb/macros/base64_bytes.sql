-- The bytes that are encoded in base64, NULL where it is none. (Without TRY: DuckDB does not take that beside GROUP BY ALL.)
-- Kusto: "base64_decode_toarray()".
CREATE OR REPLACE TEMP MACRO base64_bytes(text_) AS (
    CASE WHEN regexp_full_match(text_, '(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?') THEN from_base64(text_) END
);
