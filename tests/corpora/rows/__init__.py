"""Right rows: random events, a small KQL interpreter of its own, and DuckDB's answer to our SQL, compared as bags."""

import re

DUCKDB_TYPES = {
    "bool": "BOOLEAN", "int": "INTEGER", "long": "BIGINT", "real": "DOUBLE", "decimal": "DECIMAL(38,17)", "string": "VARCHAR",
    "datetime": "TIMESTAMP", "timespan": "INTERVAL", "guid": "VARCHAR", "dynamic": "JSON",
}


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def column_names(names):
    """Names as DuckDB can hold them together: it folds case, so a second spelling of a name gets a suffix."""
    seen, out = {}, {}
    for name in names:
        n = seen[name.lower()] = seen.get(name.lower(), 0) + 1
        out[name] = name if n == 1 else f"{name}__{n}"
    return out


def create_table(name, columns):
    """`columns`: {name: KQL type}. A table without known columns still needs one."""
    names = column_names(columns)
    parts = [f"{quoted(names[c])} {DUCKDB_TYPES[t]}" for c, t in columns.items()] or ['"_none" VARCHAR']
    return f"CREATE OR REPLACE TABLE {quoted(name)} ({', '.join(parts)});"


def add_column(table, name, ty):
    return f"ALTER TABLE {quoted(table)} ADD COLUMN {quoted(name)} {DUCKDB_TYPES[ty]};"


def ddl_columns(path):
    """{table in lower case: set of columns in lower case} of a script of CREATE TABLEs."""
    tables = {}
    text = path.read_text(encoding="utf-8")
    for match in re.finditer(r'CREATE TABLE (?:IF NOT EXISTS )?(?:"((?:[^"]|"")+)"|(\w+))\s*\((.*?)\n?\);', text, re.S | re.I):
        name = (match.group(1) or match.group(2)).replace('""', '"').lower()
        columns = re.findall(r'(?:^|,)\s*(?:"((?:[^"]|"")+)"|(\w+))\s+[A-Z]', match.group(3))
        tables[name] = {(a or b).replace('""', '"').lower() for a, b in columns}
    return tables
