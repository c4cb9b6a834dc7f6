"""What the corpus run's parts share: where things are, running programs, Microsoft's parser, DuckDB, snapshots."""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORPUS = Path(os.environ["RULEFERRY_CORPUS"])
CACHE = Path(os.environ["CORPORA_CACHE"])
BIN = os.environ["RULEFERRY_BIN"]
DUCKDB_CHECK = os.environ["DUCKDB_CHECK_BIN"]
ORACLE = os.environ["KQL_ORACLE"]
JOBS = os.cpu_count() or 2


class Failed(Exception):
    """The run cannot go on: a program is broken, not a rule."""


def ruleferry(*arguments, ok=(0, 1, 2), stdin=None):
    """Runs the program under test. Returns stdout as text; a crash or an unexpected exit status ends the run."""
    done = subprocess.run([BIN, *map(str, arguments)], stdin=stdin or subprocess.DEVNULL, capture_output=True)
    if done.returncode not in ok:
        tail = done.stderr.decode("utf-8", "replace")[-2000:]
        raise Failed(f"ruleferry {' '.join(map(str, arguments))}: exit status {done.returncode}\n{tail}")
    return done.stdout.decode("utf-8")


def records(*arguments):
    """The JSON records of a command, one a line."""
    return [json.loads(line) for line in ruleferry(*arguments, "--format", "json").splitlines() if line.strip()]


def oracle(queries, *flags):
    """Asks Microsoft's parser. In: {id: query}. Out: {id: verdict}. Several processes, each with its share."""
    items = [json.dumps({"id": i, "query": q}) for i, q in queries.items()]
    share = -(-len(items) // JOBS) or 1
    # The oracle writes synchronously and gives up on a full pipe, so it writes to a file.
    def ask(part):
        with tempfile.TemporaryFile() as out:
            done = subprocess.run(["node", ORACLE, *flags], input="\n".join(part).encode(), stdout=out, stderr=subprocess.PIPE)
            if done.returncode not in (0, 1):
                raise Failed(f"kql-oracle: {done.stderr.decode()[-1000:]}")
            out.seek(0)
            return [json.loads(line) for line in out]
    with ThreadPoolExecutor(JOBS) as pool:
        parts = pool.map(ask, [items[i : i + share] for i in range(0, len(items), share)])
        return {verdict["id"]: verdict for part in parts for verdict in part}


def duckdb(scripts, ddl=None, run=False, timeout=30):
    """Prepares (or runs) SQL on DuckDB. In: {id: (sql, setup)}. Out: {id: verdict}."""
    lines = [json.dumps({"id": i, "sql": sql, "setup": setup}) for i, (sql, setup) in scripts.items()]
    # Neighbours are alike in cost; dealt out in turn, the threads end together.
    lines = [line for start in range(JOBS) for line in lines[start::JOBS]]
    command = [DUCKDB_CHECK, "--jobs", str(JOBS), "--timeout", str(timeout)]
    command += ["--run"] if run else []
    command += ["--ddl", str(ddl)] if ddl else []
    done = subprocess.run(command, input="\n".join(lines).encode(), capture_output=True)
    if done.returncode not in (0, 2):
        raise Failed(f"duckdb-check: {done.stderr.decode()[-2000:]}")
    return {v["id"]: v for v in map(json.loads, done.stdout.splitlines())}


def short(text, limit=100):
    """One line of a message, without the user's text in it where that is long."""
    line = " ".join(text.split())
    line = re.sub(r"`[^`]{25,}`", "`…`", line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def reason(record):
    """Why a record is refused or invalid: the code and message of its first error, or its first loss."""
    found = [d for d in record["diagnostics"] if d["severity"] == "error"] or record["diagnostics"]
    if found:
        return f"{found[0]['code']} {short(found[0]['message'])}"
    if record.get("losses"):
        return f"{record['losses'][0]['code']} {short(record['losses'][0]['detail'])}"
    return "no reason given"


class Snapshot:
    """Counts and failures of one part, compared with a committed file."""

    def __init__(self, name):
        self.path = HERE / f"{name}.snap"
        self.counts = []
        self.failures = {}

    def count(self, label, value, of=None):
        self.counts.append((label, value, of))

    def fail(self, heading, identity, why):
        self.failures.setdefault(heading, []).append(f"{identity}: {why}")

    def text(self):
        lines = []
        for label, value, of in self.counts:
            share = f" of {of} ({100 * value / of:.2f} %)" if of else ""
            lines.append(f"{label}: {value}{share}")
        for heading, failures in self.failures.items():
            lines += ["", f"== {heading} ({len(failures)})"] + sorted(failures)
        return "\n".join(lines) + "\n"

    def finish(self):
        """Prints the counts; returns whether they are the committed ones."""
        text = self.text()
        print(f"\n-- {self.path.stem}")
        for line in text.split("\n\n== ")[0].splitlines():
            print(f"   {line}")
        committed = self.path.read_text() if self.path.exists() else None
        if text == committed:
            return True
        if os.environ.get("UPDATE") == "1":
            self.path.write_text(text)
            return True
        import difflib

        before = (committed or "").splitlines()
        for line in list(difflib.unified_diff(before, text.splitlines(), str(self.path), "this run", lineterm="", n=0))[:60]:
            print(f"   {line}")
        print(f"   differs from {self.path.name}; UPDATE=1 accepts it")
        return False


class Clock:
    """Says how long each part took; never part of a snapshot."""

    def __init__(self):
        self.start = self.last = time.monotonic()

    def lap(self, label):
        now = time.monotonic()
        print(f"   [{label}: {now - self.last:.1f} s, {now - self.start:.0f} s in all]", flush=True)
        self.last = now


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def say(text):
    print(text, flush=True)
    sys.stdout.flush()
