"""What a short text says about a company's fortunes, by a lexicon, directions and negation. Start with `score`.

Linear in the text, which is cut at 2 kB. The lexicon in `data/lexicon.toml` is our own; its figures are not calibrated.
"""

from __future__ import annotations

import functools
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal, NamedTuple

from catalyst.sentiment.words import Phrases, words

TEXT_BYTES = 2048
NEUTRAL_BELOW = 0.15
"""An absolute value under this is neutral."""

_STRENGTHS = {"strong": 1.0, "plain": 0.6, "mild": 0.3}
_NEGATION_REACH = 3
_DIRECTION_REACH = 4
_SUBJECT_REACH = 14
"""A subject may stand far before its move: "revenue for the third quarter was $1.2 billion, an increase of 12%"."""
_UNKNOWN_OBJECT = 0.3
"""How much an up or down counts when what moved is not known."""
_TURNED_GOOD, _TURNED_BAD = -0.7, -0.3
"""`not strong` is bad; `no default` is hardly good."""
_HALF = 1.2
"""Sum of weights at which the value stands at 1/sqrt(2): more evidence, more certainty, never past 1."""


@dataclass(frozen=True, slots=True)
class Sentiment:
    """-1 (bad for holders) to 1 (good); `hits` are the words that made it, a turned one with `not ` before it."""

    value: float
    label: Literal["bullish", "bearish", "neutral"]
    hits: tuple[str, ...] = ()


class _Entry(NamedTuple):
    kind: Literal["tone", "direction", "object", "nothing"]
    weight: float


def score(text: str, *, limit: int = TEXT_BYTES) -> Sentiment:
    """Score a text's first `limit` characters."""
    tokens = words(text[:limit])
    phrases, negations = _lexicon()
    found = list(phrases.find(tokens))
    turns = [index for index, token in enumerate(tokens) if token in negations]
    objects = [(start, entry.weight) for start, _, entry in found if entry.kind == "object"]
    total, hits = 0.0, []
    for start, length, entry in found:
        weight = _weight(entry, start, objects)
        if weight == 0.0:
            continue
        turned = _turned(start, turns)
        total += weight * (_TURNED_GOOD if weight > 0 else _TURNED_BAD) if turned else weight
        hits.append(("not " if turned else "") + " ".join(tokens[start : start + length]))
    return _sentiment(total, hits)


def label_of(value: float) -> Literal["bullish", "bearish", "neutral"]:
    """The label of a value from -1 to 1."""
    if abs(value) < NEUTRAL_BELOW:
        return "neutral"
    return "bullish" if value > 0 else "bearish"


def _sentiment(total: float, hits: Iterable[str]) -> Sentiment:
    value = round(total / math.sqrt(total * total + _HALF * _HALF), 4)
    return Sentiment(value, label_of(value), tuple(hits))


def _weight(entry: _Entry, start: int, objects: list[tuple[int, float]]) -> float:
    if entry.kind == "tone":
        return entry.weight
    if entry.kind in ("object", "nothing"):
        return 0.0
    near = [(abs(place - start), sign) for place, sign in objects if abs(place - start) <= _DIRECTION_REACH]
    if near:
        return entry.weight * min(near)[1] * 0.6
    before = [(start - place, sign) for place, sign in objects if 0 < start - place <= _SUBJECT_REACH]
    return entry.weight * min(before)[1] * 0.5 if before else entry.weight * _UNKNOWN_OBJECT


def _turned(start: int, turns: list[int]) -> bool:
    """Whether an odd number of negations stands within reach before a word."""
    return sum(0 < start - turn <= _NEGATION_REACH for turn in turns) % 2 == 1


@functools.cache
def _lexicon() -> tuple[Phrases[_Entry], frozenset[str]]:
    """The lexicon, read once at first use."""
    data = tomllib.loads((files(__package__) / "data" / "lexicon.toml").read_text("utf-8"))
    return Phrases(_entries(data)), frozenset(data["negation"]["words"])


def _entries(data: Mapping[str, Any]) -> dict[str, _Entry]:
    found: dict[str, _Entry] = {}
    found |= {phrase: _Entry("nothing", 0.0) for phrase in data["neutral"]["words"]}
    direction = data["direction"]
    for sign, nouns in ((1.0, direction["good_when_up"]), (-1.0, direction["bad_when_up"])):
        found |= {noun: _Entry("object", sign) for noun in nouns}
    for sign, moves in ((1.0, direction["up"]), (-1.0, direction["down"])):
        found |= {move: _Entry("direction", sign) for move in moves}
    for sign, tones in ((1.0, data["positive"]), (-1.0, data["negative"])):
        for strength, weight in _STRENGTHS.items():
            found |= {tone: _Entry("tone", sign * weight) for tone in tones[strength] if _is_tone(tone, found)}
    return found


def _is_tone(word: str, known: Mapping[str, _Entry]) -> bool:
    """A word that names a thing (a loss, an outlook) or a move says nothing without the other."""
    return word not in known
