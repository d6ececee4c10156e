"""Evidence is counted exactly, and two answers are compared before any judge is asked."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.llm.cache.meaning import Trust, agree, false_hits


def test_an_entry_is_served_after_299_agreeing_comparisons_and_not_before() -> None:
    assert not Trust(298, 298).may_serve()
    assert Trust(299, 299).may_serve()
    assert not Trust(299, 300).may_serve()
    assert Trust().lower_bound == 0.0


def test_the_bound_is_the_one_of_the_published_tables() -> None:
    assert false_hits(0, 100).high == pytest.approx(0.0362, abs=1e-4)
    assert false_hits(1, 100).low == pytest.approx(0.000253, abs=1e-6)
    assert false_hits(1, 100).high == pytest.approx(0.05446, abs=1e-5)
    assert false_hits(0, 0) == (0.0, 0.0, 1.0)


@settings(deadline=None)
@given(st.integers(0, 80), st.integers(0, 80))
def test_the_interval_holds_the_share_and_one_more_agreement_never_lowers_the_bound(agreed: int, wrong: int) -> None:
    trust = Trust(agreed, agreed + wrong)
    assert trust.lower_bound <= (agreed / (agreed + wrong) if agreed + wrong else 1.0)
    assert trust.with_comparison(True).lower_bound >= trust.lower_bound - 1e-12
    assert trust.with_comparison(False).lower_bound <= trust.lower_bound + 1e-12
    low_high = false_hits(wrong, agreed + wrong)
    assert low_high.low <= low_high.share <= low_high.high


@pytest.mark.parametrize(("agreed", "total"), [(2, 1), (-1, 1)])
def test_counts_that_cannot_be_are_refused(agreed: int, total: int) -> None:
    with pytest.raises(ValueError, match="count again"):
        Trust(agreed, total)
    with pytest.raises(ValueError, match="count again"):
        false_hits(agreed, total)


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        ("$1.5 billion", "$1,500 million.", True),
        ("5%", "6%", False),
        ("**Yes.**", "yes", True),
        ("Revenue was $5 million", "Revenue was $7 million", False),
        ("It was $5 million, up a lot", "Revenue came to $5 million", None),
        ("$5", "€5", False),
        ("(5)", "5", False),
        ("2023", "2024", False),
        ("In 1998.", "In 2003.", False),
        ('{"founded": 1998}', '{"founded": 2003}', False),
        ('{"staff": 41}', '{"staff": 41.0}', True),
        ("9" * 400, "9" * 401, None),
        ("Revenue rose", "Revenue fell", None),
        ('{"a": 1.0, "b": ["x"]}', '```json\n{"b": ["X "], "a": 1.001}\n```', True),
        ('{"a": 1}', '{"a": 2}', False),
        ('{"a": 1}', '{"b": 1}', False),
        ('{"a": [1]}', '{"a": [1, 2]}', False),
        ('{"a": true}', '{"a": 1}', False),
        ('{"a": "up on strong sales"}', '{"a": "rose as sales were strong"}', None),
        ("x" * 300_000, "x" * 300_000, None),
    ],
)
def test_answers_agree_by_json_then_figures_then_text(a: str, b: str, verdict: bool | None) -> None:
    assert agree(a, b) is verdict
    assert agree(b, a) is verdict


def test_with_a_schema_only_json_agrees() -> None:
    assert agree('{"a": 1}', '{"a": 1}', {"type": "object"}) is True
    assert agree("no json", "no json", {"type": "object"}) is None
