"""Score a headline in well under 100 µs: named signs and word pairs, weighed by the shipped table. Start with `Scorer`.

Two numbers come out. `value` says which way (-1 bearish to 1 bullish); `relevance` says whether it says anything at
all, bad or good alike, and decides with the mandatory words what a model should see (`wanted`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from catalyst.sentiment.signs import Signs, signs
from catalyst.sentiment.table import Pair, Table, shipped

MIN_RELEVANCE = 0.20
"""Default of MISTRAL_MIN_PRESCALE."""

_HALF = 1.2
"""Sum of rule weights at which the rules' value stands at 1/sqrt(2)."""

Label = Literal["bullish", "bearish", "neutral"]


@dataclass(frozen=True, slots=True)
class Score:
    """What a headline says. `value` and `rule` run from -1 (bad for holders) to 1 (good)."""

    value: float
    label: Label
    relevance: float
    """0 to 1: how likely it says something, whichever way."""
    rule: float
    """By the lexicon and directions alone, without trained weights."""
    hits: tuple[str, ...] = ()
    """The words that made `rule`; a turned one with `not ` before it."""
    must: bool = False
    """It holds a word that is always worth a closer look: a bankruptcy, an offer, a profit warning."""


class Scorer:
    """Weighs headlines by a table; by default the one that ships."""

    def __init__(self, table: Table | None = None) -> None:
        self.table = table or shipped()

    def score(self, text: str) -> Score:
        """Score a text's first 2 kB. Never fails, whatever the text."""
        made = signs(text)
        bad, good = self._odds(made)
        total = 1.0 + bad + good
        bad, good = bad / total, good / total
        rule = made.rule / math.sqrt(made.rule * made.rule + _HALF * _HALF)
        value, label = good - bad, _label(bad, good)
        if _contradicts(made, value):
            value, label = rule, "neutral" if abs(rule) < 0.15 else "bullish" if rule > 0 else "bearish"
        return Score(round(value, 4), label, round(bad + good, 4), round(rule, 4), tuple(made.hits), made.must)

    def _odds(self, made: Signs) -> Pair:
        table = self.table
        bad, good = table.bias
        for name, amount in made.counts.items():
            pair = table.signs.get(name)
            if pair is not None:
                bad += pair[0] * amount
                good += pair[1] * amount
        for pair in map(table.words.get, made.words):
            if pair is not None:
                bad += pair[0]
                good += pair[1]
        return math.exp(min(30.0, bad)), math.exp(min(30.0, good))


def wanted(score: Score, min_relevance: float = MIN_RELEVANCE) -> bool:
    """Whether a model should see it: relevant by the unsigned score, or by a mandatory word."""
    return score.must or score.relevance >= min_relevance


def _label(bad: float, good: float) -> Label:
    if 1.0 - bad - good >= max(bad, good):
        return "neutral"
    return "bullish" if good > bad else "bearish"


def _contradicts(made: Signs, value: float) -> bool:
    """Whether everything said was negated and the weights still lean the other way: `not bullish` is not bullish."""
    return bool(made.hits) and value * made.rule < 0 and all(hit.startswith("not ") for hit in made.hits)
