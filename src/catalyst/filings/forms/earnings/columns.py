"""What a table's columns are about: the period of each, its length, GAAP or not, from the lines above its rows.

Headings come in layers ("Three Months Ended | Six Months Ended", "March 31, | March 31,", "2020 | 2019 | 2020 | 2019"):
the layer with most dates gives the columns, the others are spread over them. What does not fit is left unknown.
Start with `columns_of`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

Span = Literal["quarter", "part", "year", ""]
Basis = Literal["gaap", "non_gaap", ""]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DATE = re.compile(
    rf"\b{_MONTH}\s?(?P<day>\d{{1,2}})?(?:st|nd|rd|th)?\b,?(?:\s?,?\s?(?P<year>(?:19|"
    rf"20)\d\d)\b)?",
    re.I,
)
_SLASHED = re.compile(r"\b(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4}|\d\d)\b")
_YEAR = re.compile(r"(?<![\d,.$])(?:19|20)\d\d(?![\d,.]\d|\d)")
_QUARTER = re.compile(
    r"\bq(?P<a>[1-4])\b|\b(?P<b>[1-4])q(?=\d\d\b|\d{4}\b|\b)|\b(?P<c>first|second|third|"
    r"fourth)[\s-]+(?:fiscal[\s-]+)?quarter\b",
    re.I,
)
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4}
_LABEL_YEAR = re.compile(r"(?:fy|fiscal(?: year)?|[1-4]q|q[1-4]|quarter)\s?['’]?(\d{4}|\d\d)\b", re.I)
_QUARTERLY = re.compile(
    r"\b(?:three|3)[\s-]months?\b|\bquarters?\b|\b(?:13|14|thirteen|fourteen)[\s-]weeks?\b|\bquarterly\b", re.I
)
_PARTLY = re.compile(
    r"\b(?:six|nine|6|9)[\s-]months?\b|\b(?:26|27|39|40|twenty[\s-]six|twenty[\s-]seven|thirty[\s-]nine|"
    r"forty)[\s-]weeks?\b|"
    r"\byear[\s-]to[\s-]date\b|\bytd\b|\b(?:two|three) (?:fiscal )?quarters\b|\bttm\b|\bltm\b|\btrailing\b|\bhalf\b|"
    r"\bfour quarters\b|\blast twelve\b|\btrailing twelve\b",
    re.I,
)
_YEARLY = re.compile(
    r"\b(?:twelve|12)[\s-]months?\b|\b(?:52|53|fifty[\s-](?:two|three))[\s-]weeks?\b|\byears? end|\bfull[\s-]year\b|"
    r"\bfiscal years?\b|\bannual\b|\bfy\s?['’]?\d\d|^year\b|\btotal year\b",
    re.I,
)
_CHANGE = re.compile(
    r"change|variance|increase|decrease|\bq/q\b|\by/y\b|\byoy\b|\bqoq\b|\bvs\b|\bversus\b|percent|\bchg\b|%|growth|"
    r"\bbetter\b|\bworse\b|\bfav|\b(?:amount|dollar) of\b|\bbps\b",
    re.I,
)
_OTHER = re.compile(
    r"pro[\s-]?forma|adjustments?\b|reconcil|previous guidance|outlook|guidance|budget|estimate|target|forecast|"
    r"as of\b.{0,20}$",
    re.I,
)
_NON_GAAP = re.compile(r"\bnon[\s-]?gaap\b|\bas adjusted\b|^adjusted\b|\bpro[\s-]?forma\b|\bunderlying\b", re.I)
_GAAP = re.compile(r"\bgaap\b|\bas reported\b", re.I)
_MAYBE = re.compile(
    r"\d|%|month|quarter|week|year|annual|gaap|adjust|pro|underlying|report|change|var|crease|cent|chg|growth|"
    r"vs|yoy|qoq|y/y|q/q|"
    r"bet|worse|fav|bps|half|ytd|ttm|ltm|trail|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec",
    re.IGNORECASE,
)
"""Whatever any pattern here can match holds one of these."""
_MAYBE_PERIOD = re.compile(
    r"\d|%|month|quarter|week|year|gaap|adjust|report|change|\b(?:in|"
    r"dollars)\b",
    re.IGNORECASE,
)
_CONSOLIDATED = re.compile(r"\bconsolidated\b|\btotal\b", re.IGNORECASE)
_SILENT = frozenset(
    [
        "ended",
        "ending",
        "for",
        "the",
        "and",
        "period",
        "periods",
        "quarter",
        "quarters",
        "fiscal",
        "year",
        "years",
        "months",
        "weeks",
        "unaudited",
        "audited",
        "restated",
        "actual",
        "gaap",
        "non",
        "from",
        "results",
        "reported",
        "revised",
        "recast",
        "date",
        "end",
        "ends",
        "three",
        "twelve",
        "adjusted",
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "qtr",
        "note",
        "ytd",
        "compared",
        "with",
        "over",
        "under",
        "prior",
        "current",
    ]
)

_PERIODS = re.compile(
    "|".join(
        re.sub(r"\?P<\w+>", "?:", pattern.pattern)
        for pattern in (_DATE, _SLASHED, _LABEL_YEAR, _QUARTER, _PARTLY, _QUARTERLY, _YEARLY, _CHANGE)
    )
    + r"|\([^)]*\)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z]{3,}")
_REMEMBERED = 4_096


@dataclass(frozen=True, slots=True)
class Column:
    """What one heading cell says, or one column in the end. Zero and empty where it is silent."""

    year: int = 0
    month: int = 0
    day: int = 0
    quarter: int = 0
    """The fiscal quarter, where the heading names it (`Q3`)."""
    span: Span = ""
    basis: Basis = ""
    change: bool = False
    """A change, a per cent, or anything else that is not the period's own figure."""
    other: int = 0
    """How many of its words speak of something else than a period: "Drainage", "As Reported"."""

    @property
    def dated(self) -> bool:
        return bool(self.year)

    @property
    def end(self) -> date | None:
        """The period's last day, where month and year are known."""
        if not (self.year and self.month):
            return None
        try:
            return date(self.year, self.month, self.day or 28)
        except ValueError:
            return None

    @property
    def key(self) -> tuple[int, int, int]:
        return self.year, self.month, self.quarter


@functools.lru_cache(maxsize=_REMEMBERED)
def column(text: str) -> Column:
    """What one heading cell says."""
    if not _MAYBE.search(text):
        return Column(other=len(_words(text)))
    year, month, day = _date(text)
    quarter = _QUARTER.search(text)
    number = 0
    if quarter:
        number = int(quarter["a"] or quarter["b"] or 0) or _ORDINALS[quarter["c"].lower()]
    if not year:
        named = _LABEL_YEAR.search(text)
        year = _full(named[1]) if named else 0
    return Column(year, month, day, number, _span(text), _basis(text), _is_change(text), len(_words(text)))


def _words(text: str) -> list[str]:
    """The words of a heading that speak of no period."""
    return [word for word in _WORD.findall(_PERIODS.sub(" ", text).lower()) if word not in _SILENT]


def _is_change(text: str) -> bool:
    return _CHANGE.search(text) is not None or re.search(r"pro[\s-]?forma|adjustments?\b", text, re.I) is not None


def _full(year: str) -> int:
    return int(year) if len(year) == 4 else 2000 + int(year)


def _date(text: str) -> tuple[int, int, int]:
    slashed = _SLASHED.search(text)
    if slashed and int(slashed["month"]) <= 12:
        return _full(slashed["year"]), int(slashed["month"]), int(slashed["day"])
    dated = _DATE.search(text)
    years = _YEAR.findall(text)
    year = int(years[0]) if years else 0
    if dated is None:
        return year, 0, 0
    month = _MONTHS.index(dated["month"][:3].lower()) + 1
    return int(dated["year"] or year), month, int(dated["day"] or 0)


def _span(text: str) -> Span:
    if _PARTLY.search(text):
        return "part"
    if _QUARTERLY.search(text) or _QUARTER.search(text):
        return "quarter"
    return "year" if _YEARLY.search(text) else ""


def _basis(text: str) -> Basis:
    if _NON_GAAP.search(text):
        return "non_gaap"
    return "gaap" if _GAAP.search(text) else ""


def columns_of(layers: Sequence[Sequence[str]]) -> list[Column]:
    """The columns that the heading's lines, from top to bottom, describe; empty where no line dates any."""
    read = [[column(text) for text in layer] for layer in layers]
    counts = [sum(cell.dated for cell in layer) for layer in read]
    if not counts or max(counts) == 0:
        return []
    at = max(index for index, count in enumerate(counts) if count == max(counts))
    leaves = _years(_trimmed(read[at]))
    for layer in read[:at][::-1] + read[at + 1 :]:
        leaves = _spread(leaves, layer)
    return _settled(_whole(leaves, layers))


def _whole(leaves: list[Column], layers: Sequence[Sequence[str]]) -> list[Column]:
    """Where names such as segments split columns of one period, only those of the whole company."""
    keys = [(leaf.key, leaf.day, leaf.span, leaf.basis) for leaf in leaves if leaf.dated]
    if len(set(keys)) == len(keys):
        return leaves
    for layer in layers:
        names = layer[1:] if len(layer) > 2 and len(leaves) % len(layer) else layer
        if len(names) < 2 or len(leaves) % len(names) or any(_MAYBE_PERIOD.search(name) for name in names):
            continue
        size = len(leaves) // len(names)
        return [
            leaf if _CONSOLIDATED.search(names[index // size]) else replace(leaf, change=True)
            for index, leaf in enumerate(leaves)
        ]
    return leaves


def _trimmed(layer: list[Column]) -> list[Column]:
    """Without the cell above the labels ("(in thousands)"), which tells nothing of periods."""
    first = layer[0]
    if len(layer) > 1 and not (first.dated or first.change or first.month) and any(cell.dated for cell in layer[1:]):
        return layer[1:]
    return layer


def _spread(leaves: list[Column], layer: list[Column]) -> list[Column]:
    """The columns with what another line of the heading adds; a cell above the labels adds nothing."""
    layer = layer[1:] if len(layer) == len(leaves) + 1 else layer
    if not all(cell.basis for cell in layer):
        layer = [cell if cell.span or cell.dated else replace(cell, basis="") for cell in layer]
    telling = [cell for cell in layer if cell.span or cell.month or cell.basis or cell.change or cell.dated]
    if not telling:
        return leaves
    if len(telling) == 1:
        return [_joined(leaf, _alone(telling[0])) for leaf in leaves]
    if len(telling) == len(leaves) and telling[-1].change and all(leaf.dated and not leaf.change for leaf in leaves):
        return _beside(leaves, telling)
    groups = _groups(leaves, len(telling))
    if groups is None or (telling[0].change and not leaves[0].change):
        return leaves
    return [_joined(leaf, telling[group]) for leaf, group in zip(leaves, groups, strict=True)]


def _beside(leaves: list[Column], telling: list[Column]) -> list[Column]:
    """`Quarter Ended | % Change` above two dates: the change is a column of its own, behind them."""
    spans = [cell for cell in telling if not cell.change]
    changes = [Column(change=True)] * (len(telling) - len(spans))
    groups = _groups(leaves, len(spans)) if spans else None
    if groups is None or telling[: len(spans)] != spans:
        return leaves
    return [*(_joined(leaf, spans[group]) for leaf, group in zip(leaves, groups, strict=True)), *changes]


def _alone(cell: Column) -> Column:
    """What one cell above all columns tells of each. A bare date there is the release's own."""
    if cell.month and cell.year and not cell.span:
        cell = replace(cell, month=0, day=0, year=0)
    return replace(cell, change=False)


def _groups(leaves: list[Column], count: int) -> list[int] | None:
    """Which of `count` groups each column is in: by where the dates start anew, or in equal parts."""
    if count == len(leaves):
        return list(range(count))
    values = [leaf for leaf in leaves if not leaf.change]
    if count == len(values):
        order = iter(range(count))
        return [next(order) if not leaf.change else count - 1 for leaf in leaves]
    found = _restarts(leaves)
    if found[-1] + 1 == count:
        return found
    return [index * count // len(leaves) for index in range(len(leaves))] if len(leaves) % count == 0 else None


def _restarts(leaves: list[Column]) -> list[int]:
    groups: list[int] = []
    group, seen = 0, set[tuple[int, int, int]]()
    for index, leaf in enumerate(leaves):
        if index and leaf.dated and (leaf.key in seen or leaf.key == leaves[0].key) and not leaf.change:
            group, seen = group + 1, set()
        seen.add(leaf.key)
        groups.append(group)
    return groups


def _joined(leaf: Column, above: Column) -> Column:
    return replace(
        leaf,
        year=leaf.year or (above.year if not (leaf.change or leaf.other) else 0),
        month=leaf.month or above.month,
        day=leaf.day or (above.day if not leaf.month else 0),
        quarter=leaf.quarter or (above.quarter if above.quarter and leaf.span != "year" else 0),
        span=leaf.span or above.span,
        basis=leaf.basis or above.basis,
        change=leaf.change or above.change,
    )


def _settled(leaves: list[Column]) -> list[Column]:
    """Columns that repeat a date within one length of period and basis show changes, and so do those without any."""
    seen: set[tuple[object, ...]] = set()
    settled = []
    for leaf in leaves:
        key = (leaf.key, leaf.day, leaf.span, leaf.basis)
        repeated = leaf.dated and key in seen
        seen.add(key)
        settled.append(replace(leaf, change=True) if repeated or leaf.other or not leaf.dated else leaf)
    return settled


def _years(leaves: list[Column]) -> list[Column]:
    """Bare years beside quarters (`2020 | 4Q20 | 3Q20`) are years."""
    if not any(leaf.quarter for leaf in leaves):
        return leaves
    return [
        replace(leaf, span="year") if leaf.dated and not (leaf.quarter or leaf.month or leaf.span) else leaf
        for leaf in leaves
    ]
