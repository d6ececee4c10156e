"""Words and phrases."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from catalyst.sentiment.words import Phrases, words


def test_words_are_lower_case_and_parted_at_hyphens_but_not_at_apostrophes() -> None:
    assert words("At-the-Market: isn’t 10.5% O'Neil") == ["at", "the", "market", "isn't", "10", "5", "o'neil"]


def test_a_phrase_is_never_found_inside_a_word() -> None:
    assert list(Phrases({"pea": 1}).find(words("repeat peach pearl"))) == []
    assert list(Phrases({"pea": 1}).find(words("a pea"))) == [(1, 1, 1)]


def test_the_longest_phrase_wins_and_none_overlap() -> None:
    phrases = Phrases({"net": 1, "net loss": 2, "loss per share": 3})
    assert list(phrases.find(words("net loss per share"))) == [(0, 2, 2)]


def test_a_star_takes_plural_and_verb_endings_only() -> None:
    phrases = Phrases({"acquire*": 1})
    hits = [
        words("acquire acquires acquired acquiring acquirer acquisition")[i]
        for i, _, _ in phrases.find(words("acquire acquires acquired acquiring acquirer acquisition"))
    ]
    assert hits == ["acquire", "acquires", "acquired", "acquiring"]


@given(st.text(max_size=300))
def test_any_text_is_parted_without_an_error(text: str) -> None:
    tokens = words(text)
    for start, length, _ in Phrases({"a b": 1, "net loss*": 2}).find(tokens):
        assert 0 <= start <= start + length <= len(tokens)


def test_a_long_text_takes_linear_time() -> None:
    phrases = Phrases({"event of default": 1, "event": 2})
    times = []
    for size in (20_000, 80_000):
        tokens = words("event of " * size)
        start = time.process_time()
        assert sum(1 for _ in phrases.find(tokens)) == size
        times.append(time.process_time() - start)
    assert times[1] < 12 * max(times[0], 0.002)
