"""Whether a quoted passage says what a fact says: value, unit, scale, name, sign, end of a range and period.

Start with `says`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import islice

from catalyst.filings import periods
from catalyst.filings.amounts import Amount, amounts
from catalyst.filings.evidence import Evidence, declared
from catalyst.filings.metrics import RATIOS, Metric, metric_of
from catalyst.filings.naming import Place, holds_word, named
from catalyst.filings.tabled import Tabled
from catalyst.stream.types import Fact

_NEAR = 240
_MOST_CANDIDATES = 8
"""Figures of one quote that may be the one meant."""
_DOWN = re.compile(r"\b(?:decreas\w+|declin\w+|down|fell|drop\w*|lower|reduc\w+)\b[^.;]{0,40}$")
_LOSS = re.compile(r"\bloss\b")
_GAIN = re.compile(r"income|profit|earnings|\(loss\)|eps|ebitda|per (?:diluted |basic )?share$")
_EITHER = re.compile(r"(?<!\()\bloss(?:es)?\b|\bincome\b|\bearnings\b|\bprofit\b|\bgain\b")
_MARGIN = re.compile(r"(?:plus or minus|plus/minus|\+/-|±)\s?(?P<share>\d{1,2}(?:\.\d{1,2})?)\s?(?:%|percent)")
_SECOND = re.compile(r"\d[\d.,]*\s?(?:million|billion|thousand|%)?\s?(?:to|-|and|through)\s?(?:us)?\$?$")
_FIRST = re.compile(r"\s?(?:to|-|and|through)\s?(?:us)?\$?\d")
_GUIDED = "guidance"


def says(evidence: Evidence, start: int, end: int, fact: Fact, report: date | None, tabled: Tabled) -> bool:
    """Whether the text from `start` to `end`, one place of the fact's quote, says what the fact says."""
    place = Place(evidence, start, end)
    if isinstance(fact.value, str):
        return _says_term(place, fact.value)
    found = islice(_candidates(place, fact.value, fact.scope == _GUIDED), _MOST_CANDIDATES)
    return any(_says_amount(place, amount, fact, report, tabled) for amount in found)


def _says_term(place: Place, value: str) -> bool:
    wanted = " ".join(value.lower().split())
    return bool(wanted) and wanted in place.words.replace("\n", " ")


def _candidates(place: Place, value: Decimal, guided: bool) -> Iterator[Amount]:
    """The amounts of the quote with the value's digits, and those that its "plus or minus 2%" makes the value of."""
    digits = abs(value.normalize()).as_tuple().digits
    margin = _MARGIN.search(place.words) if guided else None
    share = Decimal(margin["share"]) / 100 if margin else None
    for amount in amounts(place.evidence.text, place.start, place.end):
        if amount.digits.normalize().as_tuple().digits == digits:
            yield amount
        elif share and amount.value and abs(value / amount.value - 1) == share:
            yield replace(amount, value=value)


def _says_amount(place: Place, amount: Amount, fact: Fact, report: date | None, tabled: Tabled) -> bool:
    value = fact.value
    assert isinstance(value, Decimal)
    metric = metric_of(fact.name)
    if not _unit_ok(place, amount, fact, metric):
        return False
    if place.evidence.is_row(amount.start):
        start, end = place.evidence.line(amount.start)
        told = tabled.judges(place.evidence.lower[start:end], fact, metric)
        if told is not None:
            return told
    return (
        abs(declared(place.evidence, amount, fact.unit)) == abs(value)
        and _end_ok(place, amount, fact)
        and (words := named(place, amount, fact.name, metric)) is not None
        and _sign_ok(place, amount, value, fact.name, metric, words)
        and periods.supported(place.evidence, amount, place.start, place.end, fact.period, fact.scope, report)
    )


def _end_ok(place: Place, amount: Amount, fact: Fact) -> bool:
    """Whether a `_low` is no range's second figure, and a `_high` no first; of negative ones either order is met."""
    if fact.scope != _GUIDED or amount.value < 0 or (isinstance(fact.value, Decimal) and fact.value < 0):
        return True
    lower = place.evidence.lower
    if fact.name.endswith("_low"):
        return _SECOND.search(lower, max(place.start, amount.start - 40), amount.start) is None
    return not fact.name.endswith("_high") or _FIRST.match(lower, amount.end) is None


def _unit_ok(place: Place, amount: Amount, fact: Fact, metric: Metric | None) -> bool:
    unit, row = fact.unit, place.evidence.is_row(amount.start)
    ratio = bool(RATIOS & set(fact.name.lower().split("_")))
    if metric and not _fits(metric.unit, unit, ratio):
        return False
    if unit == "%":
        return amount.kind == "percent" or (row and "%" in _label(place, amount))
    if amount.kind == "percent":
        return False
    if unit in ("shares", "ADS", "warrants"):
        return amount.kind == "shares" or (not amount.currency and (row or "share" in place.words))
    if unit == "":
        return amount.kind in ("plain", "shares", "year")
    if unit.partition("/")[0].isupper() and len(unit.partition("/")[0]) == 3:
        return _money_ok(place.evidence, amount, unit.partition("/")[0], row)
    return holds_word(place.words, unit.lower().rstrip("s")[:5])


def _money_ok(evidence: Evidence, amount: Amount, currency: str, row: bool) -> bool:
    if amount.currency:
        return amount.currency == currency
    if evidence.is_foreign if currency == "USD" else not evidence.is_in(currency):
        return False
    return amount.kind in ("plain", "year") and (row or amount.scale > 0)


def _fits(kind: str, unit: str, ratio: bool) -> bool:
    """Whether a figure of this kind can be measured in that unit."""
    if kind == "any" or (ratio and unit == "%"):
        return True
    if kind == "money":
        return len(unit) == 3 and unit.isupper()
    return unit.endswith("/share") if kind == "per_share" else unit == {"shares": "shares", "percent": "%"}.get(kind)


def _sign_ok(place: Place, amount: Amount, value: Decimal, name: str, metric: Metric | None, words: str) -> bool:
    negative = amount.value < 0
    if set(name.lower().split("_")) & {"growth", "change"} and not negative:
        lead = place.evidence.lower[max(place.start, amount.start - 60) : amount.start]
        negative = _DOWN.search(lead) is not None
    elif metric and metric.signed and _is_loss(place, amount, words):
        negative = True
    elif "loss" in name.split("_"):
        return True
    if negative and amount.value < 0 and metric and not metric.signed:
        return True
    return (value < 0) == negative or value == 0


def _is_loss(place: Place, amount: Amount, words: str) -> bool:
    """Whether the words say a loss; a bare "per diluted share" of a sentence is what was named before it."""
    if _LOSS.search(words):
        return not _GAIN.search(words.replace("net loss per", ""))
    if _EITHER.search(words) or place.evidence.is_row(amount.start):
        return False
    told = [found.group() for found in _EITHER.finditer(place.evidence.lower, place.start, amount.start)]
    return bool(told) and told[-1].startswith("loss")


def _label(place: Place, amount: Amount) -> str:
    start, _ = place.evidence.line(amount.start)
    return place.evidence.lower[max(0, start - _NEAR) : amount.end + 4]
