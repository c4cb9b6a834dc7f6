-- needs: url_query_parts
-- The parts of an absolute URL as a JSON object.
-- Kusto: "parse_url()".
CREATE OR REPLACE TEMP MACRO parse_url_text(url_) AS (
    json_object(
        'Scheme', regexp_extract(url_, '^([A-Za-z][A-Za-z0-9+.-]*):', 1),
        'Host', regexp_extract(url_, '^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)', 1),
        'Port', regexp_extract(url_, '^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?(?:\[[^\]]*\]|[^/?#:]*):(\d+)', 1),
        'Path', regexp_extract(url_, '^[A-Za-z][A-Za-z0-9+.-]*:(?://[^/?#]*)?([^?#]*)', 1),
        'Username', regexp_extract(url_, '^[A-Za-z][A-Za-z0-9+.-]*://([^/?#@:]*)(?::[^/?#@]*)?@', 1),
        'Password', regexp_extract(url_, '^[A-Za-z][A-Za-z0-9+.-]*://[^/?#@:]*:([^/?#@]*)@', 1),
        'Query Parameters', url_query_parts(regexp_extract(url_, '\?([^#]*)', 1)),
        'Fragment', regexp_extract(url_, '#(.*)$', 1)
    )
);
