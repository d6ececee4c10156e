"""Figures from a release's tables: which row is which figure, which column is the quarter and which the year before.

The income statement is the table that knows most figures; others add what it lacks, where they do not contradict each
other. A figure whose column, unit or period is in doubt is left out. Start with `found_in`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from catalyst.filings.forms.earnings.blocks import Block, Row
from catalyst.filings.forms.earnings.cells import Cell
from catalyst.filings.forms.earnings.columns import Column
from catalyst.filings.forms.earnings.names import Basis, Figure

Scope = Literal["current", "prior"]

_PER_SHARE = ("eps_basic", "eps_diluted", "eps_both", "eps_plain", "dividend_per_share")
_STATEMENT = ("revenue", "net_income", "operating_income", "eps_basic", "eps_diluted")
_ADJUSTED = {
    "eps_diluted": "eps_adjusted",
    "eps_basic": "eps_basic_adjusted",
    "net_income": "net_income_adjusted",
    "operating_income": "operating_income_adjusted",
}
_MOST_EPS = Decimal(2_000)
_LEAST_UNSCALED = Decimal(1_000_000)


def fact_name(name: str, basis: Basis) -> str:
    """A figure's name as facts have it: what is adjusted has a name of its own."""
    return _ADJUSTED.get(name, name) if basis == "non_gaap" else name


@dataclass(frozen=True, slots=True)
class Found:
    """One figure in one column of one table."""

    name: str
    basis: Basis
    scope: Scope
    value: Decimal
    rank: int
    block: int
    end: date | None
    row: Row
    currency: str
    quarterly: bool
    step: Decimal
    """The last digit's worth: two figures that differ by no more may be one, rounded."""


@dataclass(frozen=True, slots=True)
class Main:
    """The release's own period: `key` of its columns by date, and by fiscal label."""

    ends: frozenset[tuple[int, int]]
    quarters: frozenset[tuple[int, int]]
    years: frozenset[int]
    span: str


def main_period(blocks: Sequence[Block]) -> Main | None:
    """The quarter that most tables end with, the first of several; the year where no table shows a quarter."""
    for span in ("quarter", "year"):
        dated: Counter[tuple[int, int]] = Counter()
        labelled: Counter[tuple[int, int]] = Counter()
        bare: Counter[int] = Counter()
        for block in blocks:
            if not _knows(block):
                continue
            latest = _latest([column for column in block.columns if _is_value(column, span)])
            if latest and latest.month:
                dated[latest.year, latest.month] += 1
            if latest and latest.quarter:
                labelled[latest.year, latest.quarter] += 1
            if latest:
                bare[latest.year] += 1
        if bare:
            return _main(dated, labelled, bare, span)
    return None


def _main(dated: Counter[tuple[int, int]], labelled: Counter[tuple[int, int]], bare: Counter[int], span: str) -> Main:
    ends = frozenset([max(dated, key=lambda key: dated[key])]) if dated else frozenset()
    quarters = frozenset([max(labelled, key=lambda key: labelled[key])]) if labelled else frozenset()
    years = frozenset(year for year, _ in ends or quarters) or frozenset([max(bare, key=lambda key: bare[key])])
    return Main(ends, quarters, years, span)


def _knows(block: Block) -> bool:
    """Whether a table tells the company's own results: its figures' names stand in it."""
    names = {figure.name for figure in block.figures if figure}
    return bool(names & {*_STATEMENT, "eps_both", "eps_plain", "ebitda_adjusted"})


def _is_value(column: Column, span: str) -> bool:
    return column.dated and not column.change and column.span == span


def _latest(columns: Iterable[Column]) -> Column | None:
    return max(columns, key=lambda column: (column.year, column.month, column.quarter), default=None)


def found_in(blocks: Sequence[Block], main: Main) -> list[Found]:
    """Every figure that the tables show for the main period and the same period a year before."""
    return [found for index, block in enumerate(blocks) for found in _block(block, index, main)]


def _block(block: Block, index: int, main: Main) -> Iterator[Found]:
    for row, figure, columns in scoped(block, main):
        yield from _row(block, index, row, figure, columns)


def scoped(block: Block, main: Main) -> Iterator[tuple[Row, Figure, dict[int, Scope]]]:
    """The rows that name a figure, and which of their columns are the main period's and the year before's."""
    if not block.columns or not block.rows:
        return
    flows, instants = _scopes(block.columns, main), _instants(block.columns, main)
    sheet = _is_balance_sheet(block)
    for row, figure in _figures(block):
        columns = flows
        if figure.name == "cash":
            columns = instants if sheet else _days(block, instants, main)
            figure = figure if sheet else replace(figure, rank=figure.rank + 2)
        yield row, figure, columns


def _days(block: Block, instants: dict[int, Scope], main: Main) -> dict[int, Scope]:
    """Outside the balance sheet only columns headed by a day alone can be trusted beyond the current one."""
    by_day = all(column.month and not column.span for column in block.columns if column.dated and not column.change)
    return instants if by_day else _last_day(block.columns, main)


def _is_balance_sheet(block: Block) -> bool:
    return any(
        row.label.lower().startswith(("total assets", "total current assets", "total liabilities"))
        for row in block.rows
    )


def _figures(block: Block) -> Iterator[tuple[Row, Figure]]:
    """The rows that name a figure; a plain EPS beside a diluted one is the basic."""
    plain_kind = _plain_eps(block)
    for at, (row, figure) in enumerate(zip(block.rows, block.figures, strict=True)):
        figure = figure or _continued(block, at) or _lone_revenue(block.rows, at)
        if figure is None:
            continue
        if figure.name == "eps_plain":
            if not plain_kind:
                continue
            figure = Figure(plain_kind, figure.basis, figure.rank)
        yield row, figure


def _plain_eps(block: Block) -> str:
    """Beside a diluted EPS the plain one is the basic; under rows "basic and diluted" it sums up both."""
    if any("basic and diluted" in row.label.lower() and "per share" in row.label.lower() for row in block.rows):
        return "eps_both"
    kinds = {figure.name for figure in block.figures if figure}
    return "eps_basic" if "eps_diluted" in kinds and "eps_basic" not in kinds else ""


def _continued(block: Block, at: int) -> Figure | None:
    """`Net income per share - Basic`, and below it only `- Diluted`."""
    before = block.figures[at - 1] if at else None
    label = block.rows[at].label.lower().strip(" -–—:•")
    if before is None or before.name != "eps_basic" or label not in ("diluted", "fully diluted", "assuming dilution"):
        return None
    return Figure("eps_diluted", before.basis, before.rank)


def _lone_revenue(rows: Sequence[Row], at: int) -> Figure | None:
    """The only row under "Revenues:" is the revenue, whatever it is called."""
    row = rows[at]
    heading = row.context.lower().rstrip(" :").rpartition("\n")[2]
    if not heading.endswith(("revenue", "revenues", "net sales")) or "cost" in heading:
        return None
    alone = (at == 0 or rows[at - 1].context != row.context) and (
        at + 1 == len(rows) or rows[at + 1].context != row.context
    )
    return Figure("revenue", "gaap", 2) if alone else None


def _scopes(columns: Sequence[Column], main: Main) -> dict[int, Scope]:
    """Column -> scope, for figures of a period."""
    found: dict[int, Scope] = {}
    current = [at for at, column in enumerate(columns) if _is_value(column, main.span) and _is_main(column, main)]
    if not current:
        return {}
    reference = columns[current[0]]
    for at, column in enumerate(columns):
        if not _is_value(column, main.span):
            continue
        if at in current:
            found[at] = "current"
        elif _is_year_before(reference, column):
            found[at] = "prior"
    return found


def _is_main(column: Column, main: Main) -> bool:
    if column.month and main.ends:
        return any(_near(column, key) for key in main.ends)
    if column.quarter and main.quarters:
        return (column.year, column.quarter) in main.quarters
    return column.year in main.years and not (column.month or column.quarter)


def _near(column: Column, key: tuple[int, int]) -> bool:
    """The same month, or the next one: a 52-week quarter may end some days past the month."""
    months = (column.year - key[0]) * 12 + column.month - key[1]
    return months == 0


def _is_year_before(reference: Column, column: Column) -> bool:
    if reference.end and column.end:
        return 350 <= (reference.end - column.end).days <= 380
    same = (reference.month, reference.quarter) == (column.month, column.quarter)
    return same and column.year == reference.year - 1


def _instants(columns: Sequence[Column], main: Main) -> dict[int, Scope]:
    """Column -> scope, for figures at a day: the latest day, and the only other one or that of a year before."""
    dated = [(at, column) for at, column in enumerate(columns) if column.dated and not column.change]
    current = next((at for at, column in dated if _is_main(column, main)), None)
    if current is None:
        return {}
    others = [(at, column) for at, column in dated if at != current]
    if len(others) == 1:
        return {current: "current", others[0][0]: "prior"}
    before = [at for at, column in others if _is_year_before(columns[current], column)]
    return {current: "current", **({before[0]: "prior"} if len(before) == 1 else {})}


def _last_day(columns: Sequence[Column], main: Main) -> dict[int, Scope]:
    """The balance at the end of the period, outside the balance sheet: what is beside it may be of any day."""
    at = next(
        (at for at, column in enumerate(columns) if column.dated and not column.change and _is_main(column, main)), None
    )
    return {} if at is None else {at: "current"}


def _row(block: Block, index: int, row: Row, figure: Figure, scopes: dict[int, Scope]) -> Iterator[Found]:
    placed = placed_cells(row.cells, block.columns)
    if placed is None:
        return
    for at, scope in scopes.items():
        cell = placed.get(at)
        if cell is None or cell.kind != "number":
            continue
        value = value_of(cell, row, figure, block.power)
        if value is None:
            continue
        basis = basis_of(figure, block.columns[at])
        if basis == "non_gaap" and figure.name in ("revenue", "cash", "dividend_per_share"):
            continue
        for name in ("eps_basic", "eps_diluted") if figure.name == "eps_both" else (figure.name,):
            step = Decimal(1).scaleb((0 if figure.name in _PER_SHARE else block.power or 0) - cell.decimals)
            column = block.columns[at]
            yield Found(
                name,
                basis,
                scope,
                value,
                figure.rank,
                index,
                column.end,
                row,
                cell.currency,
                column.span == "quarter",
                step,
            )


def placed_cells(cells: Sequence[Cell], columns: Sequence[Column]) -> dict[int, Cell] | None:
    """Which cell stands in which column; None where the numbers of both leave a doubt.

    Words before the first figure ("K/T", a reference to another line) stand in no column.
    """
    cells = cells[next((at for at, cell in enumerate(cells) if cell.kind != "text"), 0) :]
    if len(cells) == len(columns):
        return dict(enumerate(cells))
    values = [at for at, column in enumerate(columns) if not column.change]
    plain = [cell for cell in cells if cell.kind in ("number", "nothing")]
    if len(plain) == len(values) and len(cells) <= len(columns):
        return dict(zip(values, plain, strict=True))
    leading = next((at for at, column in enumerate(columns) if column.change), 0)
    if leading and len(cells) > len(columns):
        return dict(enumerate(cells[:leading]))
    return None


def basis_of(figure: Figure, column: Column) -> Basis:
    return "non_gaap" if column.basis == "non_gaap" else figure.basis


def value_of(cell: Cell, row: Row, figure: Figure, power: int | None) -> Decimal | None:
    """In base units; None where the sign or the scale is in doubt."""
    value = _signed(cell, row)
    if value is None:
        return None
    if figure.name in _PER_SHARE:
        return value if abs(value) < _MOST_EPS and (cell.decimals >= 2 or value == 0) else None
    if power is None:
        largest = max((abs(other.value) for other in row.cells if other.kind == "number"), default=Decimal(0))
        return value if largest >= _LEAST_UNSCALED else None
    return Decimal(f"{value.scaleb(power):f}")


def _signed(cell: Cell, row: Row) -> Decimal | None:
    """A "Net loss" printed without parentheses is negative, unless other cells of its row have them."""
    label = row.label.lower()
    pure = "loss" in label and not any(
        word in label for word in ("income", "earnings", "profit", "(loss)", "ebitda", "eps")
    )
    if not pure or cell.value <= 0:
        return cell.value
    return None if any(other.value < 0 for other in row.cells if other.kind == "number") else -cell.value
