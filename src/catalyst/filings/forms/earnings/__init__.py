"""Earnings releases: revenue, net income, EPS, cash, dividend and guidance from tables and prose. Start with `earnings`.

Tables come first, since their columns say which period a number is about; sentences tell what no table does. Whatever
column, unit or period is in doubt is left out: a missing figure costs less than a wrong one. Every step is linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from catalyst.filings.forms.earnings.blocks import blocks_of, foreign
from catalyst.filings.forms.earnings.choose import chosen
from catalyst.filings.forms.earnings.guidance import Guided, guidance_in
from catalyst.filings.forms.earnings.passages import passages
from catalyst.filings.forms.earnings.prose import Told, dividend, told
from catalyst.filings.forms.earnings.tables import Found, Main, found_in, main_period
from catalyst.filings.forms.parts import MAX_QUOTE, fact, quoted
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
    "cash",
    "dividend_per_share",
)
_ADJUSTED = {
    "eps_diluted": "eps_adjusted",
    "eps_basic": "eps_basic_adjusted",
    "net_income": "net_income_adjusted",
    "operating_income": "operating_income_adjusted",
}
_PER_SHARE = ("eps", "dividend")
_RELEASE = re.compile(
    r"\b(?:results|earnings|net (?:income|loss|earnings))\b.{0,200}?\b(?:quarter|three months|fiscal|year)\b|"
    r"\b(?:quarter|three months|fiscal|full[- ]year|year[- ]end)\b.{0,200}?\b(?:results|earnings|net (?:income|"
    r"loss|earnings))\b",
    re.IGNORECASE | re.DOTALL,
)
_HEAD = 3_000


def is_release(text: str) -> bool:
    """Whether an exhibit begins as an earnings release does."""
    return _RELEASE.search(text[:_HEAD]) is not None


def earnings(text: str) -> tuple[Fact, ...]:
    """The facts of an earnings release's text as `document_text` gives it; values in base units.

    A non-GAAP figure has a name of its own (`eps_adjusted`, `net_income_adjusted`, …). `verified` is left false: the
    grounding looks each fact up for itself.
    """
    text = text[:MAX_TEXT]
    blocks = blocks_of(text)
    main = main_period(blocks)
    sentences = list(passages(text))
    found = chosen(found_in(blocks, main)) if main else []
    currency = "USD"
    facts = [_of_table(item, text, currency) for item in found]
    facts += _of_prose(found, told(sentences, annual=bool(main and main.span == "year")), dividend(sentences), main)
    facts = [item for item in facts if item is not None]
    ordered = sorted(
        facts, key=lambda item: (_ORDER.index(item.name) if item.name in _ORDER else len(_ORDER), item.scope)
    )
    return (*ordered, *(item for guided in guidance_in(sentences, blocks) for item in _of_guidance(guided)))


def _name(name: str, basis: str) -> str:
    return _ADJUSTED.get(name, name) if basis == "non_gaap" else name


def _unit(name: str, currency: str) -> str:
    return f"{currency}/share" if name.startswith(_PER_SHARE) or "eps" in name else currency


def _of_table(item: Found, text: str, currency: str) -> Fact | None:
    name = _name(item.name, item.basis)
    quote = quoted(text[item.row.start : item.row.end])
    period = _period(item.end)
    return fact(
        name, item.value, unit=_unit(name, item.currency or currency), period=period, scope=item.scope, quote=quote
    )


def _period(end: date | None) -> str:
    return end.isoformat() if end else ""


def _of_prose(
    found: list[Found], prose: dict[tuple[str, str], Told], declared: tuple[Told | None, bool], main: Main | None
) -> list[Fact]:
    """What sentences add: figures that no table has, and the dividend unless the tables show another."""
    have = {(item.name, item.basis) for item in found if item.scope == "current"}
    extra = [item for key, item in prose.items() if key not in have]
    if declared[0] is not None and ("dividend_per_share", "gaap") not in have:
        extra.append(declared[0])
    return [_of_sentence(item) for item in extra]


def _of_sentence(item: Told) -> Fact:
    name = _name(item.name, item.basis)
    return fact(name, item.value, unit=_unit(name, "USD"), scope="current", quote=quoted(item.quote))


def _of_guidance(item: Guided) -> Iterator[Fact]:
    stem = f"guidance_{item.name}"
    for end, value in (("low", item.low), ("high", item.high)):
        name = f"{stem}_adjusted_{end}" if item.adjusted else f"{stem}_{end}"
        yield fact(name, value, unit=_unit(stem, "USD"), scope="guidance", quote=quoted(item.quote))
