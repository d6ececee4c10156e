#!/bin/sh
# Renew the locks: hashes for every file, no index address.
set -eu
cd "$(dirname "$0")/.."
python3 -m venv build/lock && build/lock/bin/pip -q install uv
compile() {
    out=$1
    shift
    build/lock/bin/uv pip compile -q --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-annotate --no-header "$@" -o "requirements/$out.txt"
}
compile run requirements/run.in requirements/semantic.in requirements/sql.in requirements/traces.in
compile test requirements/test.in
compile bench requirements/bench.in
