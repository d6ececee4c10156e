"""The lexicon's judgement of headlines."""

from __future__ import annotations

import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.sentiment import label_of, score

HEADLINE = "Acme Corp beats estimates as third-quarter revenue rises 12%, but lowers its outlook for 2026"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Acme beats estimates and raises guidance", "bullish"),
        ("Acme misses estimates and cuts guidance", "bearish"),
        ("Revenue rose 12 percent", "bullish"),
        ("Revenue fell 12 percent", "bearish"),
        ("Net loss narrowed to $3 million", "bullish"),
        ("Net loss widened to $3 million", "bearish"),
        ("Operating costs fell 10 percent", "bullish"),
        ("Debt increased sharply", "bearish"),
        ("Acme files for Chapter 11", "bearish"),
        ("Acme to present at a conference", "neutral"),
        ("Repeat customers eat peas", "neutral"),
        ("", "neutral"),
    ],
)
def test_a_headline_is_read_by_what_moves_which_way(text: str, label: str) -> None:
    assert score(text).label == label


@pytest.mark.parametrize("text", ["Analysts are not bullish on Acme", "never bullish", "not so bullish"])
def test_a_negated_word_does_not_count_as_itself(text: str) -> None:
    assert score(text).label != "bullish"


def test_two_negations_cancel() -> None:
    assert score("not without strong demand").value > 0


def test_a_negated_bad_word_is_hardly_good() -> None:
    assert 0 < score("no default").value < score("strong results").value


def test_hits_show_what_made_the_value() -> None:
    assert score("Analysts are not bullish").hits == ("not bullish",)


def test_only_the_first_two_kilobytes_are_read() -> None:
    assert score("word " * 500 + "bankruptcy").value == 0
    assert score("word " * 500 + "bankruptcy", limit=10_000).value < 0


@given(st.text(max_size=3000))
def test_any_text_scores_between_minus_one_and_one_and_agrees_with_its_label(text: str) -> None:
    found = score(text)
    assert -1 <= found.value <= 1
    assert found.label == label_of(found.value)


def test_a_headline_takes_less_than_100_microseconds_at_p99() -> None:
    if sys.gettrace() is not None:
        pytest.skip("under coverage every line costs more")
    score(HEADLINE)
    taken = []
    for _ in range(2000):
        start = time.thread_time()
        score(HEADLINE)
        taken.append(time.thread_time() - start)
    assert sorted(taken)[1979] < 100e-6


def test_the_worst_two_kilobytes_stay_bounded() -> None:
    text = "loss falls " * 1000
    start = time.process_time()
    score(text)
    assert time.process_time() - start < 0.05
