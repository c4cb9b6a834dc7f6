#!/usr/bin/env bash
# Puts DuckDB's library into target/duckdb/ (or the folder given), where the tests and `duckdb-check` look for it.
# It comes from the npm package of DuckDB's own Node bindings, the smallest registry package that holds a prebuilt
# libduckdb which loads on its own; the one on PyPI needs the symbols of a Python interpreter.
# Does nothing when the pinned version is there already.
set -euo pipefail

version=1.5.6-r.1
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
dest=${1:-$root/target/duckdb}

if [[ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]]; then
    echo "fetch-duckdb: only Linux on x86-64 is pinned; elsewhere install libduckdb 1.5 and set RULEFERRY_DUCKDB_LIB" >&2
    exit 1
fi
library=libduckdb.so
package=@duckdb/node-bindings-linux-x64
sum=21772b64913a904a8cd19e30c1d5671811d7fdface4b7dd53cd0300d743f43e16cf386f4e7c41ef78721ac208870d2651bc6375072145387817824315b998dd5

if [[ -f $dest/$library && $(cat "$dest/version" 2>/dev/null) == "$version" ]]; then
    echo "$dest/$library"
    exit 0
fi

mkdir -p "$dest"
work=$(mktemp -d "$dest/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent "$package@$version" >/dev/null)
archive=$(echo "$work"/*.tgz)
if ! echo "$sum  $archive" | sha512sum --check --status; then
    echo "fetch-duckdb: the archive of $package@$version is not the one that was pinned" >&2
    exit 1
fi
tar -xzf "$archive" -C "$work" "package/$library" package/LICENSE
mv "$work/package/LICENSE" "$dest/LICENSE"
# The library is moved last but one and the version written last, so that an interrupted run starts again.
mv "$work/package/$library" "$dest/$library"
echo "$version" >"$dest/version"
echo "$dest/$library"
