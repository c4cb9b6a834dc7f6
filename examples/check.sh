#!/usr/bin/env bash
# Checks that the commands of the examples print what their READMEs say; UPDATE=1 writes what they print.
set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
if [[ -z ${RULEFERRY_BIN:-} ]]; then
    cargo build --quiet --release --locked -p ruleferry-cli
    RULEFERRY_BIN=$target/release/ruleferry
fi
if [[ -z ${DUCKDB_CHECK_BIN:-} ]]; then
    cargo build --quiet --release --locked -p ruleferry-duckdb
    DUCKDB_CHECK_BIN=$target/release/duckdb-check
fi
RULEFERRY_DUCKDB_LIB=$(tests/engines/fetch-duckdb.sh)
export RULEFERRY_BIN DUCKDB_CHECK_BIN RULEFERRY_DUCKDB_LIB
exec python3 examples/check.py
