"""`catalyst forecast`: when money comes, and `catalyst forecast backtest`: would that have been right."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from catalyst.app.settings import Settings
    from catalyst.cashflow import CashflowForecast, CashflowPredictionInput
    from catalyst.cashflow.mapping import Book

_SHOWN_WARNINGS = 10


class RunByDefault(TyperGroup):
    """`catalyst forecast DATA` is `catalyst forecast run DATA`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        known = (*self.commands, "--help")
        return super().parse_args(ctx, args if not args or args[0] in known else ["run", *args])


forecast = typer.Typer(
    cls=RunByDefault,
    no_args_is_help=True,
    help="""Forecast when open deals and invoices are paid, and how much comes in each week or month.

    DATA is a CSV file, a folder of them, or any SQLAlchemy URL; a YAML mapping says which column means what.

    Examples: catalyst forecast invoices.csv --mapping map.yaml · catalyst forecast sqlite:///erp.db --mapping map.yaml
    --horizon 180 --granularity month --plot cash.svg · catalyst forecast backtest invoices.csv --mapping map.yaml
    """,
)
Data = Annotated[str, typer.Argument(metavar="DATA", help="A CSV file, a folder of CSV files, or a database's URL.")]
Mapping = Annotated[Path, typer.Option("--mapping", "-m", help="The YAML column mapping.")]
Plot = Annotated[Path | None, typer.Option(metavar="FILE.svg", help="Write a picture with its band.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@forecast.command("run")
def run(
    data: Data,
    mapping: Mapping,
    horizon: Annotated[int, typer.Option(min=1, max=1_098, help="Days ahead.")] = 90,
    granularity: Annotated[str, typer.Option(help="week or month.")] = "week",
    pipeline: Annotated[str, typer.Option(help="Only deals of this pipeline.")] = "",
    as_of: Annotated[str, typer.Option(metavar="DATE", help="Forecast as on this day; today by default.")] = "",
    min_confidence: Annotated[float, typer.Option(min=0, max=1, help="Leave out deals less sure.")] = 0.0,
    week_starts: Annotated[str, typer.Option(help="monday, sunday or saturday.")] = "monday",
    deals: Annotated[bool, typer.Option("--deals", help="Print each deal with its reasoning, too.")] = False,
    no_models: Annotated[bool, typer.Option("--no-notes", help="No model reads notes.")] = False,
    plot: Plot = None,
    as_json: AsJson = False,
) -> None:
    """Forecast; `catalyst forecast DATA …` runs it too."""
    import asyncio

    from pydantic import ValidationError

    from catalyst.app import log
    from catalyst.app.settings import load
    from catalyst.cashflow import CashflowPredictionInput
    from catalyst.errors import UsageError

    log.configure()
    settings = load()
    try:
        asked = CashflowPredictionInput.model_validate(
            {
                "pipeline_name": pipeline,
                "horizon_days": horizon,
                "granularity": granularity,
                "as_of": as_of or None,
                "min_confidence": min_confidence,
                "week_starts": week_starts,
                "read_notes": not no_models,
            }
        )
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise UsageError(told) from error
    with _bar("deals") as progress:
        made = asyncio.run(_forecast(settings, _book(settings, data, mapping), asked, progress))
    if plot:
        _write(plot, _pictures(made))
    print(made.model_dump_json() if as_json else _screen(made, deals))
    _warn(made)


@forecast.command("backtest")
def backtest(
    data: Data,
    mapping: Mapping,
    warmup: Annotated[float, typer.Option(min=0.05, max=0.95, help="Share of the invoices that only teaches.")] = 0.4,
    plot: Plot = None,
    as_json: AsJson = False,
) -> None:
    """Walk the past forward a week at a time, with only what was known then, and compare with plain ways."""
    import json

    from catalyst.app import log
    from catalyst.app.settings import load
    from catalyst.cashflow.backtest import backtest as walk
    from catalyst.errors import UsageError

    log.configure()
    by: dict[str, list[Any]] = {}
    for invoice in _book(load(), data, mapping).invoices:
        by.setdefault(invoice.currency, []).append(invoice)
    if not by:
        raise UsageError("there are no invoices: the mapping needs a table of them")
    found = {}
    for currency, invoices in sorted(by.items()):
        with _bar(f"weeks ({currency})") as progress:
            found[currency] = walk(invoices, warmup=warmup, progress=progress)
    if plot:
        shown = max(found, key=lambda currency: found[currency].invoices)
        _write(plot, _past(shown, found[shown]))
        _say_plotted(shown, len(found))
    if as_json:
        print(json.dumps({currency: _figures(result) for currency, result in found.items()}))
        return
    for currency, result in found.items():
        print(_table(currency, result))


async def _forecast(
    settings: Settings, book: Book, asked: CashflowPredictionInput, progress: Callable[[int, int], None]
) -> CashflowForecast:
    from catalyst.app.build.cashflow import cashflow
    from catalyst.app.build.hub import hub

    folder = settings.app.data_dir
    if not asked.read_notes or not _has_notes(book):
        with cashflow(settings, folder, None, book) as service:
            return await service.predict_cashflow(asked, progress)
    async with hub(settings, folder) as llm:
        with cashflow(settings, folder, llm, book) as service:
            return await service.predict_cashflow(asked, progress)


def _has_notes(book: Book) -> bool:
    return any(deal.notes for deal in book.deals) or any(invoice.notes for invoice in book.invoices)


def _book(settings: Settings, data: str, mapping: Path) -> Book:
    from zoneinfo import ZoneInfo

    from catalyst.cashflow.mapping import read_mapping
    from catalyst.cashflow.tables import read_book
    from catalyst.errors import UsageError

    try:
        text = mapping.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{mapping} cannot be read: {error}") from error
    return read_book(data, read_mapping(text, str(mapping)), ZoneInfo(settings.hub.timezone))


def _screen(made: CashflowForecast, deals: bool) -> str:
    table = made.table
    lines = [f"{'from':<11} {'to':<11} {'':<4} {'invoiced':>16} {'paid':>16}   {'8 of 10 cases':<33} deals"]
    for row in table.periods:
        span = f"{row.payment_low:,f} to {row.payment_high:,f}"
        lines.append(
            f"{row.start} {row.end!s:>11} {row.currency:<4} {row.invoice_value:>16,f} {row.payment_value:>16,f}"
            f"   {span:<33} {row.deal_count}"
        )
    lines += [
        f"{'total':<23} {total.currency:<4} {total.invoice_value:>16,f} {total.payment_value:>16,f}"
        f"   later: {total.beyond_payment_value:,f} ({total.beyond_deal_count} deals){'':<4} {total.deal_count}"
        for total in table.totals
    ]
    if deals:
        lines += [line for deal in made.deals for line in _deal(deal)]
    lines += ["", *made.assumptions, f"forecast {made.forecast_id}, {made.run.deals_analysed} deals"]
    return _harmless("\n".join(lines))


def _deal(deal: Any) -> list[str]:
    when = f"{deal.payment.p50} ({deal.payment.p10} to {deal.payment.p90})" if deal.payment else "not expected"
    return [
        "",
        f"{deal.deal_id} {deal.customer}: {deal.value:,f} {deal.currency}",
        f"  paid {when}, confidence {deal.confidence:.2f}",
        *(f"  {reason}" for reason in deal.reasoning),
    ]


def _warn(made: CashflowForecast) -> None:
    import sys

    for warning in made.run.warnings[:_SHOWN_WARNINGS]:
        print(f"warning: {_harmless(warning)}", file=sys.stderr)
    if len(made.run.warnings) > _SHOWN_WARNINGS:
        print(f"and {len(made.run.warnings) - _SHOWN_WARNINGS} more warnings: --json shows all", file=sys.stderr)


def _pictures(made: CashflowForecast) -> str:
    """The currency with the most money, which is said; one picture is one file."""
    from catalyst.cashflow.plot import Point, svg
    from catalyst.errors import UsageError

    if not made.table.totals:
        raise UsageError("there is nothing to plot: no deal is open")
    largest = max(made.table.totals, key=lambda total: abs(total.payment_value)).currency
    _say_plotted(largest, len(made.table.totals))
    rows = [row for row in made.table.periods if row.currency == largest]
    points = [
        Point(row.start, float(row.payment_value), float(row.payment_low), float(row.payment_high)) for row in rows
    ]
    return svg(f"Expected payments from {made.as_of}, by {made.table.granularity}", largest, points)


def _say_plotted(currency: str, of: int) -> None:
    import sys

    if of > 1:
        print(f"the picture shows {currency}, one of {of} currencies: they are never added", file=sys.stderr)


def _past(currency: str, result: Any) -> str:
    from catalyst.cashflow.plot import Point, svg

    points = [Point(week.start, week.forecast, week.low, week.high, week.actual) for week in result.weeks]
    return svg("Payments by week: forecast on its first day, and what came", currency, points)


def _table(currency: str, result: Any) -> str:
    from catalyst.cashflow.backtest import rows_of

    lines = [
        f"{currency}: {result.invoices} invoices dated at issue, over {result.origins} weeks; "
        f"{result.coverage80:.1%} within their 80 % interval of {result.width_days:.1f} days on average",
        f"{'':<16} {'MAE days':>9} {'WAPE week':>10} {'WAPE 4 weeks':>13}",
    ]
    lines += [f"{name:<16} {mae:>9.2f} {week:>10.3f} {month:>13.3f}" for name, mae, week, month in rows_of(result)]
    return "\n".join(lines)


def _figures(result: Any) -> dict[str, Any]:
    from catalyst.cashflow.backtest import rows_of

    names = ("mae_days", "wape_week", "wape_4week")
    rows = {name: dict(zip(names, _finite(figures), strict=True)) for name, *figures in rows_of(result)}
    return {
        "invoices": result.invoices,
        "coverage80": result.coverage80,
        "width_days": result.width_days,
        **rows.pop("ours"),
        "peers": rows,
    }


def _finite(figures: list[float]) -> list[float | None]:
    return [figure if figure < float("inf") else None for figure in figures]


def _write(path: Path, text: str) -> None:
    from catalyst.errors import UsageError

    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error


def _harmless(text: str) -> str:
    from catalyst.app.log import harmless

    return harmless(text, keep="\n")


@contextlib.contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Progress on standard error, where that is a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task(what, total=None)
        yield lambda done, of: shown.update(task, completed=done, total=of)
