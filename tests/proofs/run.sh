#!/usr/bin/env bash
# The prover held to account over both corpora: edits that change the meaning (no one may be called equivalent that differs),
# edits that keep it (no one may be called different), and each rule against itself, read twice and printed again.
#   RULEFERRY_CORPUS  folder with corpus/; without it there is nothing to do
#   EVERY=N           each Nth rule alone, held against the committed snapshot of that sample; all of them without it
#   UPDATE=1          writes the snapshots instead of comparing
# Arguments are parts: `run.sh mutants rewrites proofs`. None means all. Times are printed, not compared.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if [[ -z ${RULEFERRY_CORPUS:-} || ! -d ${RULEFERRY_CORPUS}/corpus ]]; then
    echo "proofs: RULEFERRY_CORPUS names no folder with a corpus: skipped"
    exit 0
fi
cargo build --quiet --release --locked -p ruleferry-testkit
bin=${CARGO_TARGET_DIR:-$PWD/target}/release
every=${EVERY:-1}
parts=("$@")
[[ ${#parts[@]} -gt 0 ]] || parts=(mutants rewrites proofs)
status=0
for part in "${parts[@]}"; do
    printf -- '-- %s\n' "$part"
    case $part in
        mutants) "$bin/mutants" --every "$every" --check || status=1 ;;
        rewrites) "$bin/mutants" --rewrites --every "$every" --check || status=1 ;;
        proofs) "$bin/proofs" --every "$every" --check || status=1 ;;
        *) echo "proofs: no part is called $part" >&2; exit 2 ;;
    esac
done
exit $status
