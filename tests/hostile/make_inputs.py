"""Writes the hostile inputs that are not kept as files: large, deep, or bytes that are no text.

`small(folder)` writes those of a few bytes, `large(folder)` those of 8 to 10 MB and 10,000 levels. Both return {file name: exit
statuses that are right}: 1 is an error with a diagnostic, 0 and 2 mean that the rule was read.
"""

import json
import sys
from pathlib import Path

DEEP = 10_000
# Just below the limit of 8 MiB; what is above it is refused unread.
SIZE = 8_000_000
SIGMA = """title: {title}
id: 00000000-0000-4000-8000-000000000001
status: test
logsource: {{category: process_creation, product: windows}}
detection:
  selection:
{fields}
  condition: {condition}
level: low
"""

READ = (0, 2)
ERROR = (1,)
EITHER = (0, 1, 2)


def sigma(fields="    Image: a", condition="selection", title="A rule"):
    return SIGMA.format(title=title, fields=fields, condition=condition)


def small(folder):
    """Bytes that no editor would keep as they are."""
    kql = "SigninLogs | where UserPrincipalName == 'jürgen'\n"
    files = {
        "utf16-little-endian.kql": (b"\xff\xfe" + kql.encode("utf-16-le"), EITHER),
        "utf16-big-endian.yml": (b"\xfe\xff" + sigma().encode("utf-16-be"), EITHER),
        "latin-1.kql": (kql.encode("latin-1"), EITHER),
        "latin-1.yml": (sigma(title="Jürgens Regel").encode("latin-1"), EITHER),
        "utf8-bom.kql": (b"\xef\xbb\xbf" + kql.encode(), READ),
        "utf8-bom.yml": (b"\xef\xbb\xbf" + sigma().encode(), READ),
        "nul-bytes.kql": (b"T | where a == 'x\0y' \0 | take 1", EITHER),
        "nul-bytes.yml": (sigma().encode().replace(b"A rule", b"A \0 rule"), EITHER),
        "all-bytes.kql": (bytes(range(256)) * 4, ERROR),
        "all-bytes.yml": (bytes(range(256)) * 4, ERROR),
        "cut-utf8.kql": ("T | where a == '日本".encode()[:-1], ERROR),
        "empty.kql": (b"", ERROR),
        "empty.yml": (b"", EITHER),
        "blank.kql": (b" \n\t\n", ERROR),
        "carriage-returns.kql": (b"T\r| where a == 1\r| take 1\r", EITHER),
        "no-break-space.kql": ("T\u00a0| where\u00a0a == 1\n".encode(), READ),
        "right-to-left.kql": ("T | where a == '\u202e\u2066txt.exe' // \u202e\n".encode(), READ),
    }
    return _write(folder, files)


def large(folder):
    size = SIZE
    words = ", ".join(f"'value{n:07d}'" for n in range(size // 17))
    chain = " or ".join(f"a == 'v{n:06d}'" for n in range(size // 19))
    files = {
        "10mb.kql": ("T | take 1\n" + "// c\n" * 2_000_000, ERROR),
        "10mb.yml": (sigma() + "# c\n" * 2_500_000, ERROR),
        "8mb-list.kql": (f"T | where a in ({words})\n", READ),
        "8mb-or-chain.kql": (f"T | where {chain}\n", EITHER),
        "8mb-string.kql": (f"T | where a == '{'x' * (size - 40)}'\n", READ),
        "8mb-comment.kql": ("// " + "c" * size + "\nT | take 1\n", READ),
        "8mb-garbage.kql": ("T | where ((( a == ) ] } 'x \n" * (size // 30), ERROR),
        "8mb-list.yml": (sigma("    Image:\n" + "".join(f"      - value{n:07d}\n" for n in range(size // 21))), READ),
        "8mb-scalar.yml": (sigma(f"    Image: {'x' * size}"), READ),
        "8mb-garbage.yml": ("a: [b, {c: 'd\n- : :\n" * (size // 22), ERROR),
        "deep-parentheses.kql": ("T | where " + "(" * DEEP + "a == 1" + ")" * DEEP + "\n", ERROR),
        "deep-unclosed.kql": ("T | where " + "(" * DEEP + "\n", ERROR),
        "deep-not.kql": ("T | where " + "not(" * DEEP + "a == 1" + ")" * DEEP + "\n", ERROR),
        "deep-calls.kql": ("T | extend x = " + "tostring(" * DEEP + "a" + ")" * DEEP + "\n", ERROR),
        "deep-dynamic.kql": ("T | extend x = dynamic(" + "[" * DEEP + "]" * DEEP + ")\n", ERROR),
        "deep-joins.kql": ("T | join (" * DEEP + "T" + ") on a" * DEEP + "\n", ERROR),
        "deep-paths.kql": ("T | where a" + ".b" * DEEP + " == 1\n", EITHER),
        "deep-elements.kql": ("T | where a" + "[0]" * DEEP + " == 1\n", EITHER),
        "deep-minus.kql": ("T | extend x = " + "- " * DEEP + "1\n", EITHER),
        "deep-unions.kql": ("union (" * DEEP + "T" + ")" * DEEP + "\n", ERROR),
        "deep-functions.kql": ("let f = () { " * DEEP + "1" + " };" * DEEP + "T\n", ERROR),
        "long-pipeline.kql": ("T\n" + "| where a == 1\n" * DEEP, EITHER),
        "long-and-chain.kql": ("T | where " + " and ".join(["a == 1"] * DEEP) + "\n", EITHER),
        "long-sum.kql": ("T | extend x = " + " + ".join(["a"] * DEEP) + "\n", EITHER),
        "many-lets.kql": ("".join(f"let x{n} = {'1' if n == 0 else f'x{n - 1} + x{n - 1}'};\n" for n in range(DEEP)) + f"T | where a == x{DEEP - 1}\n", EITHER),
        "let-functions-double.kql": ("".join(f"let f{n} = (t: (*)) {{ {'t' if n == 0 else f'union f{n - 1}(t), f{n - 1}(t)'} }};\n" for n in range(40)) + "f39(T)\n", EITHER),
        "let-tables-double.kql": ("".join(f"let t{n} = {'T' if n == 0 else f'union t{n - 1}, t{n - 1}'};\n" for n in range(40)) + "t39\n", EITHER),
        "deep-flow-list.yml": (sigma("    Image: " + "[" * DEEP + "a" + "]" * DEEP), ERROR),
        "deep-flow-map.yml": (sigma("    Image: " + "{a: " * DEEP + "b" + "}" * DEEP), ERROR),
        "deep-dashes.yml": (sigma("    Image:\n      " + "- " * DEEP + "a"), ERROR),
        "deep-condition.yml": (sigma(condition="(" * DEEP + "selection" + ")" * DEEP), ERROR),
        "deep-condition-not.yml": (sigma(condition="not " * DEEP + "selection"), EITHER),
        "long-condition.yml": (sigma(condition=" or ".join(["selection"] * DEEP)), EITHER),
        "many-keys.yml": (sigma("".join(f"    Field{n}: v\n" for n in range(200_000)).rstrip("\n")), EITHER),
        "many-documents.yml": ("---\n".join([sigma()] * 20_000), EITHER),
        "many-wildcards.yml": (sigma("    Image: '" + "*a" * DEEP + "'"), READ),
        "long-regex.yml": (sigma("    Image|re: '" + "(a|b)*" * DEEP + "'"), EITHER),
        "deep-regex.yml": (sigma("    Image|re: '" + "(" * DEEP + "a" + ")" * DEEP + "'"), EITHER),
        "huge-repeat.yml": (sigma("    Image|re: '((a{1000}){1000}){1000}'"), EITHER),
        "windash-many.yml": (sigma("    CommandLine|windash|contains: '" + " -a" * 64 + "'"), EITHER),
        "deep-json.json": ('{"queryCondition": ' * DEEP + "1" + "}" * DEEP, ERROR),
    }
    return _write(folder, {name: (text.encode(), right) for name, (text, right) in files.items()})


def _write(folder, files):
    for name, (data, _) in files.items():
        (Path(folder) / name).write_bytes(data)
    return {name: right for name, (_, right) in files.items()}


if __name__ == "__main__":
    # Run as a program, so that the caller does not grow by what is made here.
    print(json.dumps({**small(sys.argv[1]), **large(sys.argv[1])}))
