"""What a pySigma backend makes of Sigma rules, one file a rule: `pysigma.py BACKEND RULES OUT`, BACKEND one of kusto, sqlite, databricks.

The rules are converted without a pipeline, so that fields keep their names; `other-tools` puts the table in and
compares. Needs `pip install pysigma pysigma-backend-BACKEND`.
"""

import collections
import importlib
import pathlib
import sys

from sigma.collection import SigmaCollection

# The module and the class of each backend, and what its outputs are called.
BACKENDS = {
    "kusto": ("sigma.backends.kusto", "KustoBackend", "kql"),
    "sqlite": ("sigma.backends.sqlite", "sqliteBackend", "sqlite.sql"),
    "databricks": ("sigma.backends.databricks", "DatabricksBackend", "spark.sql"),
}


def main() -> None:
    module, name, ending = BACKENDS[sys.argv[1]]
    backend = getattr(importlib.import_module(module), name)
    rules, out = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    refused = collections.Counter()
    for path in sorted(rules.rglob("*.yml")):
        name = str(path.relative_to(rules)).replace("/", "__")
        try:
            queries = backend().convert(SigmaCollection.from_yaml(path.read_text()))
        except Exception as fault:  # whatever it raises is its answer
            refused[f"{type(fault).__name__}: {fault}"[:60]] += 1
            continue
        if len(queries) == 1:
            (out / f"{name}.{ending}").write_text(queries[0])
    for reason, count in refused.most_common():
        print(count, reason)


if __name__ == "__main__":
    main()
