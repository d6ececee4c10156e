"""What a release's own tables say about a quoted row: which figure, which column, which period. Start with `Tabled`.

Words near a number can mislead; a table whose columns have been read cannot. Where it knows the row, it decides.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from catalyst.filings import periods
from catalyst.filings.evidence import plain
from catalyst.filings.forms.earnings.columns import Column
from catalyst.filings.forms.earnings.shown import Shown, shown
from catalyst.filings.forms.earnings.tables import Scope
from catalyst.filings.metrics import Metric, supports
from catalyst.filings.periods import Period
from catalyst.stream.types import Fact

_KNOWN = frozenset(("revenue", "net", "operating", "eps", "ebitda", "cash", "dividend"))
"""First words of the names that release tables are read for."""

_ADJUSTED = "_adjusted"
_HALF = 6


class Tabled:
    """The rows of some texts, read once when first asked."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts

    def judges(self, line: str, fact: Fact, metric: Metric | None) -> bool | None:
        """Whether the table row that reads `line` (lower case, single spaces) says so; None where that is unknown."""
        if metric is None or not isinstance(fact.value, Decimal):
            return None
        row = self._rows.get(line, ())
        cells = [one for one in row if _digits(one.value) == _digits(fact.value)]
        named = [one for one in cells if _is_called(one, fact, metric)]
        if not named:
            return _is_another(metric, cells)
        if all(one.value != fact.value for one in named):
            return False
        sure = any(_is_called(one, fact, metric) and _fits(one, fact.period) for one in row)
        told = {_agrees(one, fact, _scope(one, named), sure) for one in named if one.value == fact.value}
        return True if True in told else (None if None in told else False)

    @functools.cached_property
    def _rows(self) -> Mapping[str, Sequence[Shown]]:
        rows: dict[str, list[Shown]] = defaultdict(list)
        for text in self._texts:
            for one in shown(text):
                start = text.rfind("\n", 0, one.end) + 1
                rows[plain(text[start : one.end]).lower()].append(one)
        return rows


def _digits(value: Decimal) -> tuple[int, ...]:
    return abs(value.normalize()).as_tuple().digits


def _first(one: Shown) -> str:
    return one.name.partition("_")[0]


def _is_another(metric: Metric, cells: Sequence[Shown]) -> bool | None:
    """False where the row is known to be another figure, or the adjusted one of its name."""
    first = metric.name.partition("_")[0]
    if not cells or first not in _KNOWN:
        return None
    others = [_first(one) != first or not metric.name.endswith(_ADJUSTED) for one in cells]
    return False if all(others) else None


def _is_called(one: Shown, fact: Fact, metric: Metric) -> bool:
    return one.name == fact.name or supports(metric, Metric(one.name, metric.unit, metric.signed))


def _scope(one: Shown, row: Sequence[Shown]) -> Scope | None:
    """A column's scope, or that of another that ends on the same day: nine months beside the quarter."""
    same = (
        other.scope for other in row if (other.column.year, other.column.month) == (one.column.year, one.column.month)
    )
    return one.scope or next((scope for scope in same if scope), None)


def _agrees(one: Shown, fact: Fact, scope: Scope | None, sure: bool) -> bool | None:
    """Whether scope and period fit the column; None where neither is known to. `sure`: the period is some column's."""
    if fact.scope == "guidance":
        return None
    if fact.scope and scope and fact.scope != scope:
        return False
    fits = _fits(one, fact.period)
    if fits is False or (sure and not fits):
        return False
    return True if fits or (fact.scope and one.scope) else None


def _fits(one: Shown, period: str) -> bool | None:
    """Whether a period as facts write it is the column's; None where either is not told."""
    wanted = periods.read_period(period)
    if wanted is None:
        return None
    column = one.column
    if wanted.day is not None:
        return _ends_on(wanted.day, column)
    if not one.is_instant and _other_length(wanted, one):
        return False
    if wanted.quarter:
        return _in_quarter(wanted, column)
    if wanted.year == column.year:
        return True if column.span == "year" else None
    return None if column.month and abs(wanted.year - column.year) == 1 else False


def _ends_on(day: date, column: Column) -> bool | None:
    """A 52-week quarter may end some days past the month; a fiscal year may be called by the next year's number."""
    if column.month:
        return abs((day.year - column.year) * 12 + day.month - column.month) <= 1
    return None if column.year - day.year in (0, 1) else False


def _other_length(wanted: Period, one: Shown) -> bool:
    if wanted.quarter:
        return one.column.span in ("part", "year")
    return one.column.span == "quarter" and one.main.span == "quarter"


def _in_quarter(wanted: Period, column: Column) -> bool | None:
    """A calendar quarter is right; another one may be the fiscal name of the same months.

    A fiscal year is called by the year it ends in, or, where it ends in the first half, by the one before. Beside a
    month a quarter's number may stem from the release's title, and counts only where it is the calendar's.
    """
    if not column.month:
        known = (wanted.year, wanted.quarter) == (column.year, column.quarter)
        return known if column.quarter else (None if wanted.year == column.year else False)
    calendar = (column.month - 1) // 3 + 1
    if column.quarter == calendar or (wanted.year, wanted.quarter) == (column.year, calendar):
        return (wanted.year, wanted.quarter) == (column.year, calendar)
    year, month = divmod(column.year * 12 + column.month - 1 + (4 - wanted.quarter) * 3, 12)
    return None if wanted.year in ((year, year - 1) if month < _HALF else (year,)) else False
