#!/bin/sh
# The fast part: lint, types, import rules, and the tests that take milliseconds.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
ruff check src tests bench tools
ruff format --check src tests bench tools
mypy
lint-imports
python -m pytest -n 2 -m "not slow and not live and not corpus"
