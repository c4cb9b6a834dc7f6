#!/usr/bin/env bash
# The corpus run: converts thousands of real rules with the release build, asks Microsoft's parser and DuckDB what they
# think of the output, and compares the counts with the committed snapshots beside this file.
#   RULEFERRY_CORPUS  folder with corpus/, reference/ and tools/kql-oracle/; without it there is nothing to do
#   RULEFERRY_BIN, DUCKDB_CHECK_BIN  programs to use in place of building them
#   UPDATE=1          writes the snapshots instead of comparing
# Arguments go to figures.py: `run.sh kql rows` runs these parts alone.
set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if [[ -z ${RULEFERRY_CORPUS:-} || ! -d ${RULEFERRY_CORPUS}/corpus ]]; then
    echo "corpora: RULEFERRY_CORPUS names no folder with a corpus: the corpus run is skipped"
    exit 0
fi

target=${CARGO_TARGET_DIR:-$PWD/target}
cache=$PWD/target/corpora
mkdir -p "$cache"

if [[ -z ${RULEFERRY_BIN:-} ]]; then
    cargo build --quiet --release --locked -p ruleferry-cli
    RULEFERRY_BIN=$target/release/ruleferry
fi
if [[ -z ${DUCKDB_CHECK_BIN:-} ]]; then
    cargo build --quiet --release --locked -p ruleferry-duckdb
    DUCKDB_CHECK_BIN=$target/release/duckdb-check
fi
RULEFERRY_DUCKDB_LIB=$(tests/engines/fetch-duckdb.sh)

# Microsoft's parser: a copy, for the folder that it lies in may be read-only.
oracle=$cache/kql-oracle
if ! cmp -s "$RULEFERRY_CORPUS/tools/kql-oracle/package-lock.json" "$oracle/package-lock.json" || [[ ! -d $oracle/node_modules ]]; then
    rm -rf "$oracle"
    cp -r "$RULEFERRY_CORPUS/tools/kql-oracle" "$oracle"
    chmod -R u+w "$oracle"
    (cd "$oracle" && npm ci --silent --no-audit --no-fund)
fi
cp -f "$RULEFERRY_CORPUS/tools/kql-oracle/kql-oracle.js" "$oracle/kql-oracle.js"

# An independent reader of YAML.
venv=$cache/venv
if ! "$venv/bin/python" -c 'import yaml' 2>/dev/null; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check 'pyyaml==6.0.3'
fi

export RULEFERRY_BIN DUCKDB_CHECK_BIN RULEFERRY_DUCKDB_LIB
export KQL_ORACLE=$oracle/kql-oracle.js CORPORA_CACHE=$cache
exec "$venv/bin/python" tests/corpora/figures.py "$@"
