"""Compares two folders of YAML files as an independent reader (PyYAML) loads them.

    compare_yaml.py ORIGINALS PRINTED

Every document is loaded twice: raw scalars (BaseLoader) and typed values (SafeLoader); the order of keys does not
count. Conditions are compared after their white space is put in order, since they are printed from their tree.
"""
import pathlib
import re
import sys

import yaml


def settle(node, path=()):
    if isinstance(node, dict):
        return {k: settle(v, path + (k,)) for k, v in node.items()}
    if isinstance(node, list):
        return [settle(v, path) for v in node]
    if path[-2:] == ("detection", "condition") and isinstance(node, str):
        text = re.sub(r"\s+", " ", node).strip()
        return re.sub(r"\( ", "(", re.sub(r" \)", ")", text))
    return node


def load(path, loader):
    with open(path, encoding="utf-8") as f:
        return [settle(d) for d in yaml.load_all(f, Loader=loader) if d is not None]


def main():
    originals, printed = map(pathlib.Path, sys.argv[1:3])
    files = sorted(p.relative_to(originals) for p in originals.rglob("*.yml"))
    bad = 0
    for name in files:
        for loader in (yaml.CBaseLoader, yaml.CSafeLoader):
            a, b = load(originals / name, loader), load(printed / name, loader)
            if a != b:
                bad += 1
                print("differs:", name, loader.__name__)
                for x, y in zip(a, b):
                    for key in x:
                        if x.get(key) != y.get(key):
                            print("   ", key, str(x.get(key))[:300], "!=", str(y.get(key))[:300])
                break
    print(f"{len(files)} files compared, {bad} differ")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
