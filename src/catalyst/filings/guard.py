"""Decide how far a model's judgement of an untrusted text counts. Start with `verdict`.

The second check against filings that instruct the model. A label other than the rules' one counts only with a sentence
of the filing that carries it: found there word for word, no talk of judging, and pointing the model's way by the
lexicon. So an instruction that slips through moves no label that the filing's own words don't bear out. Where a passage
spoke to the model, the label is the rules'. Priority is never the model's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalyst.filings.sanitize import talks_of_judging
from catalyst.sentiment import NEUTRAL_BELOW, score
from catalyst.stream.types import Analysis, Label

_STRONG = 0.4
"""From this on, the rules' sentiment is not talked down to neutral."""
_SIGNS: dict[Label, int] = {"bullish": 1, "neutral": 0, "bearish": -1}
_LEAST = 0.2
"""The smallest sentiment of a label that is not neutral."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The label that counts, and why."""

    label: Label
    sentiment: float
    confidence: float
    rule: str


def verdict(
    label: Label, sentiment: float, confidence: float, evidence: Sequence[str], rules: Analysis, removed: int
) -> Verdict:
    """Weigh a model's label. `evidence` holds only sentences found in what the model was shown."""
    if removed:
        return _rules_win(rules, f"{removed} passages that speak to a model removed: label from rules")
    if label == rules.label or (label == "neutral" and abs(rules.sentiment or 0.0) < _STRONG):
        return Verdict(label, _signed(label, sentiment), confidence, f"model: {label}")
    if label == "neutral":
        return _rules_win(rules, "model says neutral against strong rules: label from rules")
    carrying = [sentence for sentence in evidence if not talks_of_judging(sentence)]
    if not carrying:
        return _rules_win(rules, f"model says {label} without a sentence of the filing: label from rules")
    if not any(score(sentence).value * _SIGNS[label] > 0 for sentence in carrying):
        return _rules_win(rules, f"model says {label} against its own evidence: label from rules")
    return Verdict(label, _signed(label, sentiment), confidence, f"model: {label}, by a sentence of the filing")


def _rules_win(rules: Analysis, rule: str) -> Verdict:
    return Verdict(rules.label, rules.sentiment or 0.0, min(rules.confidence or 0.3, 0.5), rule)


def _signed(label: Label, sentiment: float) -> float:
    """The sentiment within its label's range."""
    sign = _SIGNS[label]
    if sign == 0:
        return max(-NEUTRAL_BELOW, min(NEUTRAL_BELOW, sentiment))
    return sign * max(_LEAST, sentiment * sign)
