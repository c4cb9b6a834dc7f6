"""Runs the commands of each example's README.md as they stand there and compares what they print. `UPDATE=1` writes it instead.

A block ```console holds commands behind `$ `, each followed by its output, stdout and stderr as they come. They run in the
repository's root with `ruleferry` and `duckdb-check` of $RULEFERRY_BIN and $DUCKDB_CHECK_BIN on the path.
"""

import difflib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def run(command, environment):
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    text = done.stdout.decode("utf-8")
    text += "" if text.endswith("\n") or not text else "\n"
    return text + (f"(exit status {done.returncode})\n" if done.returncode else "")


def block(match, environment):
    out = []
    for part in re.split(r"^\$ ", match.group(1), flags=re.M)[1:]:
        lines = part.split("\n")
        command = [lines.pop(0)]
        while command[-1].endswith("\\"):
            command.append(lines.pop(0))
        out.append("$ " + "\n".join(command) + "\n" + run("\n".join(command), environment))
    return "```console\n" + "".join(out) + "```"


def check(readme, environment):
    name = readme.parent.name
    before = readme.read_text(encoding="utf-8")
    after = re.sub(r"```console\n(.*?)```", lambda m: block(m, environment), before, flags=re.S)
    if before == after:
        print(f"examples: {name} prints what its README says")
        return True
    if os.environ.get("UPDATE") == "1":
        readme.write_text(after, encoding="utf-8")
        print(f"examples: {name}/README.md written")
        return True
    sys.stdout.writelines(difflib.unified_diff(before.splitlines(True), after.splitlines(True), f"{name}/README.md", "as printed"))
    return False


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name, variable in (("ruleferry", "RULEFERRY_BIN"), ("duckdb-check", "DUCKDB_CHECK_BIN")):
            (Path(folder) / name).symlink_to(Path(os.environ[variable]).resolve())
        environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "COLUMNS": "100", "NO_COLOR": "1", "TMPDIR": folder}
        return 0 if all([check(readme, environment) for readme in sorted(HERE.glob("*/README.md"))]) else 1


if __name__ == "__main__":
    sys.exit(main())
