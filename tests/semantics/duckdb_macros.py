"""Checks targets/duckdb/functions.toml and its macros on the real engine.

Reads the table of functions, the macro files and the cases of duckdb_macros.jsonl, builds each call as the SQL back end
does, and compares its value with that of the expected expression: once over constants, once over columns of a table.
Needs `pip install duckdb` (1.5). Prints one line for each failure; the exit status is 1 if there is one.

A case is one JSON object a line:
  {"fn": "substring", "args": ["'abc'", "1"], "is": "'bc'"}
`args` and `is` are DuckDB expressions; the IR types of the arguments follow from their SQL types, `types` overrides them.
For an aggregate `rows` takes the place of `args`: a list of argument lists, one a row.
`near` is a relative tolerance for numbers (default 1e-9); `any_order` compares arrays as bags.
"""

import json
import math
import pathlib
import re
import sys
import tomllib

import duckdb

HERE = pathlib.Path(__file__).resolve().parent
DUCKDB = HERE.parent.parent / "targets" / "duckdb"

IR_TYPE = {
    "BOOLEAN": "bool",
    "INTEGER": "int",
    "BIGINT": "long",
    "DOUBLE": "real",
    "VARCHAR": "string",
    "TIMESTAMP": "datetime",
    "INTERVAL": "timespan",
    "JSON": "dynamic",
}
# An argument of a type on the left fits a parameter of the types on the right, too.
WIDENS = {"int": {"long", "real"}, "long": {"real"}, "guid": {"string"}, "decimal": {"real"}}


def load():
    """The overloads by (kind, name), and the macros: name -> (needs, text)."""
    table = tomllib.loads((DUCKDB / "functions.toml").read_text())
    overloads = {}
    for kind in ("function", "aggregate"):
        for entry in table.get(kind, []):
            overloads.setdefault((kind, entry["name"]), []).append(entry)
    macros = {}
    for path in sorted((DUCKDB / "macros").glob("*.sql")):
        text = path.read_text()
        needs = re.search(r"^-- needs:(.*)$", text, re.M)
        names = [n.strip() for n in needs[1].split(",")] if needs else []
        macros[path.stem] = ([n for n in names if n], text)
    return overloads, macros


def fits(wanted, given, exact):
    if wanted == "any" or given == "null":
        return True
    return wanted == given or (not exact and wanted in WIDENS.get(given, ()))


def choose(entries, types):
    """First overload that fits: exact types before widened ones."""
    for exact in (True, False):
        for entry in entries:
            wanted = list(entry["args"]) if "args" in entry else ["any", "..."]
            if wanted and wanted[-1] == "...":
                wanted.pop()
                if len(types) < len(wanted) - 1:
                    continue
                last = wanted[-1]
                wanted = wanted + [last] * (len(types) - len(wanted))
                wanted = wanted[: len(types)]
            if len(wanted) != len(types):
                continue
            if "args" not in entry and not arity_fits(entry["sql"], len(types)):
                continue
            if all(fits(w, t, exact) for w, t in zip(wanted, types)):
                return entry
    return None


def arity_fits(sql, count):
    fixed = [int(n) for n in re.findall(r"\$([1-9])", sql)]
    top = max(fixed, default=0)
    return count >= top if "$..." in sql else count == top


def instantiate(sql, args):
    """The template with the arguments put in; an argument that is not a plain name or literal gets parentheses."""
    fixed = [int(n) for n in re.findall(r"\$([1-9])", sql)]
    rest = ", ".join(args[max(fixed, default=0) :])
    if not rest:
        sql = re.sub(r",\s*\$\.\.\.", "", sql)
    sql = sql.replace("$...", rest)
    plain = re.compile(r"[A-Za-z_][A-Za-z_0-9.]*|[0-9.]+|'[^']*'")
    def put(match):
        arg = args[int(match[1]) - 1]
        return arg if plain.fullmatch(arg) else f"({arg})"
    return re.sub(r"\$([1-9])", put, sql)


def closure(names, macros, seen=None):
    """The macros with what they need before them."""
    seen = [] if seen is None else seen
    for name in names:
        if name not in seen:
            closure(macros[name][0], macros, seen)
            seen.append(name)
    return seen


def connect():
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'Asia/Kolkata'")  # no result may depend on the zone of the session
    return connection


def with_macros(entry, macros):
    connection = connect()
    for name in closure(entry.get("macros", []), macros):
        connection.execute(macros[name][1])
    return connection


def sql_types(connection, expressions, source=""):
    if not expressions:
        return []
    columns = ", ".join(f"({e}) AS c{i}" for i, e in enumerate(expressions))
    return [row[1] for row in connection.execute(f"DESCRIBE SELECT {columns} {source}").fetchall()]


def value_of(cell, sql_type):
    if cell is not None and sql_type == "JSON":
        return json.loads(cell)
    return cell


def same(a, b, near, any_order=False):
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        if math.isnan(a) or math.isnan(b):
            return math.isnan(a) and math.isnan(b)
        return a == b or abs(a - b) <= near * max(1.0, abs(a), abs(b))
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        if any_order:
            a, b = sorted(a, key=json.dumps), sorted(b, key=json.dumps)
        return len(a) == len(b) and all(same(x, y, near) for x, y in zip(a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k], near) for k in a)
    return type(a) is type(b) and a == b


def check_case(case, overloads, macros):
    """None, or what is wrong."""
    kind = "aggregate" if "rows" in case else "function"
    entries = overloads.get((kind, case["fn"]))
    if not entries:
        return "not in functions.toml"
    rows = case.get("rows") or [case["args"]]
    plain = connect()
    types = case.get("types") or [IR_TYPE.get(t, t) for t in sql_types(plain, rows[0])]
    entry = choose(entries, types)
    if not entry:
        return f"no overload for {types}"
    connection = with_macros(entry, macros)
    wanted_type = sql_types(connection, [case["is"]])[0]
    wanted = value_of(connection.execute("SELECT " + case["is"]).fetchone()[0], wanted_type)
    forms = []
    if kind == "function":
        forms.append(("constants", instantiate(entry["sql"], rows[0]), ""))
    names = [f"a{i}" for i in range(len(rows[0]))]
    # Two rows: a macro that looks at other rows than its own, or a fixed row, shows.
    selects = " UNION ALL ".join("SELECT " + ", ".join(f"({v}) AS a{i}" for i, v in enumerate(r)) for r in rows) if names else "SELECT 1"
    if kind == "function" and names:
        selects += " UNION ALL " + "SELECT " + ", ".join("NULL" for _ in names)
    connection.execute(f"CREATE TEMP TABLE cases AS {selects}")
    # An argument that the template needs as a constant (a date part, a bucket) is given as one in both forms.
    given = [rows[0][i] if i in case.get("constant", []) else n for i, n in enumerate(names)]
    forms.append(("columns", instantiate(entry["sql"], given), "FROM cases"))
    for form, sql, source in forms:
        sql_type = sql_types(connection, [sql], source)[0]
        if sql_type != wanted_type and wanted is not None and "NULL" not in (sql_type, wanted_type):
            return f"{form}: type {sql_type}, expected {wanted_type}"
        got = value_of(connection.execute(f"SELECT {sql} {source}").fetchone()[0], sql_type)
        if not same(got, wanted, case.get("near", 1e-9), case.get("any_order", False)):
            return f"{form}: {got!r}, expected {wanted!r}"
    return None


def check_macro_files(macros, overloads):
    """Faults of the files themselves: undeclared needs, names of parameters that two macros share."""
    faults = []
    used_by = {}
    for name, (needs, text) in macros.items():
        body = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
        head = re.match(r"\s*CREATE OR REPLACE TEMP MACRO ([a-z0-9_]+)\(", body)
        if not head or head[1] != name:
            faults.append(f"macros/{name}.sql: does not open with CREATE OR REPLACE TEMP MACRO {name}(")
        called = {other for other in macros if other != name and re.search(rf"\b{other}\(", body)}
        if called != set(needs):
            faults.append(f"macros/{name}.sql: needs {sorted(needs)}, calls {sorted(called)}")
        # A macro is put in as text: a lambda's parameter that is also one of a macro it is used with would capture it.
        for found in re.findall(r"\blambda ([a-z0-9_, ]+):", body):
            for parameter in found.split(","):
                parameter = parameter.strip()
                if not parameter.endswith("_"):
                    faults.append(f"macros/{name}.sql: lambda parameter {parameter} has no trailing underscore")
                other = used_by.setdefault(parameter, name)
                if other != name:
                    faults.append(f"macros/{name}.sql: lambda parameter {parameter} is also one of {other}")
    listed = set()
    for entries in overloads.values():
        for entry in entries:
            called = {m for m in macros if re.search(rf"\b{m}\(", entry["sql"])}
            if called != set(entry.get("macros", [])):
                faults.append(f"functions.toml: {entry['name']} lists {entry.get('macros', [])}, calls {sorted(called)}")
            listed |= called
            if entry.get("nulls") not in ("strict", "never", "custom"):
                faults.append(f"functions.toml: {entry['name']} has no `nulls`")
    used = set(closure(sorted(listed), macros))
    faults += [f"macros/{name}.sql: nothing uses it" for name in macros if name not in used]
    connection = connect()
    builtin = {row[0] for row in connection.execute("SELECT function_name FROM duckdb_functions()").fetchall()}
    faults += [f"macros/{name}.sql: DuckDB has a function of that name" for name in macros if name in builtin]
    return faults


def main():
    overloads, macros = load()
    faults = check_macro_files(macros, overloads)
    cases = [json.loads(line) for line in (HERE / "duckdb_macros.jsonl").read_text().splitlines() if line.strip()]
    for number, case in enumerate(cases, 1):
        try:
            wrong = check_case(case, overloads, macros)
        except (duckdb.Error, KeyError, ValueError) as error:
            wrong = f"{type(error).__name__}: {str(error)[:300]}"
        if wrong:
            faults.append(f"case {number}: {case['fn']}({', '.join(map(str, case.get('args', case.get('rows'))))}): {wrong}")
    tested = {case["fn"] for case in cases}
    untested = sorted({name for _, name in overloads} - tested)
    for fault in faults:
        print(fault)
    print(f"{len(overloads)} functions, {sum(map(len, overloads.values()))} overloads, {len(macros)} macros, {len(cases)} cases, {len(faults)} faults")
    if untested:
        print("without a case:", " ".join(untested))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
