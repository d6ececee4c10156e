"""Numbers in a text, with what they measure: `$(1.2) million`, `12.5 %`, `1,234 shares`. Start with `amounts`.

Each is found once, in linear time; `shown` writes a value the way a reader expects it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Kind = Literal["money", "percent", "shares", "year", "plain"]

NUMBER = re.compile(
    r"(?<![\w.,])(?:\d{1,3}(?:,\d{3})+|\d{1,15})(?:\.\d{1,8})?(?!\d|,\d\d?(?!\d))|(?<![\w.])\.\d{1,6}(?!\d)"
)
"""Digits with thousands separators and decimals; not the digits inside a word."""

_SCALES = {"k": 3, "thousand": 3, "m": 6, "mm": 6, "mn": 6, "million": 6, "b": 9, "bn": 9, "billion": 9, "tn": 12}
_SCALES |= {"trillion": 12, "thousands": 3, "millions": 6, "billions": 9}
_AFTER = re.compile(
    r"[\s|]{0,3}\)?[\s|]{0,3}(?:(?P<percent>(?<!\n)%|percent\b|per cent\b|percentage points?\b|basis points\b|bps\b)|"
    r"-?(?P<scale>trillions?|billions?|millions?|thousands?|tn|bn|mm|mn|[kmb])(?![a-z]))?"
    r"(?:[\s)|-]{0,3}(?:of (?:its|our|the) )?(?:new |common |ordinary |restricted |class [a-z] |of |common stock )*"
    r"(?P<shares>shares?\b|units\b|adss?\b|warrants\b|options\b))?",
    re.IGNORECASE,
)
_NAME = re.compile(r"-?[A-Za-z]")
_AFTER_WORD = re.compile(
    r"-(?:trillion|billion|million|thousand|percent|for-|year|month|day|week|basis|to-)", re.IGNORECASE
)
_SUFFIX = re.compile(r"(?:[kmb]|bn|mm|mn|tn)(?![A-Za-z0-9])", re.IGNORECASE)
_WORD_BEFORE = re.compile(r"[\w-]+$")
_BEFORE = re.compile(
    r"(?P<minus>[-−–]\s?)?(?P<open>\(\s?)?(?P<currency>US\$|C\$|CA\$|A\$|HK\$|NT\$|R\$|\$|€|£|¥|RMB|USD|EUR)?[\s|]{0,3}(?P<inner>[(\-−–]\s?)?$"
)
_RANGE = re.compile(r"[\d%)]\s$")
"""Before a dash that is none of a negative number: `$2.95 - $3.07`."""
_BASIS = ("b", "B")
_CURRENCIES = {"$": "USD", "US$": "USD", "USD": "USD", "€": "EUR", "EUR": "EUR", "£": "GBP", "¥": "JPY", "RMB": "CNY"}
_CURRENCIES |= {"C$": "CAD", "CA$": "CAD", "A$": "AUD", "HK$": "HKD", "NT$": "TWD", "R$": "BRL"}


@dataclass(frozen=True, slots=True)
class Amount:
    """One number of a text. `value` is in base units as far as the text right beside it says (scale words)."""

    start: int
    end: int
    """Behind the digits, the scale word and the per-cent sign."""
    value: Decimal
    digits: Decimal
    """As written, unsigned, without the scale."""
    scale: int
    """Power of ten of the scale word; 0 without one, -2 for basis points."""
    kind: Kind
    currency: str = ""
    decimals: int = 0


def amounts(text: str, start: int = 0, end: int | None = None) -> Iterator[Amount]:
    """The numbers of a text, left to right; parts of names (10-K, Q3, COVID-19) are none."""
    for found in NUMBER.finditer(text, start, len(text) if end is None else end):
        amount = amount_at(text, found)
        if amount is not None:
            yield amount


def amount_at(text: str, found: re.Match[str]) -> Amount | None:
    """The number that `NUMBER` found there, or None where it is part of a name."""
    after = text[found.end() : found.end() + 40]
    if _NAME.match(after) and not _SUFFIX.match(after) and not _AFTER_WORD.match(after):
        return None
    before = _BEFORE.search(text, max(0, found.start() - 8), found.start())
    groups: dict[str, str | None] = before.groupdict() if before else {}
    if before and groups["minus"] and before.start() > 0 and text[before.start() - 1].isalnum():
        word = _WORD_BEFORE.search(text, max(0, before.start() - 20), before.start())
        if word is None or any(map(str.isalpha, word.group())):
            return None
        groups = {}
    if groups.get("minus") and before and _RANGE.search(text, max(0, before.start() - 2), before.start()):
        groups["minus"] = None
    return _amount(found, groups, _AFTER.match(after))


def _amount(found: re.Match[str], before: dict[str, str | None], after: re.Match[str] | None) -> Amount:
    digits = Decimal(found.group().replace(",", ""))
    groups = after.groupdict() if after else {}
    scale = -2 if (groups.get("percent") or "")[:1] in _BASIS else _SCALES.get((groups.get("scale") or "").lower(), 0)
    currency = _CURRENCIES.get((before.get("currency") or "").strip(), "")
    negative = _negative(before, found.string[found.end() : found.end() + 12])
    value = digits.scaleb(scale) if scale else digits
    mark = max(after.end("percent"), after.end("scale"), 0) if after else 0
    return Amount(
        found.start(), found.end() + mark, -value if negative else value, digits, scale,
        _kind(found.group(), currency, groups, scale), currency, _decimals(found.group()),
    )  # fmt: skip


def _negative(before: dict[str, str | None], after: str) -> bool:
    if before.get("minus") or (before.get("inner") or "")[:1] in ("-", "−", "–"):
        return True
    opened = before.get("open") or (before.get("inner") or "").startswith("(")
    return bool(opened) and re.match(r"[\s|%]{0,3}(?:million|billion|thousand)?[\s|]?\)", after) is not None


def _kind(written: str, currency: str, groups: dict[str, str | None], scale: int) -> Kind:
    if groups.get("percent"):
        return "percent"
    if currency:
        return "money"
    if groups.get("shares"):
        return "shares"
    if not scale and len(written) == 4 and written.isdigit() and "1900" <= written <= "2100":
        return "year"
    return "plain"


def _decimals(written: str) -> int:
    return len(written.partition(".")[2])


def shown(value: Decimal | str, unit: str = "") -> str:
    """A value as a reader expects it: `$1.23 billion`, `12,000 shares`, `$0.45`, `12.5%`; text as it is."""
    if isinstance(value, str):
        return value
    if unit == "%":
        return f"{_plain(value)}%"
    if unit in ("USD", "USD/share"):
        return f"-${_scaled(-value, unit)}" if value < 0 else f"${_scaled(value, unit)}"
    text = _plain(value)
    return f"{text} {unit.removesuffix('/share') if unit else ''}".strip()


def _scaled(value: Decimal, unit: str) -> str:
    if unit == "USD/share":
        return f"{value:,.2f}" if value == value.quantize(Decimal("0.01")) else _plain(value)
    for power, word in ((12, "trillion"), (9, "billion"), (6, "million")):
        if value >= Decimal(10) ** power:
            return f"{_trimmed(f'{value.scaleb(-power):.2f}')} {word}"
    return _plain(value)


def _plain(value: Decimal) -> str:
    return _trimmed(f"{value:,f}")


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
