"""Every figure that a release's tables show, in whatever column: what a quoted row is checked against.

`earnings` keeps one value of each figure and the release's own period; here all cells are told whose name and column
are known. Start with `shown`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from catalyst.filings.forms.earnings.blocks import blocks_of
from catalyst.filings.forms.earnings.columns import Column
from catalyst.filings.forms.earnings.names import Figure
from catalyst.filings.forms.earnings.tables import (
    Main,
    Scope,
    basis_of,
    fact_name,
    main_period,
    placed_cells,
    scoped,
    value_of,
)

MAX_TEXT = 600_000
_NONE = Main(frozenset(), frozenset(), frozenset(), "")
_UNITED = {"eps_both": ("eps_basic", "eps_diluted")}


@dataclass(frozen=True, slots=True)
class Shown:
    """One figure in one dated column of a row that ends at `end` of the text; `scope` is empty where neither."""

    end: int
    name: str
    value: Decimal
    scope: Scope | None
    column: Column
    main: Main

    @property
    def is_instant(self) -> bool:
        return self.name == "cash"


def shown(text: str) -> Iterator[Shown]:
    """The figures of a release's text as `document_text` gives it; values in base units. Linear."""
    blocks = blocks_of(text[:MAX_TEXT])
    main = main_period(blocks) or _NONE
    for block in blocks:
        for row, figure, scopes in scoped(block, main):
            placed = placed_cells(row.cells, block.columns) or {}
            for at, cell in placed.items():
                column = block.columns[at]
                if cell.kind != "number" or column.change or not column.dated:
                    continue
                value = value_of(cell, row, figure, block.power)
                if value is not None:
                    yield from _named(row.end, figure, value, scopes.get(at), column, main)


def _named(
    end: int, figure: Figure, value: Decimal, scope: Scope | None, column: Column, main: Main
) -> Iterator[Shown]:
    for name in _UNITED.get(figure.name, (figure.name,)):
        yield Shown(end, fact_name(name, basis_of(figure, column)), value, scope, column, main)
