"""The protocol class under Autobahn's fuzzing client: see tools/autobahn.py, which also runs by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.autobahn import KNOWN, failed, verdicts, wstest


@pytest.mark.slow
def test_no_case_of_autobahn_fails_but_those_that_the_guide_names(tmp_path: Path):
    client = wstest()
    if client is None:
        pytest.skip("no wstest: WSTEST=… (pip install autobahntestsuite under a Python 2.7)")
    found = verdicts(client, tmp_path / "report")
    assert len(found) > 240
    assert failed(found) == set(KNOWN)


def test_the_guide_names_the_cases_that_fail():
    page = (Path(__file__).parents[2] / "docs" / "guides" / "websocket.md").read_text()
    assert all(f"case {name}" in page for name in KNOWN)
