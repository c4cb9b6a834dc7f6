"""The corpus run: figures over the corpora, compared with the committed snapshots. Started by run.sh.

Arguments name parts to run: kql kql-to-duckdb kql-to-sigma sigma sigma-to-kql sigma-to-duckdb sigma-to-yaral kql-to-yaral yaral validated rows speed. None means all.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import prepare
import rows
import same
import simple_kql
import windowed_kql
from common import CORPUS, HERE, Clock, Failed, Snapshot, duckdb, oracle, reason, records, ruleferry, say, short

VALUES = HERE / "values.yaml"
UNSUPPORTED = "unsupported/"
# Codes of what is wrong with the text itself, as opposed to what it means: files, KQL syntax.
SYNTAX = ("E00", "E01")


class Run:
    """What the parts share; made once, when first asked for."""

    def __init__(self, folder):
        self.folder = folder
        self.accepted, self.rejected = prepare.kql(folder)
        self.sigma_paths = prepare.sigma(folder)
        self.yaral_paths = prepare.yaral(folder)
        self.queries = {i: e["query"] for i, e in self.accepted.items() if e["has_query"]}
        self._made = {}

    def once(self, key, make):
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def source_trees(self):
        """Microsoft's parser on the corpus as it is, with trees."""
        return self.once("trees", lambda: oracle({i: e["query"] for i, e in self.accepted.items()}, "--tree"))

    def kql_to_duckdb(self):
        make = lambda: records("convert", self.folder / "kql", "--to", "duckdb", "--no-validate")
        return self.once("duckdb", lambda: {Path(r["path"]).stem: r for r in make()})

    def ddl(self):
        def make():
            path = self.folder / "tables.sql"
            path.write_text(ruleferry("targets", "duckdb", "--ddl"), encoding="utf-8")
            return path

        return self.once("ddl", make)


def stem(record):
    """The corpus id of a KQL record: the file name without `.kql` or `.yaml` (ids hold dots themselves)."""
    return Path(record["path"]).stem


def kql(run):
    snap = Snapshot("kql")
    checked = {stem(r): r for r in records("check", run.folder / "kql")}
    wrong = {i: [d for d in r["diagnostics"] if d["severity"] == "error"] for i, r in checked.items()}
    faulty = {i for i, found in wrong.items() if any(d["code"].startswith(SYNTAX) for d in found)}
    snap.count("KQL parsed without error, of those that Microsoft's parser accepts", len(checked) - len(faulty), len(run.accepted))
    for i in faulty:
        snap.fail("not parsed", i, reason(checked[i]))
    for i, found in wrong.items():
        if found and i not in faulty:
            snap.fail("parsed, with an error in what the text means", i, f"{found[0]['code']} {short(found[0]['message'])}")
    for i in set(run.accepted) - set(checked):
        snap.fail("without a record", i, "missing in the output of check")

    refused = {stem(r) for r in records("check", run.folder / "rejected") if any(d["severity"] == "error" for d in r["diagnostics"])}
    snap.count("KQL that Microsoft's parser rejects, rejected by us too", len(refused), len(run.rejected))
    for i in set(run.rejected) - refused:
        snap.fail("accepted by us alone", i, "no error")

    lifted = 0
    for i in run.queries:
        r = checked.get(i)
        if r and r["lifted"] and r["opaque"] == 0:
            lifted += 1
        elif r and i not in faulty:
            warned = next((d for d in r["diagnostics"]), None)
            snap.fail("not lifted, or with opaque nodes", i, f"opaque {r['opaque']}: " + (f"{warned['code']} {short(warned['message'])}" if warned else "no diagnostic"))
    snap.count("KQL lifted without an opaque node", lifted, len(run.queries))

    formatted(run, snap)
    converted = {stem(r): r for r in records("convert", run.folder / "kql", "--to", "kql")}
    emitted_kql(snap, "KQL to KQL", {i: converted.get(i) for i in run.accepted}, run.queries)
    equal = [i for i in run.accepted if (converted.get(i) or {}).get("verdict") and converted[i]["verdict"]["relation"] == "equivalent"]
    snap.count("KQL to KQL, its own verdict: equivalent", len(equal), len(run.accepted))
    return snap


def formatted(run, snap):
    """`fmt` prints from the tree alone: Microsoft's parser must see the tree of the source again; and once more changes nothing."""
    folder = run.folder / "formatted"
    shutil.copytree(run.folder / "kql", folder)
    ruleferry("fmt", folder)
    files = {p.stem: p for p in folder.iterdir()}
    after = oracle({i: prepare.query_of(files[i]) for i in run.accepted}, "--tree")
    good = 0
    for i in run.accepted:
        if not after[i]["ok"]:
            snap.fail("fmt: not accepted by Microsoft's parser", i, short(after[i]["errors"][0]["message"]))
        elif difference := same.trees(run.source_trees()[i]["tree"], after[i]["tree"]):
            snap.fail("fmt: another tree", i, short(difference))
        else:
            good += 1
    snap.count("KQL formatted, the same tree by Microsoft's parser", good, len(run.accepted))
    again = run.folder / "formatted-again"
    shutil.copytree(folder, again)
    ruleferry("fmt", again)
    stable = [i for i in run.accepted if files[i].read_bytes() == (again / files[i].name).read_bytes()]
    for i in set(run.accepted) - set(stable):
        snap.fail("fmt: changes its own output", i, "differs")
    snap.count("KQL formatted, unchanged by formatting it again", len(stable), len(run.accepted))


def emitted_kql(snap, label, by_id, with_query=None):
    """Counts what was emitted and what of it Microsoft's parser accepts."""
    texts = {}
    for i, r in by_id.items():
        if r and r["files"]:
            texts[i] = r["files"][0]["text"]
        else:
            snap.fail(f"{label}: not emitted", i, f"{r['status']}: {reason(r)}" if r else "no record")
    snap.count(f"{label}: emitted", len(texts), len(by_id))
    verdicts = oracle(texts)
    good = 0
    for i, v in verdicts.items():
        if not v["ok"]:
            snap.fail(f"{label}: not accepted", i, short(v["errors"][0]["message"]))
        elif not v["has_query"] and (with_query is None or i in with_query):
            snap.fail(f"{label}: not accepted", i, "no query statement")
        else:
            good += 1
    snap.count(f"{label}: accepted by Microsoft's parser", good, len(by_id))


def setup_of(record, have):
    """DDL of what a record needs beyond the schemas: whole tables, and columns of tables that are known."""
    lines = []
    for need in record["needs"]:
        known = have.get(need["name"].lower())
        if known is None:
            lines.append(rows.create_table(need["name"], need["columns"]))
        else:
            missing = {c: t for c, t in need["columns"].items() if c.lower() not in known}
            lines += [rows.add_column(need["name"], c, t) for c, t in missing.items()]
    return "\n".join(lines)


def prepared(run, snap, label, by_id, of):
    have = run.once("columns", lambda: rows.ddl_columns(run.ddl()))
    scripts = {i: (r["files"][0]["text"], setup_of(r, have)) for i, r in by_id.items() if r["files"]}
    verdicts = duckdb(scripts, ddl=run.ddl())
    good = [i for i, v in verdicts.items() if v["ok"]]
    for i, v in verdicts.items():
        if not v["ok"]:
            snap.fail(f"{label}: not prepared by DuckDB", i, short(f"{v.get('class')}: {v['error']}"))
    snap.count(f"{label}: emitted", len(scripts), of)
    snap.count(f"{label}: of these prepared by DuckDB", len(good), len(scripts))
    return good


def kql_to_duckdb(run):
    snap = Snapshot("kql-to-duckdb")
    by_id = {i: r for i, r in run.kql_to_duckdb().items() if i in run.queries}
    counts = {}
    for i in run.queries:
        r = by_id.get(i)
        status = r["status"] if r else "missing"
        counts[status] = counts.get(status, 0) + 1
        if status != "converted":
            snap.fail("KQL to DuckDB: not converted", i, f"{status}: {reason(r) if r else 'no record'}")
    for status in ("converted", "unproved", "lossy", "refused", "invalid", "missing"):
        snap.count(f"KQL to DuckDB: {status}", counts.get(status, 0), len(run.queries))
    prepared(run, snap, "KQL to DuckDB", by_id, len(run.queries))
    return snap


def kql_to_sigma(run):
    snap = Snapshot("kql-to-sigma")
    picked = [i for i in run.queries if simple_kql.simple(run.source_trees()[i]["tree"])]
    converted = {stem(r): r for r in records("convert", run.folder / "kql", "--to", "sigma", "--no-validate")}
    good = 0
    for i in picked:
        r = converted.get(i)
        if r and r["status"] in ("converted", "unproved"):
            good += 1
        else:
            snap.fail("KQL to Sigma: picked, but not converted", i, f"{r['status']}: {reason(r)}" if r else "no record")
    snap.count("KQL to Sigma: one table, `where` of columns against constants, project, sort, take", good, len(picked))
    others = [converted[i] for i in run.queries if i in converted and i not in set(picked)]
    snap.count("KQL to Sigma: of the other queries converted", sum(r["status"] == "converted" for r in others), len(others))
    silent = [stem(r) for r in others if r["status"] == "refused" and not r["diagnostics"]]
    for i in silent:
        snap.fail("KQL to Sigma: refused without a reason", i, "no diagnostic")
    texts = {i: converted[i]["files"][0]["text"] for i in run.queries if converted.get(i, {}).get("files")}
    broken = {i: why for i, t in texts.items() if (why := same.sigma_fault(t))}
    for i, why in broken.items():
        snap.fail("KQL to Sigma: output is no Sigma rule", i, short(why))
    snap.count("KQL to Sigma: outputs that read as Sigma rules", len(texts) - len(broken), len(texts))
    return snap


def relative(run, record):
    return Path(record["path"]).relative_to(run.folder / "sigma").as_posix()


def sigma(run):
    snap = Snapshot("sigma")
    folder = run.folder / "sigma"
    converted = {relative(run, r): r for r in records("convert", folder, "--to", "sigma")}
    good = 0
    for path in run.sigma_paths:
        r = converted.get(path)
        if not r or not r["files"]:
            snap.fail("Sigma: not re-emitted", path, f"{r['status']}: {reason(r)}" if r else "no record")
            continue
        if lost := same.documents((folder / path).read_text(encoding="utf-8"), r["files"][0]["text"]):
            snap.fail("Sigma: something lost or changed", path, short(lost))
        else:
            good += 1
    snap.count("Sigma read and re-emitted with nothing lost, by an independent reader", good, len(run.sigma_paths))
    formatted_sigma(run, snap)
    return snap


def formatted_sigma(run, snap):
    """`fmt` keeps the comments as well."""
    folder = run.folder / "formatted-sigma"
    shutil.copytree(run.folder / "sigma", folder)
    ruleferry("fmt", folder)
    good = 0
    for path in run.sigma_paths:
        before, after = ((base / path).read_text(encoding="utf-8") for base in (run.folder / "sigma", folder))
        lost = same.documents(before, after) or same.comments(before, after)
        if lost:
            snap.fail("Sigma fmt: something lost or changed", path, short(lost))
        else:
            good += 1
    snap.count("Sigma formatted, documents and comments the same", good, len(run.sigma_paths))


def sigma_records(run, target):
    found = records("convert", run.folder / "sigma", "--to", target, "--values", VALUES, "--no-validate")
    by_path = {}
    for r in found:
        by_path.setdefault(relative(run, r), []).append(r)
    return by_path


def unsupported(run, snap, label, by_path):
    """The rules of Sigma's old forms are refused, and the reason is given."""
    paths = [p for p in run.sigma_paths if p.startswith(UNSUPPORTED)]
    good = 0
    for path in paths:
        found = by_path.get(path, [])
        told = [r for r in found if r["status"] == "refused" and any(d["severity"] == "error" for d in r["diagnostics"])]
        if told:
            good += 1
        else:
            snap.fail(f"{label}: unsupported, but not refused with a reason", path, ", ".join(r["status"] for r in found) or "no record")
    snap.count(f"{label}: rules of `unsupported` refused with the reason", good, len(paths))


def supported(run, by_path):
    """Records of the rules that must convert, by path; a file of several rules gives several."""
    out = {}
    for path in run.sigma_paths:
        if not path.startswith(UNSUPPORTED):
            found = by_path.get(path) or [None]
            out.update({path if len(found) == 1 else f"{path}#{n}": r for n, r in enumerate(found, 1)})
    return out


def sigma_to_kql(run):
    snap = Snapshot("sigma-to-kql")
    by_path = sigma_records(run, "kql")
    emitted_kql(snap, "Sigma to KQL", supported(run, by_path))
    unsupported(run, snap, "Sigma to KQL", by_path)
    return snap


def sigma_to_duckdb(run):
    snap = Snapshot("sigma-to-duckdb")
    by_path = sigma_records(run, "duckdb")
    wanted = supported(run, by_path)
    for path, r in wanted.items():
        if not r or not r["files"]:
            snap.fail("Sigma to DuckDB: not emitted", path, f"{r['status']}: {reason(r)}" if r else "no record")
    prepared(run, snap, "Sigma to DuckDB", {p: r for p, r in wanted.items() if r}, len(wanted))
    unsupported(run, snap, "Sigma to DuckDB", by_path)
    return snap


def below(run, source, record):
    return Path(record["path"]).relative_to(run.folder / source).as_posix()


def yaral(run):
    """YARA-L read, printed, lifted, and carried to KQL and SQL. A file holds one rule."""
    snap = Snapshot("yaral")
    folder = run.folder / "yaral"
    checked = {below(run, "yaral", r): r for r in records("check", folder)}
    converted = {below(run, "yaral", r): r for r in records("convert", folder, "--to", "yaral")}
    parsed = lifted = same_tree = 0
    current = [p for p in run.yaral_paths if "/community/" in f"/{p}"]
    for path in run.yaral_paths:
        r = checked.get(path)
        first = next((d for d in r["diagnostics"] if d["severity"] == "error" and d["code"].startswith("E10")), None) if r else None
        if r and not first:
            parsed += 1
        else:
            snap.fail("YARA-L: not parsed", path, f"{first['code']} {short(first['message'])}" if first else "no record")
        verdict = (converted.get(path) or {}).get("verdict")
        if verdict and verdict["relation"] == "equivalent":
            same_tree += 1
        else:
            snap.fail("YARA-L: printed, and another tree", path, verdict["relation"] if verdict else "no verdict")
    for path in run.yaral_paths:
        r = checked.get(path)
        if r and r["lifted"] and r["opaque"] == 0:
            lifted += path in current
        elif r:
            snap.fail("YARA-L: not lifted, or with opaque nodes", path, f"opaque {r['opaque']}: {reason(r)}")
    snap.count("YARA-L parsed", parsed, len(run.yaral_paths))
    snap.count("YARA-L printed, the same tree when read again", same_tree, len(run.yaral_paths))
    snap.count("YARA-L of the current rules lifted without an opaque node", lifted, len(current))
    to = lambda target: {below(run, "yaral", r): r for r in records("convert", folder, "--to", target, "--no-validate")}
    kql_records, sql_records = to("kql"), to("duckdb")
    emitted_kql(snap, "YARA-L to KQL", {p: kql_records.get(p) for p in run.yaral_paths})
    for path in run.yaral_paths:
        r = sql_records.get(path)
        if not r or not r["files"]:
            snap.fail("YARA-L to DuckDB: not emitted", path, f"{r['status']}: {reason(r)}" if r else "no record")
    prepared(run, snap, "YARA-L to DuckDB", {p: r for p, r in sql_records.items()}, len(run.yaral_paths))
    formatted_yaral(run, snap)
    return snap


def formatted_yaral(run, snap):
    """`fmt` changes nothing of what it wrote itself."""
    once, again = run.folder / "formatted-yaral", run.folder / "formatted-yaral-again"
    shutil.copytree(run.folder / "yaral", once)
    ruleferry("fmt", once)
    shutil.copytree(once, again)
    ruleferry("fmt", again)
    stable = [p for p in run.yaral_paths if (once / p).read_bytes() == (again / p).read_bytes()]
    for path in set(run.yaral_paths) - set(stable):
        snap.fail("YARA-L fmt: changes its own output", path, "differs")
    snap.count("YARA-L formatted, unchanged by formatting it again", len(stable), len(run.yaral_paths))


def read_as_yaral(run, snap, label, by_id):
    """Writes the outputs as files and asks our own parser and type check what they think of them."""
    folder = run.folder / label.lower().replace(" ", "-")
    folder.mkdir()
    ids = [i for i, r in by_id.items() if r and r["files"]]
    for n, i in enumerate(ids):
        (folder / f"{n}.yaral").write_text(by_id[i]["files"][0]["text"], encoding="utf-8")
    good = 0
    for r in records("check", folder):
        wrong = [d for d in r["diagnostics"] if d["severity"] == "error"]
        if wrong or r["rules"] != 1:
            snap.fail(f"{label}: not read back", ids[int(Path(r["path"]).stem)], wrong[0]["message"] if wrong else f"{r['rules']} rules")
        else:
            good += 1
    snap.count(f"{label}: emitted rules that our own parser and type check accept", good, len(ids))


def sigma_to_yaral(run):
    snap = Snapshot("sigma-to-yaral")
    by_path = sigma_records(run, "yaral")
    wanted = supported(run, by_path)
    # YARA-L has no search through all fields.
    keyword = {i for i, r in wanted.items() if r and any(d["code"] == "E1205" for d in r["diagnostics"])}
    others = {i: r for i, r in wanted.items() if i not in keyword}
    snap.count("Sigma to YARA-L: keyword rules refused with the reason", len(keyword), len(wanted))
    emitted = [i for i, r in others.items() if r and r["files"]]
    snap.count("Sigma to YARA-L: the other rules emitted", len(emitted), len(others))
    for i, r in others.items():
        if not r or not r["files"]:
            snap.fail("Sigma to YARA-L: not emitted", i, f"{r['status']}: {reason(r)}" if r else "no record")
    read_as_yaral(run, snap, "Sigma to YARA-L", others)
    unsupported(run, snap, "Sigma to YARA-L", by_path)
    return snap


def kql_to_yaral(run):
    snap = Snapshot("kql-to-yaral")
    period = lambda i: (run.accepted[i].get("yaml") or {}).get("queryPeriod")
    picked = [i for i in run.queries if windowed_kql.windowed(run.source_trees()[i]["tree"], period(i))]
    converted = {stem(r): r for r in records("convert", run.folder / "kql", "--to", "yaral", "--no-validate")}
    label = "KQL to YARA-L: filters, functions that YARA-L has, inner and leftanti joins, one summarize"
    good = [i for i in picked if converted.get(i) and converted[i]["files"]]
    snap.count(label, len(good), len(picked))
    snap.count("KQL to YARA-L: of these with a match section", sum("\n  match:\n" in converted[i]["files"][0]["text"] for i in good), len(good))
    for i in set(picked) - set(good):
        r = converted.get(i)
        snap.fail("KQL to YARA-L: picked, but not converted", i, f"{r['status']}: {reason(r)}" if r else "no record")
    others = [converted[i] for i in run.queries if i in converted and i not in set(picked)]
    snap.count("KQL to YARA-L: of the other queries emitted", sum(bool(r["files"]) for r in others), len(others))
    silent = [stem(r) for r in converted.values() if r["status"] == "refused" and not r["diagnostics"]]
    for i in silent:
        snap.fail("KQL to YARA-L: refused without a reason", i, "no diagnostic")
    read_as_yaral(run, snap, "KQL to YARA-L", {i: converted.get(i) for i in run.queries})
    return snap


# The routes whose output is read back and compared with its source.
VALIDATED = (("sigma", "kql"), ("sigma", "duckdb"), ("kql", "duckdb"), ("kql", "sigma"))


def validated(run):
    """What `convert` proves of its own output. Of SQL a verdict is there only where it is proved."""
    snap = Snapshot("validated")
    for source, target in VALIDATED:
        label = f"{source} to {target}"
        emitted = [r for r in records("convert", run.folder / source, "--to", target, "--values", VALUES) if r["files"]]
        kinds = {}
        for r in emitted:
            verdict = r["verdict"]
            relation = verdict["relation"] if verdict else "without a verdict"
            kinds[relation] = kinds.get(relation, 0) + 1
            if relation != "equivalent":
                why = verdict["reasons"] if verdict else []
                snap.fail(f"{label}: {relation}", relative_to(run, source, r), short(why[0]) if why else "no reason given")
        for relation, number in sorted(kinds.items()):
            snap.count(f"{label}: {relation}", number, len(emitted))
        told = [r for r in emitted if r["verdict"] and r["verdict"]["relation"] == "equivalent" and r["verdict"]["reasons"]]
        snap.count(f"{label}: equivalent, with an assumption of the proof", len(told), len(emitted))
    return snap


def relative_to(run, source, record):
    """The path below the folder of a corpus, and which rule of the file where it holds several."""
    name = record["rule"]["id"] or ""
    return f"{Path(record['path']).relative_to(run.folder / source).as_posix()} {name}".strip()


def rows_part(run):
    from rows import compare

    return compare.figures(run)


def speed(run):
    """Printed only: a machine's timings belong into no snapshot."""
    say("\n-- speed (printed, not compared)")
    subprocess.run([sys.executable, HERE / "timing.py", run.folder, VALUES], check=True)


PARTS = {
    "kql": kql,
    "kql-to-duckdb": kql_to_duckdb,
    "kql-to-sigma": kql_to_sigma,
    "sigma": sigma,
    "sigma-to-kql": sigma_to_kql,
    "sigma-to-duckdb": sigma_to_duckdb,
    "sigma-to-yaral": sigma_to_yaral,
    "kql-to-yaral": kql_to_yaral,
    "yaral": yaral,
    "validated": validated,
    "rows": rows_part,
    "speed": speed,
}


def main(names):
    unknown = [n for n in names if n not in PARTS]
    if unknown:
        raise Failed(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    clock = Clock()
    same_as_committed = True
    with tempfile.TemporaryDirectory(prefix="ruleferry-corpora-") as folder:
        run = Run(Path(folder))
        print(f"corpora: {len(run.accepted)} + {len(run.rejected)} KQL, {len(run.sigma_paths)} Sigma, {len(run.yaral_paths)} YARA-L, from {CORPUS}")
        for name in names or PARTS:
            snap = PARTS[name](run)
            if snap is not None:
                same_as_committed &= snap.finish()
            clock.lap(name)
    print("\ncorpora: as committed" if same_as_committed else "\ncorpora: DIFFERENT from the committed snapshots")
    return 0 if same_as_committed else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Failed as failure:
        print(f"corpora: {failure}", file=sys.stderr)
        sys.exit(1)
