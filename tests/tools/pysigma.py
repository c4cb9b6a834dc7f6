"""What pySigma's Kusto backend makes of Sigma rules, one file a rule: `pysigma.py RULES OUT`.

The rules are converted without a pipeline, so that fields keep their names; `other-tools` puts the table in front and
compares. Needs `pip install pysigma pysigma-backend-kusto`.
"""

import collections
import pathlib
import sys

from sigma.backends.kusto import KustoBackend
from sigma.collection import SigmaCollection


def main() -> None:
    rules, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    refused = collections.Counter()
    for path in sorted(rules.rglob("*.yml")):
        name = str(path.relative_to(rules)).replace("/", "__")
        try:
            queries = KustoBackend().convert(SigmaCollection.from_yaml(path.read_text()))
        except Exception as fault:  # whatever it raises is its answer
            refused[f"{type(fault).__name__}: {fault}"[:60]] += 1
            continue
        if len(queries) == 1:
            (out / f"{name}.kql").write_text(queries[0])
    for reason, count in refused.most_common():
        print(count, reason)


if __name__ == "__main__":
    main()
