"""Compares the output columns of the KQL lift with those of Microsoft's binder, over the corpus.

    python3 kql_columns.py CORPUS_FOLDER ORACLE_FOLDER LIFT_CORPUS_PROGRAM

CORPUS_FOLDER holds corpus/ and reference/; ORACLE_FOLDER is tools/kql-oracle after `npm ci`; the program is the example
`lift_corpus` of ruleferry-kql. Queries that the binder finds errors in, or whose columns it leaves open, are not compared.
Known differences, which are left: the binder numbers `ColumnN` over the whole query, gives `scan` a `match_id` and lets
`parse` into an existing column make a second one of the same name; a union of three or more inputs whose first two agree
on a type keeps that type there.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

CORPUS, ORACLE, LIFT = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
QUERIES = CORPUS / "corpus/kql/dev.jsonl"


def schemas():
    """The schema data, once with the workspace tables first and once with those of Defender."""
    folder = CORPUS / "reference/schemas"
    load = lambda name: json.loads((folder / name).read_text())
    standard = load("sources.json")["standard_columns"]
    workspace = {t: {**c, **{k: v for k, v in standard.items() if k not in c}} for t, c in load("log-analytics.json").items() if isinstance(c, dict)}
    defender = {t: c for t, c in load("defender-xdr.json").items() if isinstance(c, dict)}
    return {False: {**defender, **workspace}, True: {**workspace, **defender}}


def bound(cases):
    """What the binder says of each query."""
    verdicts = {}
    for defender, schema in schemas().items():
        part = [c for c in cases if uses_defender(c["query"]) == defender]
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(schema, file)
            file.flush()
            lines = "\n".join(json.dumps({"id": c["id"], "query": c["query"]}) for c in part)
            script = Path(__file__).with_name("kql_columns.js")
            done = subprocess.run(["node", script, ORACLE, file.name], input=lines, capture_output=True, text=True, check=True)
        verdicts.update((v["id"], v) for v in map(json.loads, done.stdout.splitlines()))
    return verdicts


def uses_defender(query):
    text = re.sub(r"//[^\n]*", "", query)
    return bool(re.search(r"\bTimestamp\b", text)) and not re.search(r"\bTimeGenerated\b", text)


def main():
    cases = [c for c in map(json.loads, QUERIES.open(encoding="utf-8")) if c["syntax_ok"] and c["has_query"]]
    lifted = subprocess.run([LIFT, QUERIES, "--columns"], capture_output=True, text=True, check=True).stdout
    ours = {r["id"]: r["columns"] for r in map(json.loads, lifted.splitlines())}
    same = skipped = 0
    for id, verdict in bound(cases).items():
        if verdict["errors"] or verdict["open"] or verdict["columns"] is None or ours[id] is None:
            skipped += 1
        elif verdict["columns"] == ours[id]:
            same += 1
        else:
            theirs = [c for c in verdict["columns"] if c not in ours[id]]
            mine = [c for c in ours[id] if c not in verdict["columns"]]
            print(f"{id}: kusto {theirs[:5]} here {mine[:5]}")
    print(f"{same} the same, {len(cases) - same - skipped} different, {skipped} not compared")


main()
