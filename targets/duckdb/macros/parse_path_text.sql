-- The parts of a file path (Windows or Unix, with or without file://) as a JSON object.
-- Kusto: "parse_path()".
CREATE OR REPLACE TEMP MACRO parse_path_text(path_) AS (
    json_object(
        'Scheme', regexp_extract(path_, '^([A-Za-z][A-Za-z0-9+.-]+)://', 1),
        'RootPath', regexp_extract(path_, '^(?:[A-Za-z][A-Za-z0-9+.-]+:///?)?(?:\\\\[?.]\\)?([A-Za-z]:)', 1),
        'DirectoryPath', regexp_extract(path_, '^(?:[A-Za-z][A-Za-z0-9+.-]+://)?(.*)[\\/][^\\/]*$', 1),
        'DirectoryName', regexp_extract(path_, '([^\\/:]*)[\\/][^\\/]*$', 1),
        'Filename', regexp_extract(path_, '([^\\/:]*)(?::[^\\/]*)?$', 1),
        'Extension', regexp_extract(path_, '\.([^\\/:.]*)(?::[^\\/]*)?$', 1),
        'AlternateDataStreamName', regexp_extract(path_, '[\\/][^\\/:]*:([^\\/]*)$', 1)
    )
);
