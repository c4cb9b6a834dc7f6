"""Asserts of every hostile input: a right exit status, no crash, under 10 s and 300 MB, and the other rules of the run unaffected.

Each input is put into a folder between two good rules. What is printed for people must hold no control characters, and a fault
must come with its place, the underlined text and a code. Arguments are parts of names: only these inputs are run.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import make_inputs

HERE = Path(__file__).resolve().parent
BIN = os.environ["RULEFERRY_BIN"]
SECONDS, MEGABYTES = 10, 300
GOOD = {
    "aaa-good.kql": "SigninLogs\n| where ResultType == 0\n| project TimeGenerated, UserPrincipalName\n",
    "zzz-good.yml": make_inputs.sigma(fields="    Image|endswith: '\\cmd.exe'", title="A good rule"),
}
# Statuses that are right for the inputs kept as files; 1 unless said.
STATUS = {
    "quotes-in-values.yml": (0, 2),
    "quotes-in-query.kql": (0, 2),
    "quotes-in-metadata.yaml": (0, 2),
    "sentinel-odd-values.yaml": (0, 1, 2),
    "alias-bomb.yml": (0, 1, 2),
    "duplicate-keys.yml": (0, 1, 2),
    "unknown-operator.kql": (1,),
    "terminal-escapes.kql": (1,),
    "terminal-escapes.yml": (1,),
    # A right rule, whose expression no engine would take.
    "bad-regex.yml": (1, 2),
    # A folder with other YAML beside the rules is no fault of the user's.
    "not-a-rule.yml": (0, 1, 2),
}
# Sigma's target has its own limits and the others are the same front ends again.
COMMANDS = {
    "check": ["check", "--format", "json"],
    "check-text": ["check"],
    "to-duckdb": ["convert", "--to", "duckdb", "--format", "json"],
    "to-kql": ["convert", "--to", "kql", "--format", "json"],
    "to-sigma": ["convert", "--to", "sigma", "--format", "json"],
    "fmt": ["fmt", "--check"],
    "explain": ["explain", "--format", "json"],
    "explain-text": ["explain"],
    # The folder beside itself: each input in both positions.
    "diff": ["diff", "--timeout", "2s", "--format", "json", "."],
}


class Outcome:
    """`on_cores`: seconds of work, which a busy machine does not make more."""

    def __init__(self, status, out, err, seconds, megabytes, on_cores):
        self.status, self.out, self.err, self.seconds, self.megabytes = status, out, err, seconds, megabytes
        self.on_cores = on_cores


def run(arguments, folder, on=(".",)):
    """Runs the program on the folder, with its own peak memory."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        process = subprocess.Popen([BIN, *arguments, *on], cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        timer = subprocess.Popen(["sleep", str(SECONDS * 3)])
        while True:
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
            if done:
                break
            if timer.poll() is not None:
                process.kill()
                _, status, usage = os.wait4(process.pid, 0)
                break
            time.sleep(0.005)
        timer.kill()
        timer.wait()
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - start
        out.seek(0), err.seek(0)
        on_cores = usage.ru_utime + usage.ru_stime
        return Outcome(process.returncode, out.read(), err.read(), seconds, usage.ru_maxrss / 1024, on_cores)


def good_records(outcome):
    """The records of the good rules, by path."""
    found = {}
    for line in outcome.out.splitlines():
        if b"-good." in line[:400]:
            record = json.loads(line)
            found[Path(record["path"]).name] = record
    return found


def control_characters(data):
    """Characters that a terminal would act upon."""
    text = data.decode("utf-8", "replace")
    return sorted({hex(ord(c)) for c in text if (ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066"})


def judge(name, right, baseline, folder):
    """The faults that one input brings out."""
    faults = []
    worst = (0.0, 0.0)
    for label, arguments in COMMANDS.items():
        outcome = run(arguments, folder)
        worst = (max(worst[0], outcome.seconds), max(worst[1], outcome.megabytes))
        told = f"{name}, {label}"
        if outcome.status not in (0, 1, 2) or b"panicked" in outcome.err:
            faults.append(f"{told}: crashed with {outcome.status}: {outcome.err[-300:].decode('utf-8', 'replace')}")
            continue
        if outcome.seconds > SECONDS:
            faults.append(f"{told}: took {outcome.seconds:.1f} s")
        if outcome.megabytes > MEGABYTES:
            faults.append(f"{told}: took {outcome.megabytes:.0f} MB")
        if label == "check" and outcome.status not in right:
            faults.append(f"{told}: exit status {outcome.status}, not {' or '.join(map(str, right))}")
        if "json" in arguments:
            if good_records(outcome) != baseline[label]:
                faults.append(f"{told}: the records of the other rules changed")
        elif bad := control_characters(outcome.err + outcome.out):
            faults.append(f"{told}: control characters {bad[:5]} in what people read")
        if label == "check" and right == (1,):
            faults += unsaid(name, told, outcome)
        if label == "check-text" and right == (1,) and b"-->" not in outcome.err + outcome.out and b"empty" not in name.encode():
            faults.append(f"{told}: no place is shown")
    return faults, worst


def unsaid(name, told, outcome):
    """Errors must have a code and a place in the file."""
    for line in outcome.out.splitlines():
        if name.encode() in line[:400]:
            record = json.loads(line)
            errors = [d for d in record["diagnostics"] if d["severity"] == "error"]
            if not errors:
                return [f"{told}: no error in the record"]
            if any(not d.get("code") or "line" not in (d.get("span") or {}) for d in errors):
                return [f"{told}: an error without code or place"]
            return []
    return [f"{told}: no record of the file"]


def inputs(folder):
    """All inputs in one folder, and the statuses that are right for them."""
    right = {}
    for path in sorted((HERE / "inputs").iterdir()):
        shutil.copyfile(path, folder / path.name)
        right[path.name] = STATUS.get(path.name, (1,))
    # In a process of its own: what a parent has grown to counts as memory of the programs that it starts.
    made = subprocess.run([sys.executable, HERE / "make_inputs.py", folder], check=True, capture_output=True)
    right.update({name: tuple(statuses) for name, statuses in json.loads(made.stdout).items()})
    return right


def main(chosen):
    faults, slowest = [], []
    with tempfile.TemporaryDirectory(prefix="ruleferry-hostile-") as base:
        base = Path(base)
        (base / "all").mkdir(), (base / "good").mkdir()
        for name, text in GOOD.items():
            (base / "good" / name).write_text(text)
        baseline = {k: good_records(run(a, base / "good")) for k, a in COMMANDS.items() if "json" in a}
        if any(len(found) != len(GOOD) for found in baseline.values()):
            print("hostile: the good rules alone have no records")
            return 1
        right = {n: r for n, r in inputs(base / "all").items() if not chosen or any(c in n for c in chosen)}

        def one(name):
            folder = base / f"one-{name}"
            folder.mkdir()
            for good, text in GOOD.items():
                (folder / good).write_text(text)
            (base / "all" / name).rename(folder / name)
            result = judge(name, right[name], baseline, folder)
            shutil.rmtree(folder)
            return name, result

        with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
            for name, (found, worst) in pool.map(one, right):
                faults += found
                slowest.append((worst, name))
    slowest.sort(reverse=True)
    for (seconds, megabytes), name in slowest[:5]:
        print(f"   {name}: {seconds:.1f} s, {megabytes:.0f} MB")
    for fault in faults:
        print(f"   FAULT {fault}")
    print(f"hostile: {len(right)} inputs, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
