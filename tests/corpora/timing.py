"""How fast and how lean: whole processes over ten times the corpora, one rule from a cold start, peak memory.

A program of its own, `timing.py FOLDER VALUES`: what a parent has grown to counts as memory of the programs that it starts.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

BIN = os.environ["RULEFERRY_BIN"]
TIMES_OVER = 10
STARTS = 60


def run(arguments, out=subprocess.DEVNULL):
    """Seconds and peak memory in MB of one process."""
    start = time.perf_counter()
    process = subprocess.Popen([BIN, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1, 2):
        raise SystemExit(f"ruleferry {arguments}: exit status {process.returncode}")
    return seconds, usage.ru_maxrss / 1024


def best(arguments, times=2):
    found = [run(arguments) for _ in range(times)]
    return min(s for s, _ in found), max(m for _, m in found)


def multiplied(folder, name):
    target = folder / f"{name}-times-{TIMES_OVER}"
    for n in range(TIMES_OVER):
        shutil.copytree(folder / name, target / str(n))
    return target, sum(len(files) for _, _, files in os.walk(target))


def figures(folder, values):
    sigma, sigma_count = multiplied(folder, "sigma")
    kql, kql_count = multiplied(folder, "kql")
    yaral, yaral_count = multiplied(folder, "yaral")
    plain = ["--no-validate", "--format", "json"]
    for label, source, count, target in (
        ("Sigma to KQL", sigma, sigma_count, "kql"),
        ("Sigma to DuckDB", sigma, sigma_count, "duckdb"),
        ("KQL to DuckDB", kql, kql_count, "duckdb"),
        ("KQL to KQL", kql, kql_count, "kql"),
        ("YARA-L to KQL", yaral, yaral_count, "kql"),
        ("YARA-L to DuckDB", yaral, yaral_count, "duckdb"),
    ):
        extra = ["--values", values] if source is sigma else []
        seconds, memory = best(["convert", source, "--to", target, *plain, *extra])
        yield f"{label}, JSON records: {count / seconds:,.0f} rules/s ({count} in {seconds:.2f} s), peak {memory:.0f} MB"
    for label, source, count, target in (("Sigma to KQL", sigma, sigma_count, "kql"), ("KQL to DuckDB", kql, kql_count, "duckdb")):
        out = folder / "timed"
        seconds, memory = run(["convert", source, "--to", target, "--no-validate", "-o", out])
        shutil.rmtree(out, ignore_errors=True)
        yield f"{label}, written as files: {count / seconds:,.0f} rules/s, peak {memory:.0f} MB"
    for label, name, target in (("KQL to DuckDB", "kql", "duckdb"), ("Sigma to KQL", "sigma", "kql")):
        seconds, memory = best(["convert", folder / name, "--to", target, *plain])
        yield f"{label}, the corpus once: peak {memory:.0f} MB"
    one_sigma = next(p for p in sorted((folder / "sigma/rules").rglob("*.yml")))
    one_kql = next(p for p in sorted((folder / "kql").glob("*.kql")))
    for label, path, target in (("Sigma rule to KQL", one_sigma, "kql"), ("KQL query to DuckDB", one_kql, "duckdb")):
        seconds = sorted(run(["convert", path, "--to", target])[0] for _ in range(STARTS))
        yield f"one {label}, cold start: median {1000 * statistics.median(seconds):.1f} ms, best {1000 * seconds[0]:.1f} ms"


if __name__ == "__main__":
    for line in figures(Path(sys.argv[1]), sys.argv[2]):
        print(f"   {line}", flush=True)
