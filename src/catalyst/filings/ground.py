"""Look up every number and quote of an analysis in the filing itself. Start with `ground`.

A fact is verified when its quote stands in the text word for word and the quote holds the value, with that unit,
scale and sign, under that name and for that period; or when the filing's structured data (XBRL, ownership XML) holds
the same. A number in the summary or a risk that stands nowhere in the filing is followed by `[unverified]`; prose is
not checked for what it calls the number.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from catalyst.filings import periods
from catalyst.filings.amounts import Amount, amounts
from catalyst.filings.evidence import Evidence, declared
from catalyst.filings.metrics import Mention, Metric, mentions, metric_of, supports
from catalyst.filings.types import Parsed
from catalyst.stream.types import Analysis, Fact

UNVERIFIED = "[unverified]"

_NEAR = 240
"""How many characters above a row without a telling label may hold its name."""
_RATIO = frozenset(("growth", "change", "margin", "pct", "percent", "rate", "yield", "increase", "decrease", "decline"))
_DOWN = re.compile(r"\b(?:decreas\w+|declin\w+|down|fell|drop\w*|lower|reduc\w+)\b[^.;]{0,40}$")
_LOSS = re.compile(r"\bloss\b")
_GAIN = re.compile(r"income|profit|earnings|\(loss\)|eps|ebitda|per (?:diluted |basic )?share$")
_LABEL = re.compile(
    r"(?:items?|rules?|sections?|forms?|exhibits?|chapter|phase|part|regulation|no\.|page)\s?$", re.IGNORECASE
)
_MONTH = re.compile(
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december|jan\.?|feb\.?|mar\.?|apr\.?|"
    r"aug\.?|sept?\.?|oct\.?|nov\.?|dec\.?)\s$",
    re.IGNORECASE,
)
_IMMEDIATE = re.compile(
    r"[\s)]{0,2}(?:million|billion|thousand)?\s?(?:in|of)?\s?(?:(?:total|net|quarterly|annual|its|our)\s)?$"
)
_EARNINGS = re.compile(r"earnings|income|loss|eps|profit")


@dataclass(frozen=True, slots=True)
class _Place:
    """One place where a fact's quote stands."""

    evidence: Evidence
    start: int
    end: int


def ground(analysis: Analysis, parsed: Parsed, derived: Sequence[Decimal] = ()) -> Analysis:
    """The analysis with `verified` set on each fact, unfound numbers marked, and the share that was found.

    `derived` are values that our own rules computed from verified ones (shares times price).
    """
    check = Grounding(parsed)
    facts = [fact.model_copy(update={"verified": check.holds(fact)}) for fact in analysis.facts]
    checked = _Marks(check, facts, derived)
    summary = checked.mark(analysis.summary)
    risks = [checked.mark(risk) for risk in analysis.risks]
    total = len(facts) + checked.total
    found = sum(fact.verified for fact in facts) + checked.found
    share = round(found / total, 4) if total else None
    return analysis.model_copy(update={"facts": facts, "summary": summary, "risks": risks, "grounded_share": share})


class Grounding:
    """One filing, indexed once, to check facts and numbers against."""

    def __init__(self, parsed: Parsed) -> None:
        self._parsed = parsed
        self._report = parsed.header.period
        self._structured = frozenset(_key(fact) for fact in parsed.facts if fact.verified or not fact.quote)

    @functools.cached_property
    def evidence(self) -> Evidence:
        return Evidence.of(self._parsed)

    def holds(self, fact: Fact) -> bool:
        """Whether a fact stands in the filing as it says."""
        if _key(fact) in self._structured:
            return True
        places = self.evidence.places(fact.quote) if fact.quote else []
        return any(_says(_Place(self.evidence, start, end), fact, self._report) for start, end in places)

    def quotes(self, text: str) -> bool:
        """Whether a passage stands in the filing word for word."""
        return bool(self.evidence.places(text))


class _Marks:
    """Marks the numbers of prose that are neither in the filing nor a rounded verified fact; counts both."""

    def __init__(self, check: Grounding, facts: Sequence[Fact], derived: Sequence[Decimal]) -> None:
        self._check = check
        known = [fact.value for fact in facts if fact.verified and isinstance(fact.value, Decimal)]
        self._values = [abs(value) for value in (*known, *derived)]
        self.total = self.found = 0

    def mark(self, text: str) -> str:
        text = text.replace(f" {UNVERIFIED}", "")
        missing = []
        for amount in amounts(text):
            if _LABEL.search(text, max(0, amount.start - 12), amount.start):
                continue
            self.total += 1
            if self._known(amount, text):
                self.found += 1
            else:
                missing.append(amount.end)
        for end in reversed(missing):
            text = f"{text[:end]} {UNVERIFIED}{text[end:]}"
        return text

    def _known(self, amount: Amount, text: str) -> bool:
        month = _MONTH.search(text, max(0, amount.start - 12), amount.start)
        if month:
            return self._check.quotes(text[month.start() : amount.end])
        return any(_rounds_to(value, amount) for value in self._values) or self._check.evidence.has(amount)


def _rounds_to(value: Decimal, amount: Amount) -> bool:
    """Whether a number is a known value, rounded as far as it shows, with two digits at least."""
    if abs(amount.value) == value:
        return True
    if len(str(amount.digits).replace(".", "").lstrip("0")) < 2:
        return False
    step = Decimal(1).scaleb(amount.scale - amount.decimals)
    return abs(abs(amount.value) - value) * 2 <= step


def _key(fact: Fact) -> tuple[object, ...]:
    value = fact.value.normalize() if isinstance(fact.value, Decimal) else " ".join(fact.value.lower().split())
    return fact.name, value, fact.unit, periods.read_period(fact.period) or fact.period, fact.scope


def _says(place: _Place, fact: Fact, report: date | None) -> bool:
    """Whether the text at one place of the quote says what the fact says."""
    if isinstance(fact.value, str):
        return _says_term(place, fact.value)
    return any(_says_amount(place, amount, fact, report) for amount in _candidates(place, fact.value))


def _says_term(place: _Place, value: str) -> bool:
    wanted = " ".join(value.lower().split())
    return bool(wanted) and wanted in place.evidence.lower[place.start : place.end].replace("\n", " ")


def _candidates(place: _Place, value: Decimal) -> Iterator[Amount]:
    digits = str(abs(value.normalize()).as_tuple().digits)
    for amount in amounts(place.evidence.text, place.start, place.end):
        if str(amount.digits.normalize().as_tuple().digits) == digits:
            yield amount


def _says_amount(place: _Place, amount: Amount, fact: Fact, report: date | None) -> bool:
    value = fact.value
    assert isinstance(value, Decimal)
    metric = metric_of(fact.name)
    return (
        abs(declared(place.evidence, amount, fact.unit)) == abs(value)
        and _unit_ok(place, amount, fact, metric)
        and (name := _named(place, amount, fact, metric)) is not None
        and _sign_ok(place, amount, value, fact.name, metric, name)
        and periods.supported(place.evidence, amount, place.start, place.end, fact.period, fact.scope, report)
    )


def _unit_ok(place: _Place, amount: Amount, fact: Fact, metric: Metric | None) -> bool:
    unit, row = fact.unit, place.evidence.is_row(amount.start)
    ratio = bool(_RATIO & set(fact.name.lower().split("_")))
    if metric and not _fits(metric.unit, unit, ratio):
        return False
    if unit == "%":
        return amount.kind == "percent" or (row and "%" in _label(place, amount))
    if amount.kind == "percent":
        return False
    if unit in ("shares", "ADS", "warrants"):
        return amount.kind == "shares" or (not amount.currency and (row or "share" in _quote(place)))
    if unit == "":
        return amount.kind in ("plain", "shares", "year")
    if unit.partition("/")[0].isupper() and len(unit.partition("/")[0]) == 3:
        return _money_ok(place.evidence, amount, unit.partition("/")[0], row)
    return _holds_word(_quote(place), unit.lower().rstrip("s")[:5])


def _money_ok(evidence: Evidence, amount: Amount, currency: str, row: bool) -> bool:
    if amount.currency:
        return amount.currency == currency
    if currency != "USD" and not evidence.is_in(currency):
        return False
    return amount.kind in ("plain", "year") and (row or amount.scale > 0)


def _fits(kind: str, unit: str, ratio: bool) -> bool:
    """Whether a figure of this kind can be measured in that unit."""
    if kind == "any" or (ratio and unit == "%"):
        return True
    if kind == "money":
        return len(unit) == 3 and unit.isupper()
    return unit.endswith("/share") if kind == "per_share" else unit == {"shares": "shares", "percent": "%"}.get(kind)


def _named(place: _Place, amount: Amount, fact: Fact, metric: Metric | None) -> str | None:
    """The words in or near the quote that call the amount by the fact's name, or None."""
    if metric is None:
        return _generic_name(place, amount, fact.name)
    mention = _row_mention(place, amount, metric) if place.evidence.is_row(amount.start) else None
    mention = mention or (None if place.evidence.is_row(amount.start) else _prose_mention(place, amount, metric))
    if mention is None or not (supports(metric, mention.metric) or _plain_price(place, metric, mention.metric)):
        return None
    if _bare_per_share(place, metric, mention):
        return None
    return place.evidence.lower[mention.start : mention.end]


def _row_mention(place: _Place, amount: Amount, metric: Metric) -> Mention | None:
    """The figure named by a row's label, or else by the lines right above it."""
    start, _ = place.evidence.line(amount.start)
    first = place.evidence.lower.find(" | ", start, amount.start)
    found = _mentions(place.evidence, start, first if first >= 0 else amount.start)
    if not found:
        found = _mentions(place.evidence, max(0, start - _NEAR), start)[-1:]
    return next((mention for mention in found if supports(metric, mention.metric)), found[0] if found else None)


def _prose_mention(place: _Place, amount: Amount, metric: Metric) -> Mention | None:
    """The figure that a sentence gives the amount to: named right behind it, else last named before it."""
    found = _mentions(place.evidence, place.start, place.end)
    before = [mention for mention in found if mention.end <= amount.start]
    after = [mention for mention in found if mention.start >= amount.end]
    nearest = before[-1] if before else None
    if after and _IMMEDIATE.fullmatch(place.evidence.lower[amount.end : after[0].start]):
        if after[0].metric.name != "eps" or nearest is None or nearest.metric.unit != "per_share":
            return after[0]
        return nearest
    return nearest or (after[0] if after and after[0].start - amount.end < 60 else None)


def _mentions(evidence: Evidence, start: int, end: int) -> list[Mention]:
    text = evidence.lower[start:end].replace("\n", " ")
    return [Mention(start + found.start, start + found.end, found.metric) for found in mentions(text)]


def _bare_per_share(place: _Place, metric: Metric, mention: Mention) -> bool:
    """Whether a mere "per share" is called earnings by a sentence that tells of none."""
    words = place.evidence.lower[mention.start : mention.end]
    near = place.evidence.lower[max(0, place.start - _NEAR) : place.end]
    return metric.name.startswith("eps") and words in ("per share", "a share") and not _EARNINGS.search(near)


def _holds_word(text: str, start: str) -> bool:
    return re.search(rf"\b{re.escape(start)}", text) is not None


def _plain_price(place: _Place, metric: Metric, mentioned: Metric) -> bool:
    """A price "per share" is one where the sentence is not about earnings."""
    return metric.name == "price_per_share" and mentioned.name == "eps" and not _EARNINGS.search(_quote(place))


def _generic_name(place: _Place, amount: Amount, name: str) -> str | None:
    """A name outside the list: one of its words must stand in or near the quote, no other figure's name nearer."""
    words = [word[:5] for word in re.split(r"[\W_]+", name.lower()) if len(word) > 2 and word not in _RATIO]
    near = place.evidence.lower[max(0, place.start - _NEAR) : place.end]
    if not any(_holds_word(near, word) for word in words):
        return None
    before = [mention for mention in _mentions(place.evidence, place.start, place.end) if mention.end <= amount.start]
    if before and amount.start - before[-1].end < 25:
        last = place.evidence.lower[before[-1].start : before[-1].end]
        return last if any(_holds_word(last, word) for word in words) else None
    return ""


def _sign_ok(place: _Place, amount: Amount, value: Decimal, name: str, metric: Metric | None, words: str) -> bool:
    negative = amount.value < 0
    if set(name.lower().split("_")) & {"growth", "change"} and not negative:
        lead = place.evidence.lower[max(place.start, amount.start - 60) : amount.start]
        negative = _DOWN.search(lead) is not None
    elif metric and metric.signed and _LOSS.search(words) and not _GAIN.search(words.replace("net loss per", "")):
        negative = True
    elif "loss" in name.split("_"):
        return True
    if negative and amount.value < 0 and metric and not metric.signed:
        return True
    return (value < 0) == negative or value == 0


def _label(place: _Place, amount: Amount) -> str:
    start, _ = place.evidence.line(amount.start)
    return place.evidence.lower[max(0, start - _NEAR) : amount.end + 4]


def _quote(place: _Place) -> str:
    return place.evidence.lower[place.start : place.end]
