"""Reads a converted rule from stdin, makes its table and events, runs it with `duckdb-check` and prints the rows."""

import json
import subprocess
import sys
from pathlib import Path

ddl, events = sys.argv[1:]
setup = subprocess.run(["bash", "-c", ddl], check=True, capture_output=True, text=True).stdout + Path(events).read_text()
script = json.dumps({"id": 1, "sql": sys.stdin.read(), "setup": setup})
result = json.loads(subprocess.run(["duckdb-check", "--run"], input=script, capture_output=True, text=True).stdout)
if not result["ok"]:
    sys.exit(result["error"])
for row in result["rows"]:
    for column, value in zip(result["columns"], row):
        print(f"{column['name']:>13}: {value if isinstance(value, str) else json.dumps(value)}")
    print()
