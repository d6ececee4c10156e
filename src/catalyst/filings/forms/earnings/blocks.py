"""A release's lines as blocks: a heading (units, periods) and the rows under it, until the next heading.

Plain text releases wrap long labels: "Diluted earnings (loss) per" stands on the line above "share | $0.10"; such lines
are joined. Start with `blocks_of`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from catalyst.filings.forms.earnings.cells import Cell, cells_of, parts_of
from catalyst.filings.forms.earnings.columns import Column, column, columns_of
from catalyst.filings.forms.earnings.names import Basis, Figure, figure_of

_SCALE = re.compile(
    r"\b(?:in|of|\$|expressed in|stated in|amounts? in|us\$)\s{0,2}\(?(?:u\.?s\.?\s{0,2})?(?:dollars?\s{0,2}|"
    r"\$\s?|us\$\s?|usd\s|"
    r"rmb\s|euros?\s|€\s?)?(?:in\s)?(?P<word>thousand|million|billion)s?\b|(?:\(\$?|[^\d,]\$)(?P<zeros>000)['’]?s?\b|"
    r"\((?:(?:us )?dollars? |amounts? |usd |all amounts )?(?:in )?(?P<bare>thousand|million|billion)s\b|"
    r"\bin (?:\$\s?)?(?P<zeros2>000)['’]?s?\b|\b(?P<lead>thousand|million|billion)s of\b|"
    r"[$€]\s?(?P<short>mm?)\b(?!\w)|"
    r"\([$€](?P<s2>s in (?:thousand|million|billion))",
    re.IGNORECASE,
)
_POWERS = {"thousand": 3, "million": 6, "billion": 9, "m": 6, "mm": 6, "000": 3}
_PROSE = 220
_TITLE = 160
_RULE = re.compile(r"[\s|=_.\-–—]*")
_TITLES = 10
_MANY_WORDS = 4
_LONG = 1_000
_LAYERS = 12
_MOST_LINES = 20_000
_MONEY = frozenset(("revenue", "net_income", "operating_income", "cash", "ebitda_adjusted"))
_LEAST_WHOLE = 1_000_000
_MAYBE = re.compile(
    r"\d|month|quarter|week|year|annual|gaap|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec", re.IGNORECASE
)
_RANGE = re.compile(r"\d(?:\s?(?:million|billion|m|b))?\s?(?:to|-|–|—)\s?\(?[$€£]?\(?\d", re.IGNORECASE)
_NAMES = re.compile(r"[A-Z][^\d$%.]{1,40}")
_RUNNING = re.compile(
    r"^\s*(?!ended|ending|for the|as of|and\b|through|at\b|months?|weeks?|quarters?)[a-z]|[a-z]\. +[A-Z]|"
    r"\b(?:of|the|in|to|a|our|was|were)$"
)
_DECLARES = re.compile(r"\s*(?:all )?(?:in|\$ ?in|amounts?|dollars?|figures|unaudited|u\.?s\.?) ", re.IGNORECASE)
_KIND = re.compile(r"(?:[-–—•] ?)?(?:basic|diluted|basic and diluted|fully diluted|assuming dilution)")
_LOWER = re.compile(r"\(?[a-z(]")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its label, its cells, the heading inside the table that it stands under, and where it stands."""

    label: str
    cells: list[Cell]
    context: str
    start: int
    end: int


@dataclass(slots=True)
class Block:
    """A heading and its rows."""

    titles: list[str] = field(default_factory=list)
    """The lines above the rows, as they are."""
    layers: list[list[str]] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    figures: list[Figure | None] = field(default_factory=list)
    """What each row names, once it has been read."""
    power: int | None = None
    """Power of ten that amounts of money are shown in; None where nothing declares it."""

    @property
    def title(self) -> str:
        return "\n".join(self.titles).lower()


def power_of(text: str) -> int | None:
    """The scale that a text declares ("in thousands"), as a power of ten."""
    found = _SCALE.search(text)
    if found is None:
        return None
    words = (found["word"], found["bare"], found["zeros"], found["zeros2"], found["lead"], found["short"])
    said = next((word for word in words if word), None) or found["s2"].rsplit(" ", 1)[-1]
    return _POWERS[said.lower()]


def blocks_of(text: str) -> list[Block]:
    """The blocks of a release, in order; long prose ends a block."""
    scanner = _Scanner()
    at = 0
    for count, line in enumerate(text.split("\n")):
        if count >= _MOST_LINES:
            break
        if line.strip() and not _RULE.fullmatch(line):
            scanner.take(line, at)
        elif not line.strip():
            scanner.gap()
        at += len(line) + 1
    return scanner.finish()


class _Scanner:
    """Follows the lines and sorts them into headings, rows and prose."""

    def __init__(self) -> None:
        self._done: list[Block] = []
        self._block = Block()
        self._context: list[str] = []
        self._below: list[str] = []
        self._wrapped: list[tuple[str, int]] = []
        self._power: int | None = None
        self._after_row = False

    def take(self, line: str, at: int) -> None:
        label, cells = cells_of(line) if " | " in line else ("", [])
        if cells and _is_row(label, cells):
            self._row(label, cells, at, at + len(line))
        elif _is_heading(line):
            self._heading(line)
        elif len(line) > _PROSE and " | " not in line:
            self._close()
            self._declare(line[-_PROSE:])
        else:
            self._words(line, at)

    def gap(self) -> None:
        self._wrapped = []

    def finish(self) -> list[Block]:
        self._close()
        return self._done

    def _row(self, label: str, cells: list[Cell], start: int, end: int) -> None:
        if not self._block.rows:
            self._block.columns = columns_of(self._block.layers)
        if _LOWER.match(label) and self._wrapped:
            label, start = self._joined(label, start)
        self._wrapped, self._after_row = [], True
        self._block.rows.append(Row(label, cells, "\n".join(self._context), start, end))

    def _joined(self, label: str, start: int) -> tuple[str, int]:
        for line, at in reversed(self._wrapped[-3:]):
            if line.rstrip().endswith(":"):
                break
            label, start = f"{line.strip()} {label}", at
            if not _LOWER.match(label):
                break
        return label, start

    def _heading(self, line: str) -> None:
        if self._block.rows:
            self._next()
        self._block.titles.append(line)
        self._context = []
        self._block.layers = [*self._block.layers[1 - _LAYERS :], [part[:_TITLE] for part in parts_of(line)]]
        power = power_of(line[:_LONG])
        if power is not None:
            self._power = power
        self._block.power = self._power

    def _words(self, line: str, at: int) -> None:
        if len(line) <= _TITLE:
            self._note(line)
            (self._below if self._block.rows else self._block.titles).append(line)
            self._wrapped.append((line, at))
            self._split(line)
            if "(" in line or _DECLARES.match(line):
                self._declare(line)

    def _split(self, line: str) -> None:
        """Keep a line of several names above the columns ("Domestic | Canada | Consolidated")."""
        parts = parts_of(line)
        if len(parts) > 1 and not self._block.rows and all(_NAMES.fullmatch(part) for part in parts):
            self._block.layers = [*self._block.layers[1 - _LAYERS :], parts]

    def _declare(self, line: str) -> None:
        """Take note of "(in thousands)": it holds for the rows below."""
        power = power_of(line)
        if power is not None:
            if self._block.rows:
                self._next()
            self._power = self._block.power = power

    def _note(self, line: str) -> None:
        """A heading inside the table; "Basic" and "Diluted" stand under the one before them."""
        if not self._after_row:
            self._context = [*self._context[-1:], line]
        elif _KIND.fullmatch(line.strip(" :").lower()):
            self._context = [*(kept for kept in self._context if not _KIND.fullmatch(kept.strip(" :").lower())), line]
        else:
            self._context = [line]
        self._after_row = False

    def _next(self) -> None:
        """A new block, under the title lines that came after the last rows."""
        self._finish_block()
        self._block = Block(titles=self._below[-_TITLES:], power=self._power)
        self._below = []

    def _finish_block(self) -> None:
        basis = title_basis(self._block)
        self._block.figures = [figure_of(row.label, row.context, basis) for row in self._block.rows]
        if self._block.power is None and _in_whole(self._block):
            self._block.power = 0
        self._done.append(self._block)

    def _close(self) -> None:
        if self._block.rows:
            self._finish_block()
        self._block = Block(power=self._power)
        self._context, self._wrapped, self._below = [], [], []


def _in_whole(block: Block) -> bool:
    """Whether a table that declares no scale shows a known amount of money in millions, digit by digit."""
    return any(
        figure is not None and figure.name in _MONEY and cell.kind == "number" and abs(cell.value) >= _LEAST_WHOLE
        for row, figure in zip(block.rows, block.figures, strict=True)
        for cell in row.cells
    )


def title_basis(block: Block) -> Basis | None:
    """ "Non-GAAP" or "Pro forma" above the whole table; a reconciliation shows both."""
    title = block.title
    if "reconcil" in title:
        return None
    last = [line.lower().strip(" :") for line in block.titles[-_TITLES:] if " | " not in line]
    if any(
        line in ("non-gaap", "non gaap", "adjusted", "pro forma") or line.endswith(("- pro forma", "non-gaap"))
        for line in last
    ):
        return "non_gaap"
    return None


def _is_row(label: str, cells: list[Cell]) -> bool:
    """A row shows at least one figure; a line of years and words is a heading."""
    figures = [cell for cell in cells if cell.kind in ("number", "percent", "nothing")]
    if not any(cell.kind == "number" for cell in figures):
        return bool(label) and any(_RANGE.search(cell.text) and not column(cell.text).dated for cell in cells)
    dated = sum(column(cell.text).dated for cell in cells if cell.kind == "text")
    return dated == 0 or len(figures) > dated


def _is_heading(line: str) -> bool:
    if " | " not in line and len(line) > _TITLE:
        return False
    if not _MAYBE.search(line):
        return False
    parts = parts_of(line)
    read = [column(part) for part in parts if len(part) <= _TITLE]
    if any(cell.other > _MANY_WORDS for cell in read) and " | " not in line:
        return False
    if len(parts) > 1:
        return any(cell.dated or cell.span or cell.month for cell in read) or _only_bases(read)
    if _RUNNING.search(line):
        return False
    alone = read[0] if read else column("")
    return _short(line) and (bool(alone.span) or ((alone.dated or bool(alone.month)) and not alone.other))


def _only_bases(read: list[Column]) -> bool:
    return len(read) > 1 and all(cell.basis for cell in read)


def _short(line: str) -> bool:
    """One cell alone is a heading when it is little more than its period: "Three Months Ended March 31, 2020"."""
    return (
        len(line.strip()) <= 90 and not line.rstrip().endswith((".", ";")) and not re.search(r"[$%]\s?\d|\d\s?%", line)
    )
