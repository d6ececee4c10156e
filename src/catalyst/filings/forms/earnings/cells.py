"""Cells of a table: numbers as filings print them (`$(0.51)`, `($ 1,234)`, `$.95`, `-2.1%`, `—`), and row labels.

Start with `cells_of`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Kind = Literal["number", "percent", "nothing", "year", "text"]

_CURRENCY = r"US\$|C\$|CA\$|A\$|HK\$|NT\$|R\$|\$|€|£|¥|RMB|NIS"
_NUMBER = re.compile(
    rf"(?P<plus>[+~])?\s?(?P<minus>[-−–])?\s?(?P<currency>{_CURRENCY})?\s?(?P<open>\()?\s?(?P<inner>{_CURRENCY})?\s?"
    r"(?P<minus2>[-−–])?(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d{1,6})?|\d{1,15}(?:\.\d{1,6})?|\.\d{1,6})"
    r"\s?(?P<percent>%|bps|pts|x|pp)?\s?(?P<close>\))?\s?(?P<after>%|bps|pts|x|pp)?\s?(?:\((?:\d|[a-z])\)|"
    r"\*{1,3}|[†‡])?",
)
_NOTHING = re.compile(rf"(?:{_CURRENCY})?\s?(?:[-–—−]{{1,3}}|N/?[AM]|n/?[am]|NM|nmf)\s?%?(?:\s?\([a-z\d]\))?")
_NOTE = re.compile(r"\(?[a-z]\)?|\(?[ivx]{1,4}\)|\(\d\)\)|[*†‡+]{1,3}")
_YEAR = re.compile(r"(?:19|20)\d\d")
_CODES = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "RMB": "CNY", "NIS": "ILS"}
_CODES |= {"C$": "CAD", "CA$": "CAD", "A$": "AUD", "HK$": "HKD", "NT$": "TWD", "R$": "BRL"}
_GAP = re.compile(r" {2,}|\t+")
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. `value` is set for numbers and per cents, and 0 for a dash."""

    text: str
    kind: Kind
    value: Decimal = Decimal(0)
    currency: str = ""
    decimals: int = 0


def cells_of(line: str) -> tuple[str, list[Cell]]:
    """A row's label and its cells; marks of footnotes are left out. A line that begins with a number has no label."""
    first, *rest = line.split(" | ")
    label = first.strip()
    cells = [cell(text) for text in rest if text.strip() and not _NOTE.fullmatch(text.strip())]
    head = cell(label)
    if head.kind in ("number", "percent"):
        return "", [head, *cells]
    return label, cells


def parts_of(line: str) -> list[str]:
    """The cells of a heading: between ` | `, or between gaps of spaces in a plain text."""
    parts = line.split(" | ") if " | " in line else _GAP.split(line.strip())
    return [part.strip() for part in parts if part.strip()]


def cell(text: str) -> Cell:
    """What one cell holds."""
    shown = text.strip()
    if len(shown) > _LONGEST:
        return Cell(shown, "text")
    if _YEAR.fullmatch(shown):
        return Cell(shown, "year", Decimal(shown))
    found = _NUMBER.fullmatch(shown)
    if found:
        return _number(shown, found)
    return Cell(shown, "nothing" if _NOTHING.fullmatch(shown) else "text")


def _number(shown: str, found: re.Match[str]) -> Cell:
    digits = found["digits"].replace(",", "")
    negative = bool(found["minus"] or found["minus2"] or (found["open"] and found["close"]))
    value = -Decimal(digits) if negative else Decimal(digits)
    kind: Kind = "percent" if found["percent"] or found["after"] or found["plus"] else "number"
    sign = found["currency"] or found["inner"] or ""
    return Cell(shown, kind, value, _CODES.get(sign, ""), len(digits.partition(".")[2]))
