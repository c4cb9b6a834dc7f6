#!/usr/bin/env bash
# Holds the evaluator against documented results and against DuckDB, and compares the outcome with the committed snapshots.
#   documented    queries of Kusto's documentation with their results (kql-docs.snap, kql-docs-duckdb.snap)
#   sigma         Sigma rules on real events, three routes (sigma-regression.snap)
#   differential  every corpus query over tables made from its own literals, both engines (../corpora/differential.snap)
#   random        random queries over random tables (crates/testkit/src/plans: a typed generator, every operator and join kind),
#                 both engines; no answer may differ, and each operator must stand in one of a hundred plans. `scan`,
#                 `top-nested` and `evaluate narrow` have no SQL: the evaluator runs them alone. What differs is told shrunk,
#                 with its seed.
# Arguments name the parts to run; none: all.
#   RULEFERRY_CORPUS  folder with conformance/ and corpus/; without it only `random` runs
#   PLANS, SEED       how many random queries (20000), and their seed
#   EVERY             each how manyth corpus query runs (1); of a part only the lines of its queries are compared
#   UPDATE=1          writes the snapshots instead of comparing
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
RULEFERRY_DUCKDB_LIB=$(tests/engines/fetch-duckdb.sh)
export RULEFERRY_DUCKDB_LIB
cargo build --quiet --release --locked -p ruleferry-testkit
bin=${CARGO_TARGET_DIR:-$PWD/target}/release
parts=("$@")
if [[ ${#parts[@]} -eq 0 ]]; then
    parts=(documented sigma differential random)
fi
failed=0

timed() {
    local start=$SECONDS
    "$@" || failed=1
    printf '   (%s s)\n' "$((SECONDS - start))"
}

for part in "${parts[@]}"; do
    if [[ $part != random && ! -d ${RULEFERRY_CORPUS:-}/conformance ]]; then
        echo "$part: RULEFERRY_CORPUS names no folder with conformance/: skipped"
        continue
    fi
    printf -- '-- %s\n' "$part"
    case $part in
    documented)
        timed "$bin/conformance" --check
        timed "$bin/conformance" --check --duckdb
        ;;
    sigma) timed "$bin/sigma-regression" --check ;;
    differential) timed "$bin/differential" --check --every "${EVERY:-1}" ;;
    random)
        timed "$bin/random-plans" --count "${PLANS:-20000}" --seed "${SEED:-1}" --least $((${PLANS:-20000} / 100))
        ;;
    *)
        echo "no part is called $part" >&2
        exit 1
        ;;
    esac
done
exit "$failed"
