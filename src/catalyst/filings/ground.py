"""Look up every number and quote of an analysis in the filing itself. Start with `ground`.

A fact is verified when its quote stands in the text word for word and the quote holds the value, with that unit,
scale and sign, under that name and for that period (`claims`); or when the filing's structured data (XBRL, ownership
XML) holds the same. A row of a release's table is judged by the table's own headings where they can be read
(`tabled`). A number in the summary or a risk that stands nowhere in the filing is followed by `[unverified]`; prose is
not checked for what it calls the number.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from decimal import Decimal

from catalyst.filings import periods
from catalyst.filings.amounts import Amount, amounts
from catalyst.filings.claims import says
from catalyst.filings.evidence import Evidence
from catalyst.filings.tabled import Tabled
from catalyst.filings.types import Parsed
from catalyst.stream.types import Analysis, Fact

UNVERIFIED = "[unverified]"

_LABEL = re.compile(
    r"(?:items?|rules?|sections?|forms?|exhibits?|chapter|phase|part|regulation|no\.|page)\s?$", re.IGNORECASE
)
_MONTH = re.compile(
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december|jan\.?|feb\.?|mar\.?|apr\.?|"
    r"aug\.?|sept?\.?|oct\.?|nov\.?|dec\.?)\s$",
    re.IGNORECASE,
)


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
        return any(says(self.evidence, start, end, fact, self._report, self._tabled) for start, end in places)

    @functools.cached_property
    def _tabled(self) -> Tabled:
        releases = [exhibit.text for exhibit in self._parsed.exhibits if exhibit.type.startswith("EX-99")]
        return Tabled(releases or [self._parsed.text])

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
