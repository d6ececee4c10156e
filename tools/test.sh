#!/bin/sh
# Everything CI asks: lint, types, import rules, all tests, and at least 90 % of lines covered.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
ruff check src tests bench tools
ruff format --check src tests bench tools
mypy
lint-imports
rm -f .coverage .coverage.*
python -m coverage run -m pytest -n 2 --dist loadfile -m "not live" -rs
python -m coverage combine -q
python -m coverage report --fail-under=90
