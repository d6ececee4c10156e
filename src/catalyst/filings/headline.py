"""One line that tells a trader what was filed: at most 200 characters, verified numbers only. Start with `headline`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from catalyst.filings.amounts import amounts, shown
from catalyst.filings.ground import UNVERIFIED
from catalyst.filings.prescore import lead_item, rows
from catalyst.filings.types import Filing
from catalyst.stream.types import Analysis, Fact

MAX_CHARS = 200
_MAX_NAME = 60
_FIGURES = 3

_NAMES = {
    "revenue": "revenue",
    "net_income": "net income",
    "eps_diluted": "EPS",
    "eps_basic": "EPS (basic)",
    "operating_income": "operating income",
    "guidance_revenue_low": "revenue guidance from",
    "guidance_eps_low": "EPS guidance from",
    "offering_size": "offering of",
    "offering_price": "priced at",
    "price_per_share": "priced at",
    "shares_offered": "offered",
    "stake_percent": "stake",
    "percent_of_class": "stake",
    "shares_owned": "owns",
}
"""Facts that a headline tells, in order of interest; each with the words before its value."""


_LARGEST = ("stake_percent", "percent_of_class", "shares_owned")
"""Of a group, each member reports its own: the largest is the group's."""


def headline(filing: Filing, company: str, tickers: Sequence[str], analysis: Analysis) -> str:
    """Who, what and the figures that were found in the filing. Unverified numbers never stand in it."""
    lead = f"{_who(filing, company, tickers)}: {_what(filing, analysis)}"
    figures = "; ".join(_figures(analysis.facts))
    if figures:
        return _cut(f"{lead}: {figures}")
    if analysis.source == "feed":
        return _cut(lead)
    return _cut(f"{lead}: {sentence}") if (sentence := _sentence(analysis, MAX_CHARS - len(lead) - 2)) else _cut(lead)


def _who(filing: Filing, company: str, tickers: Sequence[str]) -> str:
    name = " ".join((company or filing.subject.name or "Unknown filer").split())[:_MAX_NAME].strip()
    return f"{tickers[0]} ({name})" if tickers else name


def _what(filing: Filing, analysis: Analysis) -> str:
    row = rows(filing.form, filing.items)
    event = analysis.event_types[0] if analysis.event_types else row[0].event
    item = lead_item(filing.items) if filing.form.startswith("8-K") else ""
    return f"{event} ({' '.join(part for part in (filing.form[:20], item[:8]) if part)})"


def _figures(facts: Sequence[Fact]) -> Iterator[str]:
    told = 0
    for name, words in _NAMES.items():
        values = [
            (fact.value, fact.unit) for fact in facts if fact.name == name and fact.verified and fact.scope != "prior"
        ]
        numbers = [(value, unit) for value, unit in values if isinstance(value, Decimal)]
        if not numbers or told == _FIGURES:
            continue
        told += 1
        value, unit = max(numbers) if name in _LARGEST else numbers[0]
        yield f"{words} {shown(value, unit)}"


def _sentence(analysis: Analysis, room: int) -> str:
    """The summary's start, cut at a word, when none of its numbers is unverified."""
    first = " ".join(analysis.summary.split())
    if not first or room < 30:
        return ""
    cut = first if len(first) <= room else first[: room - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"
    marked = UNVERIFIED in first[: len(cut) + len(UNVERIFIED) + 2]
    return "" if marked and any(True for _ in amounts(cut)) else cut


def _cut(line: str) -> str:
    line = " ".join(line.split())
    return line if len(line) <= MAX_CHARS else line[: MAX_CHARS - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"
