"""A filing's text made searchable once, in linear time: quotes, numbers, and the scale a table declares.

Start with `Evidence`. Positions are places in `text`, which keeps the filing's lines with single spaces.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from catalyst.filings.amounts import NUMBER, Amount, amount_at, amounts
from catalyst.filings.types import Parsed

MAX_CHARS = 4_000_000
"""Text beyond this is not searched: what stands only there counts as not found."""
_DOCUMENT = "\n\f\n"
_TABLE_REACH = 12_000
"""How far above a row the line "in thousands" may stand."""
_MOST_PLACES, _MOST_TRIES = 24, 2_000
"""Places of one quote that are looked at, and tries to find them: what stands at more is no evidence of anything."""
_LONGEST_LINE = 4_000
"""To either side of a place; a line without end is no row."""
_LONG_QUOTE = 200
_MOST_CANDIDATES = 400

_PLAIN = str.maketrans(
    {
        "“": '"', "”": '"', "„": '"', "″": '"', "’": "'", "‘": "'", "`": "'", "′": "'", "–": "-", "—": "-", "−": "-",
        "‑": "-", "‒": "-", "―": "-", "…": "...", "İ": "I", "\u200b": None, "\ufeff": None, "\xad": None, "\f": " ",
    }
)  # fmt: skip
_SCALE = re.compile(
    r"\b(?:in|\$|expressed in|stated in|amounts in|us\$)\s{0,2}(?:u\.?s\.?\s{0,2})?"
    r"(?:dollars?\s{0,2}|\$\s{0,2}|us\$\s{0,2}|usd\s{0,2})?(?:in\s)?"
    r"(?P<word>thousands|millions|billions)\b(?P<tail>[^\n)]{0,90})|\((?:(?:us)?\$\s?)?(?:in\s)?(?P<zeros>000'?s)\b(?P<tail2>[^\n)]{0,60})|"
    r"\b(?P<zeros3>000'?s) omitted(?P<tail3>[^\n)]{0,60})|"
    r"\((?:\$\s?|us\$?\s?)?(?P<word5>thousands|millions|billions)\b(?P<tail5>[^\n)]{0,90})|"
    r"\b(?P<word4>thousands|millions|billions) of (?:u\.?s\.? )?(?:dollars|euros?|shares)(?P<tail4>[^\n)]{0,90})",
    re.IGNORECASE,
)
_SIGNS = {
    "EUR": ("€", "euro"), "GBP": ("£", "sterling"), "JPY": ("¥", "yen"), "CNY": ("rmb", "renminbi"),
    "CAD": ("c$", "canadian dollar"), "CHF": ("swiss franc",), "ILS": ("shekel",), "BRL": ("r$",), "HKD": ("hk$",),
}  # fmt: skip
_TAILS = ("tail", "tail2", "tail3", "tail4", "tail5")
_POWERS = {"thousands": 3, "millions": 6, "billions": 9}


@dataclass(frozen=True, slots=True)
class Scale:
    """A declaration such as "in thousands, except per share data"."""

    place: int
    power: int
    shares_too: bool
    """Whether share counts are scaled as well."""


class Evidence:
    """What a filing's words and figures can be checked against."""

    def __init__(self, texts: Iterator[str] | tuple[str, ...]) -> None:
        joined = _DOCUMENT.join(plain(text) for text in texts)
        self.text = joined[:MAX_CHARS]
        self.lower = self.text.lower()
        self._flat = self.lower.replace("\n", " ")
        self.rows: dict[int, list[Amount]] = {}
        """The numbers of rows that were read (`row_amounts`), by where their line begins."""

    @classmethod
    def of(cls, parsed: Parsed) -> Evidence:
        """Of all the texts of a filing."""
        return cls((*(exhibit.text for exhibit in parsed.exhibits), parsed.text, *_elsewhere(parsed)))

    def places(self, quote: str) -> list[tuple[int, int]]:
        """Where a quote stands, (start, end); spaces, case and the kind of quotation marks don't matter.

        A long quote may have been cut within its last word, which then is left out.
        """
        wanted = " ".join(plain(quote).lower().split()).strip("\"' ")
        if len(wanted) < 2:
            return []
        found = list(itertools.islice(self._whole(wanted), _MOST_PLACES))
        if not found and len(wanted) >= _LONG_QUOTE:
            found = list(itertools.islice(self._whole(wanted.rpartition(" ")[0]), _MOST_PLACES))
        return found

    def has(self, wanted: Amount) -> bool:
        """Whether a number stands anywhere in the text: same value, same kind; sign aside."""
        for place in self._numbers.get(_significant(str(wanted.digits)), ())[:_MOST_CANDIDATES]:
            found = NUMBER.match(self.text, place)
            amount = amount_at(self.text, found) if found else None
            if amount is not None and self._same(wanted, amount):
                return True
        return False

    def line(self, place: int) -> tuple[int, int]:
        """Start and end of the line at a place, or of what is near in an endless one."""
        least, most = max(0, place - _LONGEST_LINE), min(len(self.text), place + _LONGEST_LINE)
        start, end = self.text.rfind("\n", least, place), self.text.find("\n", place, most)
        return start + 1 if start >= 0 else least, end if end >= 0 else most

    def is_row(self, place: int) -> bool:
        """Whether a place stands in a table's row."""
        start, end = self.line(place)
        return end - start <= _LONGEST_LINE and " | " in self.text[start:end]

    def scale_at(self, place: int) -> Scale | None:
        """The nearest declaration above a place, in the same document and within reach of a table."""
        index = bisect.bisect_right(self._scale_places, place) - 1
        if index < 0:
            return None
        scale = self._scales[index]
        if place - scale.place > _TABLE_REACH or "\f" in self.text[scale.place : place]:
            return None
        return scale

    def _whole(self, wanted: str) -> Iterator[tuple[int, int]]:
        """Matches that don't cut a word or a number in two."""
        start = -1
        for _ in range(_MOST_TRIES):
            start = self._flat.find(wanted, start + 1)
            if start < 0:
                return
            end = start + len(wanted)
            if not _cuts(self._flat, start) and not _cuts(self._flat, end):
                yield start, end

    def _same(self, wanted: Amount, found: Amount) -> bool:
        if ((wanted.kind == "percent") != (found.kind == "percent")) or {wanted.kind, found.kind} == {
            "money",
            "shares",
        }:
            return False
        if abs(wanted.value) == abs(found.value):
            return True
        scale = None if found.scale or not self.is_row(found.start) else self.scale_at(found.start)
        return scale is not None and abs(wanted.value) == found.digits.scaleb(scale.power)

    @functools.cached_property
    def currencies(self) -> frozenset[str]:
        """The currencies other than the dollar that the text shows by a sign or a word."""
        return frozenset(code for code, sign in _SIGNS.items() if any(mark in self.lower for mark in sign))

    def is_in(self, currency: str) -> bool:
        """Whether figures without a sign can be in a currency: the text names it as often as the dollar, or by code."""
        marks = _SIGNS.get(currency, ())
        shown = max((self.lower.count(mark) for mark in marks), default=0)
        coded = re.search(rf"\b{re.escape(currency.lower())}\b", self.lower) is not None
        return coded or (shown > 0 and shown >= self.lower.count("$"))

    @functools.cached_property
    def is_foreign(self) -> bool:
        """Whether the text shows money of another currency and no dollar at all."""
        return bool(self.currencies) and "$" not in self.lower and "dollar" not in self.lower

    @functools.cached_property
    def _numbers(self) -> dict[str, list[int]]:
        """Places of all numbers by their significant digits."""
        found: dict[str, list[int]] = {}
        for match in NUMBER.finditer(self.text):
            found.setdefault(_significant(match.group()), []).append(match.start())
        return found

    @functools.cached_property
    def _scales(self) -> list[Scale]:
        return [_scale(found) for found in _SCALE.finditer(self.text)]

    @functools.cached_property
    def _scale_places(self) -> list[int]:
        return [scale.place for scale in self._scales]


def plain(text: str) -> str:
    """Text with plain quotation marks and dashes, single spaces, no empty lines."""
    lines = (" ".join(line.split()) for line in text[:MAX_CHARS].translate(_PLAIN).split("\n"))
    return "\n".join(line for line in lines if line)


def row_amounts(evidence: Evidence, place: int) -> list[Amount]:
    """The numbers of the row at a place, its label's left out."""
    start, end = evidence.line(place)
    known = evidence.rows.get(start)
    if known is None:
        label = evidence.text.find(" | ", start, end)
        known = evidence.rows[start] = list(amounts(evidence.text, label if label >= 0 else start, end))
    return known


def _scale(found: re.Match[str]) -> Scale:
    word = found["word"] or found["word4"] or found["word5"] or "thousands"
    power = _POWERS[word.lower()]
    tail = next((text for name in _TAILS if (text := found[name])), "").lower()
    excepted = tail.partition("except")[2]
    shares = re.search(r"(?<!per )(?<!per-)\bshares?\b(?! data| amounts| information)|shares? and per", excepted)
    return Scale(found.start(), power, shares is None)


def _elsewhere(parsed: Parsed) -> Iterator[str]:
    """Item texts that are no part of the main text (they usually are)."""
    for item in parsed.items:
        if item.text[:200] not in parsed.text:
            yield item.text


def _cuts(text: str, at: int) -> bool:
    """Whether a place lies inside a word or a number."""
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    if before.isalnum() and after.isalnum():
        return True
    return (before in ".," and after.isdigit() and at > 1 and text[at - 2].isdigit()) or (
        before.isdigit() and after in ".," and at + 1 < len(text) and text[at + 1].isdigit()
    )


def _significant(digits: str) -> str:
    return digits.replace(",", "").replace(".", "").strip("0") or "0"


def declared(evidence: Evidence, amount: Amount, unit: str) -> Decimal:
    """An amount in base units: its own scale word, a range's, or its table's declaration where the unit is scaled."""
    if amount.scale or unit.endswith("/share") or unit == "%":
        return amount.value
    found = _RANGE.match(evidence.text, amount.end)
    if found:
        return amount.value.scaleb(_POWERS[found["word"].lower() + "s"])
    if not evidence.is_row(amount.start):
        return amount.value
    scale = evidence.scale_at(amount.start)
    if scale is None or (unit == "shares" and not scale.shares_too) or unit not in _SCALED:
        return amount.value
    return amount.value.scaleb(scale.power)


_RANGE = re.compile(r"\s?(?:to|-|and)\s?(?:us)?\$?\s?\d[\d,.]*\s(?P<word>thousand|million|billion)\b", re.IGNORECASE)
_SCALED = frozenset(("USD", "EUR", "GBP", "JPY", "CNY", "CAD", "AUD", "HKD", "TWD", "BRL", "CHF", "ILS", "shares"))
