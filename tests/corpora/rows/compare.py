"""The rows part: converts queries, runs the SQL on DuckDB over random events, and compares with the interpreter's rows."""

import json
import math
import os
import random
import re
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import sexpr  # noqa: E402
from common import CORPUS, Clock, Snapshot, duckdb, records, ruleferry, short  # noqa: E402

from . import column_names, create_table, generate, quoted  # noqa: E402
from .scalar import Scope  # noqa: E402
from .tabular import Table, World, evaluate, let  # noqa: E402
from .values import (  # noqa: E402
    DAY, HOUR, SECOND, Ambiguous, Nothing, Unsupported, datetime_text, empty_of, json_text, parse_datetime, parse_timespan, timespan_text,
)

NOW_TEXT = "2026-03-18T14:25:36Z"
NOW = parse_datetime(NOW_TEXT)
SEED = 20260318
# Rows a table, share of rows drawn to hit, size of the pools of names.
DATA_SETS = ((14, 0.7, 3), (5, 0.9, 2), (40, 0.9, 2), (3, 1.0, 1), (30, 0.5, 4), (80, 0.97, 1))
SETS_WITH_ROWS = 2
WANTED = 100
# How many queries of the random order are looked at; all with ROWS_ALL=1, which takes some minutes.
LOOKED_AT = 500
TIME_LIMIT_ROWS = 20_000


class Schemas:
    """Tables and columns of the reference data, read here on our own."""

    def __init__(self):
        base = CORPUS / "reference/schemas"
        load = lambda name: json.loads((base / name).read_text(encoding="utf-8"))  # noqa: E731
        self.workspace, self.defender = load("log-analytics.json"), load("defender-xdr.json")
        self.standard = load("sources.json").get("standard_columns", {})

    def columns(self, table, query, extra):
        """(name, type) of a table's columns; `extra` are those that the conversion inferred, used where there is no schema."""
        defender = table in self.defender and (
            table not in self.workspace or re.search(r"\bTimestamp\d*\b", query) and not re.search(r"\bTimeGenerated\d*\b", query)
        )
        known = self.defender.get(table) if defender else self.workspace.get(table)
        found = {n: t for n, t in (known or {}).items() if isinstance(t, str)}
        if known is not None and not defender:
            found.update({n: t for n, t in self.standard_columns().items() if n not in found})
        if known is None or known.get("_open") is True:
            for name, ty in extra.items():
                found.setdefault(name, ty)
        return list(found.items())

    def standard_columns(self):
        standard = self.standard
        return {n: t for n, t in standard.items()} if isinstance(standard, dict) else {}


def body(query):
    """A query without the comment lines at its head, which may hold a look-back for the rule's envelope."""
    lines = query.splitlines()
    while lines and (not lines[0].strip() or lines[0].strip().startswith("//")):
        lines.pop(0)
    return "\n".join(lines) + "\n"


def run_query(tree, world):
    """The rows of the last query statement."""
    statements = sexpr.elements(sexpr.nodes(tree)[1])
    scope, result = Scope(world), None
    for statement in statements:
        if sexpr.kind(statement) == "ExpressionStatement":
            if result is not None:
                raise Unsupported("several query statements")
            result = evaluate(sexpr.nodes(statement)[0], scope)
        else:
            let(statement, scope)
    if result is None:
        raise Unsupported("no query")
    return result


def literal(value, ty):
    """A value as DuckDB's SQL."""
    if value is None or value == "" and ty == "string":
        return "NULL"
    text = {
        "datetime": lambda v: datetime_text(v)[:-2],
        "timespan": _interval,
        "dynamic": json_text,
        "bool": lambda v: "true" if v else "false",
    }.get(ty, str)(value)
    if ty in ("int", "long", "real", "decimal", "bool"):
        return text
    return "'" + text.replace("'", "''") + "'"


def _interval(ticks):
    return f"{ticks // 10} microseconds"


def setup(tables):
    """CREATE TABLE and INSERT of a data set. An empty text goes in as NULL or as '', in turn: both are KQL's ''."""
    lines = []
    for name, table in tables.items():
        columns = dict(table.columns)
        lines.append(create_table(name, columns))
        names = column_names(columns)
        filled = [n for n, (c, _) in enumerate(table.columns) if any(r[n] not in (None, "") for r in table.rows)]
        if not filled or not table.rows:
            if table.rows:
                lines.append(f"INSERT INTO {quoted(name)} ({quoted(names[table.columns[0][0]])}) VALUES " + ", ".join("(NULL)" for _ in table.rows) + ";")
            continue
        rows = []
        for number, row in enumerate(table.rows):
            cells = [_cell(row[n], table.columns[n][1], number) for n in filled]
            rows.append(f"({', '.join(cells)})")
        listed = ", ".join(quoted(names[table.columns[n][0]]) for n in filled)
        lines.append(f"INSERT INTO {quoted(name)} ({listed}) VALUES {', '.join(rows)};")
    return "\n".join(lines)


def _cell(value, ty, number):
    return "''" if value == "" and ty == "string" and number % 2 else literal(value, ty)


# --- comparing


def canonical(value, ty, loose):
    """A value of the interpreter in the form that both sides are brought to."""
    if value is None or value == "":
        return ""
    if ty == "datetime":
        return datetime_text(value // 10 * 10)
    if ty == "timespan":
        return timespan_text(value // 10 * 10)
    if ty in ("real", "decimal"):
        return _rounded(value)
    if ty == "dynamic":
        return _json(value, loose)
    return _text(value, loose)


def _text(value, loose):
    """A text may be that of an array whose order is open: `tostring(make_set(x))`."""
    if loose and isinstance(value, str) and value[:1] in "[{":
        try:
            return json.dumps(_json(json.loads(value), loose), sort_keys=True)
        except ValueError:
            pass
    return value


def _rounded(value):
    value = float(value)
    if value != value or math.isinf(value):
        return str(value)
    return float(f"{value:.9g}")


def _json(value, loose):
    if isinstance(value, dict):
        return {k: _json(v, loose) for k, v in value.items()}
    if isinstance(value, list):
        items = [_json(v, loose) for v in value]
        return sorted(items, key=lambda v: json.dumps(v, sort_keys=True)) if loose else items
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return _rounded(value)
    if re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", value):
        return datetime_text(parse_datetime(value.replace(" ", "T")) // 10 * 10)
    return value


def theirs(value, ty, loose):
    """A value of DuckDB's row, given the type that it ought to have."""
    if value is None or value == "":
        return ""
    if ty == "datetime" and isinstance(value, str):
        ticks = parse_datetime(value)
        return value if ticks is None else datetime_text(ticks // 10 * 10)
    if ty == "timespan" and isinstance(value, str):
        ticks = parse_timespan(value)
        return value if ticks is None else timespan_text(ticks // 10 * 10)
    if ty in ("real", "decimal"):
        try:
            return _rounded(value)
        except (TypeError, ValueError):
            return value
    if ty == "dynamic":
        return _json(value, loose)
    return _text(value, loose)


def plain_column(name):
    return re.sub(r"__\d+$", "", name)


def difference(expected, verdict):
    """What differs between the interpreter's table and DuckDB's; None if nothing."""
    if not verdict["ok"]:
        return f"DuckDB fails: {short(verdict['error'], 160)}"
    columns = [plain_column(c["name"]) for c in verdict["columns"]]
    ours = expected.names()
    if sorted(columns) != sorted(ours):
        missing, extra = Counter(ours) - Counter(columns), Counter(columns) - Counter(ours)
        return f"columns: missing {sorted(missing)[:4]}, not expected {sorted(extra)[:4]}"
    at = [columns.index(n) for n in ours]
    for loose in (False, True):
        mine = Counter(json.dumps([canonical(v, t, loose) for v, (_, t) in zip(r, expected.columns)], sort_keys=True) for r in expected.rows)
        yours = Counter(
            json.dumps([theirs(r[i], t, loose) for i, (_, t) in zip(at, expected.columns)], sort_keys=True) for r in verdict["rows"]
        )
        if mine == yours:
            return None
    gone, new = list((mine - yours).elements()), list((yours - mine).elements())
    text = f"{len(expected.rows)} rows expected, {len(verdict['rows'])} found"
    if gone and new and len(gone) == len(new):
        a, b = json.loads(min(gone)), json.loads(min(new))
        cells = [f"{n}: {json.dumps(x)} became {json.dumps(y)}" for n, x, y in zip(ours, a, b) if x != y]
        text += "; " + "; ".join(cells[:3])
    return text


# --- the part


class Case:
    """One query with its data sets and what is expected of each."""

    def __init__(self, identity, query, record, tree):
        self.id, self.query, self.record, self.tree = identity, query, record, tree
        self.sets, self.why = [], None

    def build(self, schemas, table_names):
        needs = {n["name"]: n["columns"] for n in self.record["needs"] if n["kind"] == "table"}
        inputs = {(n["kind"], n["name"]): n["columns"] for n in self.record["needs"] if n["kind"] in ("external-data", "watchlist")}
        others = [n["kind"] for n in self.record["needs"] if n["kind"] not in ("table", "external-data", "watchlist")]
        if others:
            raise Unsupported(f"needs {others[0]}")
        tables = {}
        for name in {*table_names, *needs}:
            columns = schemas.columns(name, self.query, needs.get(name, {}))
            if columns:
                tables[name] = columns
        for (_, name), columns in inputs.items():
            if name in tables or not columns:
                raise Unsupported("an input named as a table, or without columns")
            tables[name] = list(columns.items())
        mentioned = set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", self.query)) | {"TimeGenerated", "Timestamp"}
        reasons = Counter()
        for number, (rows, hit, pool) in enumerate(DATA_SETS):
            rng = random.Random(f"{SEED}:{self.id}:{number}")
            world = World(NOW, {n: Table(c, []) for n, c in tables.items()}, inputs, let_names(self.tree))
            analysis = generate.Analysis(self.tree, world)
            drawer = generate.Drawer(analysis, rng, hit, pool)
            for name in sorted(tables):
                used = {c for c, _ in tables[name]} & mentioned
                world.tables[name] = Table(tables[name], generate.table(tables[name], used, drawer, rows))
            try:
                expected = run_query(self.tree, world)
            except Ambiguous as e:
                reasons[f"open: {e}"] += 1
                continue
            if len(expected.rows) <= TIME_LIMIT_ROWS:
                self.sets.append((number, world.tables, expected))
            if sum(bool(e.rows) for _, _, e in self.sets) >= SETS_WITH_ROWS:
                break
        # Sets that return rows say more than those that return none.
        self.sets.sort(key=lambda s: not s[2].rows)
        del self.sets[SETS_WITH_ROWS + 1 :]
        if not self.sets:
            raise Unsupported(reasons.most_common(1)[0][0] if reasons else "too many rows")


def let_names(tree):
    """The `let` in which each `externaldata` stands, by the node's identity."""
    found = {}
    for node in sexpr.walk(tree):
        if sexpr.kind(node) == "LetStatement":
            for inner in sexpr.walk(node):
                if sexpr.kind(inner) == "ExternalDataExpression":
                    found[id(inner)] = sexpr.plain_name(sexpr.nodes(node)[0])
    return found


def cases(run, order, by_id, trees, features, schemas, judged):
    """Builds the cases in the given order."""
    for i in order:
        case = Case(i, run.queries[i], by_id[i], sexpr.parse(trees[i]["tree"]))
        try:
            case.build(schemas, features[i])
        except Unsupported as e:
            case.why = str(e)
        except (KeyError, TypeError, IndexError, ValueError, RecursionError, AttributeError, OverflowError, StopIteration) as e:
            case.why = f"interpreter: {type(e).__name__}: {e}"
        yield case


def convert_bodies(run, wanted):
    """Converts the bare queries, with the time fixed: the look-back of an envelope is not under test here."""
    folder = run.folder / "rows"
    folder.mkdir()
    for i in wanted:
        (folder / f"{i}.kql").write_text(body(run.queries[i]), encoding="utf-8")
    found = records("convert", folder, "--to", "duckdb", "--no-validate", "--now", NOW_TEXT)
    return {Path(r["path"]).stem: r for r in found if r["status"] in ("converted", "unproved")}


def table_names(tree):
    """Names that the query may use as tables."""
    return {n for node in sexpr.walk(tree) if sexpr.kind(node) == "NameReference" and (n := sexpr.plain_name(node))}


def figures(run):
    sys.setrecursionlimit(20_000)
    snap = Snapshot("rows")
    trees = run.source_trees()
    by_id = convert_bodies(run, run.queries)
    schemas = Schemas()
    known = {*schemas.workspace, *schemas.defender}
    order = sorted(by_id)
    random.Random(SEED).shuffle(order)
    if os.environ.get("ROWS_ALL") != "1":
        order = order[: int(os.environ.get("ROWS_COUNT", LOOKED_AT))]
    names = {i: {n for n in table_names(sexpr.parse(trees[i]["tree"])) if n in known} for i in order}
    clock = Clock()
    built = list(cases(run, order, by_id, trees, names, schemas, WANTED))
    clock.lap("rows worked out")
    scripts = {
        f"{c.id}#{number}": (by_id[c.id]["files"][0]["text"], setup(tables))
        for c in built if c.why is None for number, tables, _ in c.sets
    }
    verdicts = duckdb(scripts, run=True)
    clock.lap(f"{len(scripts)} scripts run")
    dump = os.environ.get("ROWS_DUMP")
    agreeing, with_rows, judged, first = 0, 0, 0, []
    reasons = Counter()
    for c in built:
        if c.why is not None:
            reasons[re.sub(r"`.*`", "`…`", c.why)] += 1
            continue
        judged += 1
        wrong = next(
            ((n, d, tables, expected) for n, tables, expected in c.sets if (d := difference(expected, verdicts[f"{c.id}#{n}"]))), None
        )
        rows = any(expected.rows for _, _, expected in c.sets)
        if wrong:
            snap.fail("rows differ", c.id, short(f"data set {wrong[0]}: {wrong[1]}", 200))
            if dump:
                write_dump(Path(dump), c, wrong, verdicts[f"{c.id}#{wrong[0]}"], scripts[f"{c.id}#{wrong[0]}"])
        else:
            agreeing += 1
            with_rows += rows
        if rows and len(first) < WANTED:
            first.append(not wrong)
    snap.count(f"the first {WANTED} judged queries in the order of seed {SEED} that return rows: right", sum(first), len(first))
    snap.count("queries judged: right", agreeing, judged)
    snap.count("of the right ones, with rows returned", with_rows, agreeing)
    snap.count("converted queries that the interpreter judges", judged, len(built))
    if dump:
        for why, n in reasons.most_common(60):
            print(f"   not judged {n}: {why}")
    return snap


def write_dump(folder, case, wrong, verdict, script):
    """All of a disagreement, for people: query, data, both answers, SQL."""
    folder.mkdir(parents=True, exist_ok=True)
    number, why, tables, expected = wrong
    parts = [f"-- {case.id} data set {number}: {why}", "/* KQL", case.query, "*/", "-- expected", json.dumps(expected.columns)]
    parts += [json.dumps([canonical(v, t, True) for v, (_, t) in zip(r, expected.columns)]) for r in expected.rows[:20]]
    parts += ["-- found", json.dumps(verdict.get("columns")), *(json.dumps(r) for r in (verdict.get("rows") or [])[:20]), verdict.get("error") or ""]
    parts += ["-- SQL", script[0], "-- data", *(l if len(l) < 6000 else l[:6000] for l in script[1].splitlines() if l.startswith("INSERT"))]
    (folder / f"{case.id}.txt").write_text("\n".join(parts), encoding="utf-8")
