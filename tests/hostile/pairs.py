"""Asserts of every hostile pair of rules under `diff`: a right exit status, no crash, bounded memory, and that `--timeout` holds.

Each pair is compared twice: with a short limit, which must hold, and without one, where the prover's own limits must end it. A pair
of one rule with itself in other words must never be told apart, a pair that differs must never be told equivalent.
Arguments are parts of names: only these pairs are run.
"""

import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import make_inputs
import run as hostile

# A limit that is given may be passed by the time of one step, reading included. What is counted is time on cores: a machine
# that does other things gives a limit of the clock less work, never more.
LIMIT, SLACK = 1, 2
SAME, OTHER, ANY = "same", "other", "any"
DIFFERENCES = {"narrower", "wider", "divergent", "disjoint"}


def listed(words):
    return ", ".join(f"'{w}'" for w in words)


def kql_pairs():
    """Name, what is right, two queries."""
    words = [f"word{n}" for n in range(8000)]
    yield "list-reversed", SAME, f"T | where a in ({listed(words)})", f"T | where a in ({listed(reversed(words))})"
    yield "list-one-less", OTHER, f"T | where a in ({listed(words)})", f"T | where a in ({listed(words[:-1])})"
    yield "terms-one-less", OTHER, f"T | where a has_any ({listed(words[:3000])})", f"T | where a has_any ({listed(words[1:3000])})"
    yield "list-any-case", OTHER, f"T | where a in~ ({listed(words)})", f"T | where a in ({listed(words)})"
    parts = [f"a contains '{w}'" for w in words[:900]]
    yield "or-of-parts", SAME, f"T | where {' or '.join(parts)}", f"T | where {' or '.join(reversed(parts))}"
    yield "and-of-parts", OTHER, f"T | where {' and '.join(parts[:400])}", f"T | where {' and '.join(parts[:399])}"
    columns = [f"c{n} == {n}" for n in range(500)]
    yield "hundreds-of-columns", OTHER, f"T | where {' and '.join(columns)}", f"T | where {' and '.join(columns[1:])}"
    clauses = [f"(x{n % 40} == 1 or x{(n * 7 + 3) % 40} == 2 or x{(n * 11 + 5) % 40} == 3)" for n in range(170)]
    yield "hard-clauses", ANY, f"T | where {' and '.join(clauses)}", f"T | where {' and '.join(clauses[1:])}"
    # More pigeons than holes: no row meets it, which resolution needs very long to see.
    holes = range(9)
    each = ["(" + " or ".join(f"p{i}h{j}" for j in holes) + ")" for i in range(10)]
    apart = [f"not(p{i}h{j} and p{k}h{j})" for j in holes for i in range(10) for k in range(i)]
    declared = "let T = datatable(" + ", ".join(f"p{i}h{j}:bool" for i in range(10) for j in holes) + ")[];\n"
    yield "pigeons", ANY, f"{declared}T | where {' and '.join(each + apart)}", f"{declared}T | where false"
    yield "regex-states", ANY, "T | where a matches regex '[ab]*a[ab]{600}$'", "T | where a matches regex '[ab]*a[ab]{599}$'"
    yield "regex-nested", ANY, "T | where a matches regex '((a{1,60}){1,60}){1,60}'", "T | where a matches regex '((a{1,60}){1,60}){1,59}'"
    yield "regex-many", ANY, *(
        "T | where " + " and ".join(f"a matches regex '(x|y.*{n}){{3,9}}.*{chr(97 + n % 26)}'" for n in range(size)) for size in (40, 39)
    )
    yield "regex-alternatives", ANY, f"T | where a matches regex '({'|'.join(words[:2500])})+'", f"T | where a matches regex '({'|'.join(words[:2499])})+'"
    yield "regex-back-tracking", ANY, "T | where a matches regex '(x+x+)+y'", "T | where a matches regex '(x+)+y'"
    join = "".join(f" | join kind=inner (T{n} | where b{n} > {n}) on k" for n in range(10))
    yield "ten-joins", OTHER, f"T | where x > 1{join}", f"T | where x > 2{join}"
    yield "ten-joins-reversed", ANY, f"T{join}", "T" + "".join(f" | join kind=inner (T{n} | where b{n} > {n}) on k" for n in reversed(range(10)))
    doubled = "let v0 = T | where x > 1;\n" + "".join(f"let v{n + 1} = union v{n}, v{n};\n" for n in range(24))
    yield "doubled-lets", ANY, f"{doubled}v24 | where y > 1", f"{doubled}v24 | where y > 2"
    nested = "T" + "".join(f" | summarize n{n} = count() by k = strcat(k, 'x') | where n{n} > {n}" for n in range(12))
    yield "nested-groups", ANY, nested, nested.replace("n11 > 11", "n11 > 12")
    yield "far-threshold", ANY, "T | summarize n = count() by k | where n > 1000000000", "T | summarize n = count() by k | where n > 1000000001"
    yield "far-distinct", ANY, "T | summarize n = dcount(a) by k | where n > 100000", "T | summarize n = dcount(a) by k | where n >= 100000"
    yield "long-series", ANY, *(
        f"T | make-series n = count() on t from ago(3650d) to now() step 1m by k | where array_length(n) > {m}" for m in (1, 2)
    )
    yield "expanded", ANY, *("T" + " | mv-expand d" * 12 + f" | where tostring(d) == '{c}'" for c in "ab")
    yield "long-range", ANY, "range x from 1 to 100000000 step 1 | where x == 99999999", "range x from 1 to 100000000 step 1 | where x == 99999998"
    deep = "x > 1"
    for n in range(55):
        deep = f"not({deep} and y != {n})"
    yield "deep-conditions", ANY, f"T | where {deep}", f"T | where {deep} and z == 1"
    cases = "case(" + ", ".join(f"a == 'v{n}', {n}" for n in range(400)) + ", -1)"
    yield "long-case", OTHER, f"T | extend c = {cases} | where c > 10", f"T | extend c = {cases} | where c > 11"


def sigma_pairs():
    words = "\n".join(f"        - word{n}" for n in range(6000))
    whole = make_inputs.sigma(fields=f"    CommandLine|contains:\n{words}", title="Many")
    yield "sigma-long-list", OTHER, whole, make_inputs.sigma(fields=f"    CommandLine|contains:\n{words.partition(chr(10))[2]}", title="Many")
    stars = "*".join("abcdefghij" * 12)
    yield "sigma-wildcards", ANY, *(make_inputs.sigma(fields=f"    CommandLine: '*{s}*'", title="Stars") for s in (stars, stars[:-2]))
    yield "sigma-regex", ANY, *(make_inputs.sigma(fields=f"    CommandLine|re: '(.*a){{{n}}}b'", title="Regex") for n in (60, 59))


def fault_of(name, right, outcome, limit):
    told = f"{name}, {'with' if limit else 'without'} a limit"
    if outcome.status not in (0, 1, 2, 3) or b"panicked" in outcome.err:
        return f"{told}: crashed with {outcome.status}: {outcome.err[-300:].decode('utf-8', 'replace')}"
    if outcome.on_cores > (LIMIT + SLACK if limit else hostile.SECONDS):
        return f"{told}: took {outcome.on_cores:.1f} s"
    if outcome.megabytes > hostile.MEGABYTES:
        return f"{told}: took {outcome.megabytes:.0f} MB"
    relation = relation_of(outcome)
    if relation is None:
        return f"{told}: no verdict: {(outcome.out + outcome.err)[:300].decode('utf-8', 'replace')}"
    if right == SAME and relation in DIFFERENCES or right == OTHER and relation == "equivalent":
        return f"{told}: {relation}"
    return None


def relation_of(outcome):
    for line in outcome.out.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        verdict = record.get("verdict") or record
        if verdict.get("relation"):
            return verdict["relation"]
    return None


def main(chosen):
    pairs = [(n, r, a, b, "kql") for n, r, a, b in kql_pairs()] + [(n, r, a, b, "yml") for n, r, a, b in sigma_pairs()]
    pairs = [p for p in pairs if not chosen or any(c in p[0] for c in chosen)]
    with tempfile.TemporaryDirectory(prefix="ruleferry-pairs-") as base:

        def one(pair):
            name, right, a, b, ending = pair
            folder = Path(base) / name
            folder.mkdir()
            (folder / f"a.{ending}").write_text(a)
            (folder / f"b.{ending}").write_text(b)
            found = []
            for limit in (True, False):
                command = ["diff", f"a.{ending}", f"b.{ending}", "--format", "json", *(["--timeout", f"{LIMIT}s"] if limit else [])]
                outcome = hostile.run(command, folder, ())
                found.append((outcome, relation_of(outcome), fault_of(name, right, outcome, limit)))
            return name, found

        with ThreadPoolExecutor(hostile.os.cpu_count() or 2) as pool:
            results = list(pool.map(one, pairs))
    faults = [fault for _, found in results for _, _, fault in found if fault]
    if chosen:
        for name, found in results:
            print(f"   {name}: " + "; ".join(f"{o.on_cores:.1f} s, {o.megabytes:.0f} MB, {relation}" for o, relation, _ in found))
    slowest = sorted(((o.on_cores, o.megabytes, name, relation) for name, found in results for o, relation, _ in found), reverse=True)
    for seconds, megabytes, name, relation in slowest[:5]:
        print(f"   {name}: {seconds:.1f} s, {megabytes:.0f} MB, {relation}")
    for fault in faults:
        print(f"   FAULT {fault}")
    print(f"hostile: {len(pairs)} pairs, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
