"""Checks targets/duckdb/functions.toml and its macros on the real engine.

Reads the table of functions, the macro files and the cases of duckdb_macros.jsonl, builds each call as the SQL back end
does, and compares its value with that of the expected expression: once over constants, once over columns of a table.
Needs `pip install duckdb` (1.5). Prints one line for each failure; the exit status is 1 if there is one.

A case is one JSON object a line:
  {"fn": "substring", "args": ["'abc'", "1"], "is": "'bc'"}
`args` and `is` are DuckDB expressions; the IR types of the arguments follow from their SQL types, `types` overrides them.
For an aggregate `rows` takes the place of `args`: a list of argument lists, one a row.
`setup` are statements to run before the macros are defined (the tables that one reads).
`near` is a relative tolerance for numbers (default 1e-9); `any_order` compares arrays as bags.
"""

import json
import math
import pathlib
import random
import re
import sys
import tomllib

import duckdb
import series_reference

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


def with_macros(entry, macros, setup=()):
    connection = connect()
    for statement in setup:
        connection.execute(statement)
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


def parsed(cell):
    return json.loads(cell) if isinstance(cell, str) and cell[:1] in ("[", "{") else cell


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
        # A member of a STRUCT that is JSON comes as text.
        return a.keys() == b.keys() and all(same(parsed(a[k]), parsed(b[k]), near) for k in a)
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
    connection = with_macros(entry, macros, case.get("setup", []))
    wanted_type = sql_types(connection, [case["is"]])[0]
    wanted = value_of(connection.execute("SELECT " + case["is"]).fetchone()[0], wanted_type)
    forms = []
    if kind == "function":
        forms.append(("constants", instantiate(entry["sql"], rows[0]), ""))
    names = [f"a{i}" for i in range(len(rows[0]))]
    # Two rows: a macro that looks at other rows than its own, or a fixed row, shows.
    selects = " UNION ALL ".join("SELECT " + ", ".join(f"({v}) AS a{i}" for i, v in enumerate(r)) for r in rows) if names else " UNION ALL ".join("SELECT 1" for _ in rows)
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
    for entries in overloads.values():
        for entry in entries:
            called = {m for m in macros if re.search(rf"\b{m}\(", entry["sql"])}
            if called != set(entry.get("macros", [])):
                faults.append(f"functions.toml: {entry['name']} lists {entry.get('macros', [])}, calls {sorted(called)}")
            if entry.get("nulls") not in ("strict", "never", "custom"):
                faults.append(f"functions.toml: {entry['name']} has no `nulls`")
    connection = connect()
    builtin = {row[0] for row in connection.execute("SELECT function_name FROM duckdb_functions()").fetchall()}
    faults += [f"macros/{name}.sql: DuckDB has a function of that name" for name in macros if name in builtin]
    return faults


def generated_series():
    """Series of all shapes: with and without period, trend, noise, gaps, spikes; constant; short; empty."""
    dice = random.Random(20211)
    made = [[], [5.0], [1.0, 2.0], [3.0] * 20, [0.0] * 29 + [40.0], [None, 1.0, None, 4.0, 2.0, None]]
    for length in (7, 14, 24, 60, 168):
        for period in (0, 5, 7):
            for slope in (0.0, 0.3):
                values = [round(10 + slope * i + dice.random() * 2, 3) for i in range(length)]
                if period:
                    values = [v + 8 * (i % period in (1, 2)) for i, v in enumerate(values)]
                if dice.random() < 0.6:
                    values[dice.randrange(length)] += 30
                if dice.random() < 0.3:
                    values[dice.randrange(length)] = None
                made.append(values)
    return made


def check_series(overloads, macros):
    """The series functions over generated series against the independent implementation; all series in one statement."""
    reference = series_reference
    calls = [
        ("series_decompose_anomalies", [], lambda v: reference.anomalies(v)),
        ("series_decompose_anomalies", ["2.5", "-1", "'linefit'"], lambda v: reference.anomalies(v, 2.5, -1, "linefit")),
        ("series_decompose_anomalies", ["1.5", "7", "'linefit'", "2", "'tukey'"], lambda v: reference.anomalies(v, 1.5, 7, "linefit", 2, "tukey")),
        ("series_decompose_anomalies", ["1.5", "0", "'none'", "0", "'ctukey'", "0.3"], lambda v: reference.anomalies(v, 1.5, 0, "none", 0, "ctukey", 0.3)),
        ("series_decompose", ["-1", "'linefit'", "3", "0.4"], lambda v: reference.decompose(v, -1, "linefit", 3, 0.4)),
        ("series_decompose", ["5", "'avg'"], lambda v: reference.decompose(v, 5, "avg")),
        ("series_decompose_forecast", ["4"], lambda v: reference.decompose(v, -1, "linefit", 4)),
        ("series_outliers", [], lambda v: reference.outliers(v)),
        ("series_outliers", ["'ctukey'", "0.0", "5.0", "80.0"],
            lambda v: reference.outliers([None if x == 0 else x for x in v], "ctukey", 5, 80)),
        ("series_periods_detect", ["0.0", "30.0", "2"], lambda v: reference.periods(v, 0, 30, 2)),
        ("series_fit_line", [], lambda v: reference.line(v) if len(reference.known(v)) > 1 else None),
        ("series_fit_2lines", [], lambda v: reference.two_lines(v) if len(v) > 4 and None not in v else None),
    ]
    faults = []
    series = generated_series()
    for name, arguments, expected in calls:
        types = ["dynamic"] + [IR_TYPE.get(t, t) for t in sql_types(connect(), arguments)]
        types = ["real" if t.startswith("DECIMAL") else t for t in types]
        entry = choose(overloads[("function", name)], types)
        if not entry:
            faults.append(f"{name}: no overload for {types}")
            continue
        connection = with_macros(entry, macros)
        connection.execute("CREATE TEMP TABLE given (place INTEGER, y JSON)")
        connection.executemany("INSERT INTO given VALUES (?, ?)", [(i, json.dumps(v)) for i, v in enumerate(series)])
        rows = connection.execute(f"SELECT {instantiate(entry['sql'], ['y'] + arguments)} FROM given ORDER BY place").fetchall()
        for values, (got,) in zip(series, rows):
            wanted = expected(values)
            if wanted is None:
                continue
            if name == "series_outliers":
                got, wanted = json.loads(got), list(wanted)
            elif name == "series_fit_2lines":
                total = sum((v - sum(values) / len(values)) ** 2 for v in values)
                got, wanted = [(1 - got["rsquare"]) * total, got["split_idx"]], list(wanted)
            else:
                got = [json.loads(v) if isinstance(v, str) else v for v in got.values()]
                wanted = [list(v) if isinstance(v, (list, tuple)) else v for v in wanted]
            if not same(got, wanted, 1e-6):
                faults.append(f"{name}({values}, {', '.join(arguments)}): {got}, expected {wanted}"[:600])
    return faults, len(calls) * len(series), {name for name, _, _ in calls}


def main():
    overloads, macros = load()
    faults = check_macro_files(macros, overloads)
    cases = [json.loads(line) for line in (HERE / "duckdb_macros.jsonl").read_text().splitlines() if line.strip()]
    series_faults, compared, by_reference = check_series(overloads, macros)
    faults += series_faults
    for number, case in enumerate(cases, 1):
        try:
            wrong = check_case(case, overloads, macros)
        except (duckdb.Error, KeyError, ValueError) as error:
            wrong = f"{type(error).__name__}: {str(error)[:300]}"
        if wrong:
            faults.append(f"case {number}: {case['fn']}({', '.join(map(str, case.get('args', case.get('rows'))))}): {wrong}")
    tested = {case["fn"] for case in cases} | by_reference
    untested = sorted({name for _, name in overloads} - tested)
    for fault in faults:
        print(fault)
    print(f"{len(overloads)} functions, {sum(map(len, overloads.values()))} overloads, {len(macros)} macros, {len(cases)} cases, {compared} series compared, {len(faults)} faults")
    if untested:
        print("without a case:", " ".join(untested))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
