"""What a release expects: revenue and EPS as low and high, from sentences and from rows. Start with `guidance_in`.

A range belongs to the figure named last before it, or right behind it ("$0.56 to $0.65 per diluted share"). A margin
("$8.1 billion, plus or minus 2%") is worked out; a single number ("approximately $7.9 billion") is both low and high.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalyst.filings.forms.earnings.blocks import Block, Row, power_of
from catalyst.filings.forms.earnings.cells import Cell, parts_of
from catalyst.filings.forms.earnings.names import figure_of
from catalyst.filings.forms.earnings.passages import Passage
from catalyst.filings.forms.earnings.terms import Said, mentions

_N = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,12}(?:\.\d+)?|\.\d+)"
_S = r"(?:\s?(?P<{0}>billion|million|thousand|bn|mm|b|m|k)\b)?"
_RANGE = re.compile(
    rf"(?P<cur>US\$|"
    rf"[$€£])?(?P<p1>\s?\(?[-−–]?\s?)(?P<inner>[$€£])?(?P<low>{_N})\)?{_S.format('s1')}(?:\s?per share)?\s?"
    rf"(?:to|and|through|[-–—])\s{{0,2}}(?:US\$|"
    rf"[$€£])?\s?(?P<p2>\(?[-−–]?)[$€£]?(?P<high>{_N})\)?{_S.format('s2')}(?!\s?(?:%|percent|basis|bps))",
    re.IGNORECASE,
)
_MARGIN = re.compile(
    rf"[$€£](?P<mid>{_N}){_S.format('s1')},?\s(?:plus or minus|\+/-|±)\s(?:(?P<share>\d+(?:\.\d+)?)\s?(?:%|"
    rf"percent)|[$€£]\s?(?P<by>{_N}){_S.format('s2')})",
    re.IGNORECASE,
)
_POINT = re.compile(
    rf"(?:approximately|about|around|roughly|of|to be|at)\s(?:approximately |about |around |"
    rf"roughly )?[$€£](?P<mid>{_N}){_S.format('s1')}",
    re.IGNORECASE,
)
_CUE = re.compile(
    r"\b(?:guidance|outlook|expects?|expected|expecting|anticipat\w+|forecasts?|projects?|projected|targets?|"
    r"targeted|targeting|should be|"
    r"estimates|now sees|range)\b",
    re.IGNORECASE,
)
_SECTION = re.compile(r"\b(?:guidance|outlook|targets?|expectations)\b", re.IGNORECASE)
_DIGIT = re.compile(r"[$€£]\s?\(?[\d.]")
_OLD = re.compile(
    r"\b(?:previous\w*|prior|earlier|initial|old|versus|compared (?:to|with)|vs\.?|withdr\w+|suspend\w+|"
    r"no longer)\b[^.;]{0,60}$",
    re.IGNORECASE,
)
_FORMER = re.compile(r"\b(?:previous\w*|prior|earlier|initial|original|former|old)\b", re.IGNORECASE)
_NOT_NOW = re.compile(
    r"\b(?:withdr[ae]w\w*|suspend\w*|exceeded|above|reported|compared with (?:our|its|the) guidance|upper end|"
    r"high end)\b",
    re.IGNORECASE,
)
_LOW_HIGH = re.compile(
    r"\b(?:low|from|minimum)(?: end)?(?: of range)? \| (?:high|to|maximum)\b(?: end)?(?: of range)?$", re.IGNORECASE
)
_POWERS = {"billion": 9, "bn": 9, "b": 9, "million": 6, "mm": 6, "m": 6, "thousand": 3, "k": 3, "": 0}
_NEAR_EPS = re.compile(
    r"\s{0,2}(?:in )?(?:adjusted |non-gaap |gaap )?(?:of )?(?:per (?:common |ordinary |diluted |fully diluted |"
    r"basic )*share|(?:diluted )?eps\b|a share\b)"
    r"(?!\s(?:of|on|for|related|due|impact|from|associated|charge|benefit))",
    re.I,
)
_MOST_EPS = Decimal(1_000)
_LEAST_MONEY = Decimal(100_000)


@dataclass(frozen=True, slots=True)
class Guided:
    """One expected figure: `name` is revenue or eps; low and high in base units."""

    name: str
    adjusted: bool
    low: Decimal
    high: Decimal
    quote: str
    derived: bool = False
    """Worked out from a margin, so that the numbers themselves do not stand in the text."""


def guidance_in(sentences: Sequence[Passage], blocks: Sequence[Block]) -> list[Guided]:
    """All that is expected, without repetition."""
    found = [*(item for passage in sentences for item in _from_passage(passage)), *_from_rows(blocks)]
    return list({(item.name, item.adjusted, item.low, item.high): item for item in reversed(found)}.values())[::-1]


def _from_passage(passage: Passage) -> Iterator[Guided]:
    text = passage.text
    if not _DIGIT.search(text) or not (_CUE.search(text) or _SECTION.search(passage.heading)) or _NOT_NOW.search(text):
        return
    named = list(mentions(text))
    if not named:
        return
    taken: list[tuple[int, int]] = []
    subjects: set[int] = set()
    for pattern in (_MARGIN, _RANGE):
        for found in pattern.finditer(text):
            if any(start < found.end() and found.start() < end for start, end in taken):
                continue
            taken.append(found.span())
            subject = _subject(text, found.start(), found.end(), named)
            item = _guided(text, found, subject, pattern is _MARGIN)
            if subject and subject.start not in subjects and item:
                yield item
            subjects |= {subject.start} if subject else set()
    yield from _points(text, [said for said in named if said.start not in subjects])


def _guided(text: str, found: re.Match[str], subject: Said | None, margin: bool) -> Guided | None:
    if subject is None or _OLD.search(text, max(0, found.start() - 70), found.start()):
        return None
    ends = _margin_ends(found) if margin else _ends(found, subject.name)
    return _checked(subject, ends, text, margin)


def _subject(text: str, start: int, end: int, named: list[Said]) -> Said | None:
    """Whose range it is: a per-share mention right behind it, or else the last figure named before it."""
    before = [said for said in named if said.end <= start]
    behind = _NEAR_EPS.match(text, end)
    if behind:
        last = next((said for said in reversed(before) if said.name in ("net_income", "eps")), None)
        adjusted = (
            last.adjusted if last else "adjusted" in behind.group().lower() or "non-gaap" in behind.group().lower()
        )
        return Said("eps", start, end, adjusted, bool(last and last.loss))
    last = before[-1] if before else None
    return last if last and last.name in ("revenue", "eps") and start - last.end <= 140 else None


def _ends(found: re.Match[str], name: str) -> tuple[Decimal, Decimal] | None:
    second = _POWERS[(found["s2"] or "").lower()]
    first = _POWERS[found["s1"].lower()] if found["s1"] else second
    low, high = _number(found["low"], first, found["p1"]), _number(found["high"], second, found["p2"])
    if not (found["cur"] or found["inner"]) and not (found["s1"] or found["s2"]):
        return None
    return (low, high) if name == "eps" or (first and second) or low >= _LEAST_MONEY else None


def _margin_ends(found: re.Match[str]) -> tuple[Decimal, Decimal] | None:
    middle = _number(found["mid"], _POWERS[(found["s1"] or "").lower()], "")
    if found["share"]:
        part = middle * Decimal(found["share"]) / 100
    else:
        part = _number(found["by"], _POWERS[(found["s2"] or "").lower()], "")
    return middle - part, middle + part


def _number(digits: str, power: int, lead: str) -> Decimal:
    value = Decimal(digits.replace(",", "")).scaleb(power)
    return -value if lead.strip() else value


def _checked(subject: Said, ends: tuple[Decimal, Decimal] | None, text: str, derived: bool = False) -> Guided | None:
    """The range in order, within sane bounds; that of a loss is negative."""
    if ends is None:
        return None
    low, high = ends
    if subject.loss and low >= 0 and high >= 0:
        low, high = -low, -high
    low, high = min(low, high), max(low, high)
    size = max(abs(low), abs(high))
    sane = size < _MOST_EPS if subject.name == "eps" else low >= _LEAST_MONEY and high <= 4 * low
    return Guided(subject.name, subject.adjusted, _plain(low), _plain(high), text, derived) if sane else None


def _plain(value: Decimal) -> Decimal:
    return Decimal(f"{value:f}")


def _points(text: str, named: list[Said]) -> Iterator[Guided]:
    """A single number that is expected: "revenue guidance of approximately $7.9 billion"."""
    for said in named:
        if said.name not in ("revenue", "eps"):
            continue
        found = _POINT.search(text, said.end, said.end + 60)
        between = text[said.end : found.start()] if found else ""
        if (
            found is None
            or re.search(r"\d|[;,]|\b(?:from|in|for|growth|increases?|decreases?)\b(?! (?:the|fiscal|20))", between)
            or not _CUE.search(text[: found.end()])
        ):
            continue
        if re.match(r"\s?(?:to\b|and\s?[$\d]|[-–])", text[found.end() : found.end() + 8]) or _OLD.search(
            text, max(0, found.start() - 70), found.start()
        ):
            continue
        middle = _number(found["mid"], _POWERS[(found["s1"] or "").lower()], "")
        if said.name == "eps" and found["s1"]:
            continue
        item = _checked(said, (middle, middle), text)
        if item:
            yield item


def _from_rows(blocks: Sequence[Block]) -> Iterator[Guided]:
    """Rows such as `Revenue | $2,350 - $2,450` under a heading that speaks of guidance."""
    for block in blocks:
        if not _SECTION.search("\n".join(block.titles[-6:])):
            continue
        for row in block.rows:
            yield from _from_row(row, block)


def _is_low_high(block: Block) -> bool:
    """Whether the columns are the ends of ranges."""
    return any(_LOW_HIGH.search(line) for line in block.titles[-6:])


def _from_row(row: Row, block: Block) -> Iterator[Guided]:
    figure = figure_of(re.sub(r"\(.*?\)", " ", row.label), row.context)
    name = {"revenue": "revenue", "eps_diluted": "eps", "eps_plain": "eps", "eps_both": "eps"}.get(
        figure.name if figure else ""
    )
    if figure is None or name is None:
        return
    power = power_of(f"({row.label})") or _label_power(row.label) or block.power or 0
    loss = "loss" in row.label.lower() and "(loss)" not in row.label.lower()
    quote = f"{row.label} | {' | '.join(cell.text for cell in row.cells)}"
    numbers = [cell for cell in row.cells if cell.kind == "number"]
    if len(numbers) == len(row.cells) == 2 and _is_low_high(block):
        subject = Said(name, 0, 0, figure.basis == "non_gaap", loss)
        ends = [_plain(cell.value.scaleb(0 if name == "eps" else power)) for cell in numbers]
        item = _checked(subject, (ends[0], ends[1]), quote)
        if item:
            yield item
        return
    seen: set[bool] = set()
    for cell in _now(row, block):
        found = _RANGE.search(cell.text)
        adjusted = figure.basis == "non_gaap" or "non-gaap" in cell.text.lower()
        if found is None or adjusted in seen:
            continue
        seen.add(adjusted)
        subject = Said(name, 0, 0, adjusted, loss)
        yield from _range_cell(subject, found, power, quote)


def _now(row: Row, block: Block) -> Sequence[Cell]:
    """The row's cells without those of columns that show what was expected before."""
    for line in reversed(block.titles[-6:]):
        heads = parts_of(line)[-len(row.cells) :]
        if len(heads) == len(row.cells) > 1 and any(map(_FORMER.search, heads)):
            return [cell for cell, head in zip(row.cells, heads, strict=True) if not _FORMER.search(head)]
    return row.cells


def _label_power(label: str) -> int:
    found = re.search(r"\b(thousand|million|billion)s?\b", label, re.IGNORECASE)
    return _POWERS[found[1].lower()] if found else 0


def _range_cell(subject: Said, found: re.Match[str], power: int, quote: str) -> Iterator[Guided]:
    scaled = found["s1"] or found["s2"]
    second = _POWERS[(found["s2"] or "").lower()] if scaled else (0 if subject.name == "eps" else power)
    first = _POWERS[found["s1"].lower()] if found["s1"] else second
    ends = (_number(found["low"], first, found["p1"]), _number(found["high"], second, found["p2"]))
    item = _checked(subject, ends, quote)
    if item:
        yield item
