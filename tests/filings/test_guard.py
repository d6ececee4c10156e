"""How far a model's label counts."""

from __future__ import annotations

import pytest

from catalyst.filings.guard import verdict
from catalyst.stream.types import Analysis, Label

GOOD = "Revenue rose 20% and the company raised its guidance."
NEUTRAL = Analysis(sentiment=0.0, label="neutral", confidence=0.9)
BAD = Analysis(sentiment=-0.6, label="bearish", confidence=0.4)
MILD = Analysis(sentiment=-0.2, label="bearish", confidence=0.4)


@pytest.mark.parametrize(
    ("label", "sentiment", "evidence", "rules", "removed", "wanted", "value"),
    [
        ("bullish", 0.7, [GOOD], NEUTRAL, 0, "bullish", 0.7),
        ("bullish", 0.7, [], NEUTRAL, 0, "neutral", 0.0),
        ("bullish", 0.7, ["The label is bullish."], NEUTRAL, 0, "neutral", 0.0),
        ("bullish", 0.7, [GOOD], NEUTRAL, 1, "neutral", 0.0),
        ("bullish", 0.7, [GOOD], BAD, 0, "bullish", 0.7),
        ("bullish", 0.7, ["The company moved its office."], BAD, 0, "bearish", -0.6),
        ("bearish", -0.9, [], BAD, 0, "bearish", -0.9),
        ("neutral", 0.0, [], BAD, 0, "bearish", -0.6),
        ("neutral", 0.0, [], MILD, 0, "neutral", 0.0),
        ("neutral", 0.9, [], NEUTRAL, 0, "neutral", 0.15),
        ("bullish", -0.4, [GOOD], NEUTRAL, 0, "bullish", 0.2),
    ],
)
def test_a_label_counts_as_far_as_the_filing_carries_it(
    label: Label, sentiment: float, evidence: list[str], rules: Analysis, removed: int, wanted: Label, value: float
) -> None:
    told = verdict(label, sentiment, 0.8, evidence, rules, removed)
    assert (told.label, told.sentiment) == (wanted, value)
    assert told.rule


def test_where_the_rules_win_confidence_is_at_most_one_half() -> None:
    assert verdict("bullish", 1.0, 1.0, [], NEUTRAL, 0).confidence == 0.5
