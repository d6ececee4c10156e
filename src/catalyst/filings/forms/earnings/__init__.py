"""Earnings releases: revenue, net income, EPS, cash, dividend, guidance from tables and prose. Start with `earnings`.

Tables come first, since their columns say which period a number is about; sentences tell what no table does. Whatever
column, unit or period is in doubt is left out: a missing figure costs less than a wrong one. Every step is linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from catalyst.filings.forms.earnings.blocks import blocks_of
from catalyst.filings.forms.earnings.choose import chosen
from catalyst.filings.forms.earnings.guidance import Guided, guidance_in
from catalyst.filings.forms.earnings.passages import Passage, passages
from catalyst.filings.forms.earnings.prose import Told, cash, dividend, told
from catalyst.filings.forms.earnings.tables import Found, fact_name, found_in, main_period
from catalyst.filings.forms.parts import fact, quoted
from catalyst.stream.types import Fact

__all__ = ["earnings", "is_release"]

MAX_TEXT = 600_000
"""Text beyond this is not read: releases are a tenth of it."""
_ORDER = (
    "revenue",
    "net_income",
    "eps_diluted",
    "eps_adjusted",
    "eps_basic",
    "operating_income",
    "ebitda_adjusted",
    "net_income_adjusted",
    "operating_income_adjusted",
    "dividend_per_share",
    "cash",
    "eps_basic_adjusted",
)
_RELEASE = re.compile(
    r"\b(?:results|earnings|net (?:income|loss|earnings))\b.{0,200}?\b(?:quarter|three months|fiscal|year)\b|"
    r"\b(?:quarter|three months|fiscal|full[- ]year|year[- ]end)\b.{0,200}?\b(?:results|earnings|net (?:income|loss))",
    re.IGNORECASE | re.DOTALL,
)
_HEAD = 3_000
_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "RMB": "CNY"}
_QUARTER = re.compile(
    r"\b(?P<word>first|second|third|fourth)[- ]quarter(?: and (?:full|fiscal)?[- ]?(?:year|\w+ months))?(?: of)?"
    r"(?: fiscal)?(?: year)? (?P<year>20\d\d)\b|\bQ(?P<number>[1-4]) (?:fiscal |FY)?(?P<year2>20\d\d)\b",
    re.IGNORECASE,
)
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4}
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?|\.\d+")
_NAMED = re.compile(
    r"\b(?:in|of) (?P<cad>canadian dollars)|(?:thousands|millions) of (?P<chf>swiss francs|CHF)|(?P<cad2>C\$) ?\d",
    re.IGNORECASE,
)


def is_release(text: str) -> bool:
    """Whether an exhibit begins as an earnings release does."""
    return _RELEASE.search(text[:_HEAD]) is not None


def earnings(text: str) -> tuple[Fact, ...]:
    """The facts of an earnings release's text as `document_text` gives it; values in base units.

    A non-GAAP figure has a name of its own (`eps_adjusted`, `net_income_adjusted`, …). `verified` says that the quote
    shows the value's digits, or the middle and the margin ("plus or minus 2%") that an end was worked out from.
    """
    text = text[:MAX_TEXT]
    currency = currency_of(text)
    blocks = blocks_of(text)
    main = main_period(blocks)
    sentences = _in_currency(passages(text), currency)
    found = chosen(found_in(blocks, main)) if main else []
    quarter = fiscal_quarter(text)
    facts = [_of_table(item, text, currency, quarter) for item in found]
    extra = _missing(
        found, told(sentences, annual=bool(main and main.span == "year")), dividend(sentences), cash(sentences)
    )
    facts += [_of_sentence(item, currency) for item in extra]
    guided = [item for one in guidance_in(sentences, blocks) for item in _of_guidance(one, currency)]
    return (*sorted(facts, key=lambda item: (_ORDER.index(item.name), item.scope)), *guided)


def currency_of(text: str) -> str:
    """The currency that a release is in: the one it names, or whose sign it shows most."""
    named = _NAMED.search(text)
    if named:
        return "CHF" if named["chf"] else "CAD"
    counts = {code: text.count(sign) for sign, code in _SIGNS.items()}
    return max(counts, key=lambda code: counts[code])


def _in_currency(sentences: Iterator[Passage], currency: str) -> list[Passage]:
    """Without the sentences that show money of another currency."""
    others = [sign for sign, code in _SIGNS.items() if code != currency and not (currency == "CAD" and sign == "$")]
    return [passage for passage in sentences if not any(sign in passage.text for sign in others)]


def _unit(name: str, currency: str) -> str:
    return f"{currency}/share" if "eps" in name or name == "dividend_per_share" else currency


def _of_table(item: Found, text: str, currency: str, quarter: tuple[int, int]) -> Fact:
    name = fact_name(item.name, item.basis)
    unit = _unit(name, currency if currency == "CAD" else item.currency or currency)
    quote = quoted(text[item.row.start : item.row.end])
    shown = _shows(quote, item.value)
    period = _period(item, quarter)
    return fact(name, item.value, unit=unit, period=period, scope=item.scope, quote=quote, verified=shown)


def _shows(quote: str, value: Decimal) -> bool:
    """Whether the quote, which may have been cut, holds the value's digits."""
    wanted = _significant(f"{abs(value):f}")
    return any(_significant(number) == wanted for number in _NUMBER.findall(quote))


def _significant(number: str) -> str:
    return number.replace(",", "").replace(".", "").strip("0")


def fiscal_quarter(text: str) -> tuple[int, int]:
    """(year, quarter) as the release's first lines call it; zeros where they don't."""
    found = _QUARTER.search(text[:_HEAD])
    if found is None:
        return 0, 0
    year = int(found["year"] or found["year2"])
    return year, int(found["number"] or 0) or _ORDINALS[found["word"].lower()]


def _period(item: Found, quarter: tuple[int, int]) -> str:
    """`2025-Q3` where the company's quarter is the calendar's too; else the last day, which has but one name."""
    end = item.end
    if end is None:
        return ""
    told = (quarter[0] - (item.scope == "prior"), quarter[1])
    if item.name != "cash" and told == (end.year, (end.month - 1) // 3 + 1) and item.quarterly:
        return f"{end.year}-Q{told[1]}"
    return end.isoformat()


def _missing(
    found: Sequence[Found], prose: dict[tuple[str, str], Told], declared: tuple[Told | None, bool], held: Told | None
) -> Iterator[Told]:
    """What sentences add to the tables."""
    have = {(item.name, item.basis) for item in found if item.scope == "current"}
    yield from (item for key, item in prose.items() if key not in have)
    if declared[0] is not None and ("dividend_per_share", "gaap") not in have:
        yield declared[0]
    if held is not None and ("cash", "gaap") not in have:
        yield held


def _of_sentence(item: Told, currency: str) -> Fact:
    name = fact_name(item.name, item.basis)
    quote = quoted(item.quote)
    shown = _shows(quote, item.value)
    return fact(name, item.value, unit=_unit(name, currency), scope="current", quote=quote, verified=shown)


def _of_guidance(item: Guided, currency: str) -> Iterator[Fact]:
    stem = f"guidance_{item.name}_adjusted" if item.adjusted else f"guidance_{item.name}"
    for end, value in (("low", item.low), ("high", item.high)):
        quote = quoted(item.quote)
        shown = item.derived or _shows(quote, value)
        unit = _unit(stem, currency)
        yield fact(f"{stem}_{end}", value, unit=unit, scope="guidance", quote=quote, verified=shown)
