#!/bin/sh
# Renew the locks: hashes for every file, no index address.
set -eu
cd "$(dirname "$0")/.."
python3 -m venv build/lock && build/lock/bin/pip -q install uv
for name in run test bench; do
    build/lock/bin/uv pip compile -q --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-annotate --no-header "requirements/$name.in" -o "requirements/$name.txt"
done
