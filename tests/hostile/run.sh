#!/usr/bin/env bash
# Feeds the program what is broken, hostile, huge or deep, and asserts that it stays calm. See run.py, and pairs.py for `diff`.
#   RULEFERRY_BIN  the program; built for release where it is not given
set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if [[ -z ${RULEFERRY_BIN:-} ]]; then
    cargo build --quiet --release --locked -p ruleferry-cli
    RULEFERRY_BIN=${CARGO_TARGET_DIR:-$PWD/target}/release/ruleferry
fi
export RULEFERRY_BIN
python3 tests/hostile/run.py "$@"
python3 tests/hostile/pairs.py "$@"
