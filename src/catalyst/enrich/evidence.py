"""Whether a model's value stands in the artifact: in which place, in which script. Pure functions."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation

from catalyst.enrich.rules import RULES
from catalyst.enrich.types import Evidence, Kind

MAX_SHOWN = 500

_GAP = re.compile(r"\s+")
_DIGITS = re.compile(r"[^\d.,-]")


def place(text: str, quote: str) -> Evidence | None:
    """Where a quote stands, spaces and case aside; None where it does not."""
    words = _GAP.split(quote.strip())
    if not quote.strip() or len(quote) > MAX_SHOWN:
        return None
    pattern = re.compile(r"\s*(?:\|\s*)?".join(re.escape(word) for word in words), re.IGNORECASE)
    found = pattern.search(text)
    if found is None:
        return None
    return Evidence(start=found.start(), end=found.end(), text=found.group())


def supports(kind: Kind, value: str, evidence: Evidence, locale: str = "") -> bool:
    """Whether the quote says the value: word for word, or as a date, an amount or a currency of the same meaning."""
    if _flat(value) in _flat(evidence.text):
        return True
    rule = RULES.get(kind)
    if kind == "total":
        return _amount(value) is not None and any(_amount(part) == _amount(value) for part in evidence.text.split())
    if rule is None or kind not in ("date", "currency"):
        return False
    return any(candidate.value == value for candidate in rule(evidence.text, locale))


def scripts(text: str) -> set[str]:
    """The scripts of a text's letters, by the first word of their Unicode names: LATIN, CYRILLIC, ARABIC, CJK, …"""
    return {unicodedata.name(char, "?").split(" ")[0] for char in set(text) if char.isalpha()}


def foreign(text: str, value: str) -> bool:
    """Whether a value is written in a script that the artifact does not use: translated or made up."""
    return not scripts(value) <= scripts(text)


def _flat(text: str) -> str:
    return " ".join(text.lower().split())


def _amount(text: str) -> Decimal | None:
    digits = _DIGITS.sub("", text).strip(".,")
    if re.fullmatch(r"-?\d{1,3}(?:\.\d{3})+,\d{1,2}|-?\d+,\d{2}", digits):
        digits = digits.replace(".", "").replace(",", ".")
    try:
        return Decimal(digits.replace(",", "")) if digits else None
    except InvalidOperation:
        return None
