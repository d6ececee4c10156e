"""The sample day's hostile 8-K, read by rules: what it says to a model reaches neither summary, headline nor label."""

from __future__ import annotations

from datetime import UTC, datetime

from catalyst.emulator import sample_path
from catalyst.filings.forms import parse, read_submission
from catalyst.filings.headline import headline
from catalyst.filings.prescore import prescore
from catalyst.filings.rules import from_rules
from catalyst.filings.types import Filing


def test_the_hostile_filing_is_told_without_its_instructions():
    [path] = (sample_path() / "filings").glob("*/*0009990017-26-000106*")
    submission = read_submission(path.read_bytes())
    header = submission.header
    now = datetime(2026, 2, 5, 11, tzinfo=UTC)
    filing = Filing(header.accession, "8-K", header.parties, now, None, ("7.01", "8.01"), "", now)
    analysis = from_rules(filing, parse(submission), prescore("8-K", filing.items, False))
    said = " ".join((analysis.summary, headline(filing, "Zephrane Labs, Inc.", ("ZPHR",), analysis), *analysis.risks))
    for poison in ("$9", "9,000,000,000", "buy", "sentiment", "analyst", "everyone", "Answer"):
        assert poison not in said
    assert "notice from Nasdaq" in analysis.summary
    assert analysis.label != "bullish"
    assert any("speak to a model" in rule for rule in analysis.rules)
