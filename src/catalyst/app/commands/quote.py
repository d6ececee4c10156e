"""`catalyst quote`: what the bot's price sources say, to try keys and order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from catalyst.app.settings import Settings
    from catalyst.bot.quotes import Bar, Quote

SECONDS = 8.0
"""How long the sources have: the bot itself waits for a fortieth of a second."""


def quote(
    symbol: Annotated[list[str], typer.Argument(help="Tickers, AAPL MSFT BRK.B.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a ticker.")] = False,
    bars: Annotated[bool, typer.Option("--bars", help="Print the day's 5-minute bars as JSON lines instead.")] = False,
    chart: Annotated[Path | None, typer.Option(help="Write the first ticker's chart as a PNG.")] = None,
    provider: Annotated[str, typer.Option(help="Ask this source only [QUOTE_PROVIDERS].")] = "",
) -> None:
    """Ask the configured price sources, as the bot does: price, change, session, age and delay.

    Sources are those whose keys are set (ALPACA_API_KEY and ALPACA_SECRET_KEY, FINNHUB_API_KEY, TIINGO_API_KEY), or
    those that QUOTE_PROVIDERS names in its order. Exits with 1 where no ticker has a price.

    Examples: catalyst quote AAPL · QUOTE_PROVIDERS=yahoo catalyst quote --json AAPL MSFT · catalyst quote --bars AAPL
    """
    import asyncio

    from catalyst.app import log
    from catalyst.app.settings import load
    from catalyst.bot.prices.source import plain_symbol
    from catalyst.errors import UsageError

    log.configure()
    if wrong := [name for name in symbol if not plain_symbol(name)]:
        raise UsageError(f"{wrong[0][:20]!r} is no ticker: AAPL, BRK.B")
    settings = load(dict(_environ(provider)) if provider else None)
    if not settings.bot.prices.providers:
        raise UsageError("no price source is configured: set FINNHUB_API_KEY (free), or QUOTE_PROVIDERS=yahoo")
    asyncio.run(_run(settings, symbol[:200], as_json, bars, chart))


def _environ(provider: str) -> Mapping[str, str]:
    import os

    return {**os.environ, "QUOTE_PROVIDERS": provider}


async def _run(settings: Settings, symbols: Sequence[str], as_json: bool, bars: bool, chart: Path | None) -> None:
    from catalyst.app.build.prices import board
    from catalyst.clock import SystemClock
    from catalyst.errors import TransportError
    from catalyst.http import Http

    clock = SystemClock()
    async with Http(clock) as http:
        made = board(settings.bot.prices, http, clock)
        try:
            found = await made.quotes(symbols, SECONDS) if not bars else {}
            days = {name: await made.bars(name, "5m") for name in (symbols if bars else symbols[:1] if chart else ())}
            troubles = made.troubles()
        finally:
            await made.close()
    _print(symbols, found, days, as_json, bars)
    if chart is not None:
        _draw(settings, chart, symbols[0], days[symbols[0]], found.get(symbols[0]))
    if not found and not any(days.values()):
        why = "; ".join(troubles.values()) or "no source knows them"
        raise TransportError(f"no price for {', '.join(symbols[:5])}: {why}")


def _print(
    symbols: Sequence[str],
    found: Mapping[str, Quote],
    days: Mapping[str, Sequence[Bar]],
    as_json: bool,
    bars: bool,
) -> None:
    import orjson

    if bars:
        for name, day in days.items():
            for each in day:
                print(orjson.dumps(_bar(name, each)).decode())
    elif as_json:
        for name in symbols:
            print(orjson.dumps(_row(name, found.get(name))).decode())
    elif found:
        _table(symbols, found)


def _bar(symbol: str, each: Bar) -> dict[str, Any]:
    """A line of a recording."""
    prices = {"open": each.open, "high": each.high, "low": each.low, "close": each.close, "volume": each.volume}
    return {"symbol": symbol, "at": each.at.isoformat(), "interval": "5m", **prices}


def _row(symbol: str, found: Quote | None) -> dict[str, Any]:
    if found is None:
        return {"symbol": symbol, "price": None}
    return {
        "symbol": symbol,
        "price": str(found.price),
        "prev_close": None if found.prev_close is None else str(found.prev_close),
        "change_percent": None if found.change is None else round(float(found.change), 4),
        "as_of": found.as_of.isoformat(),
        "delay_s": found.delay_s,
        "session": found.session,
        "provider": found.provider,
        "market": found.market,
        "doubtful": found.doubtful,
    }


def _table(symbols: Sequence[str], found: Mapping[str, Quote]) -> None:
    from catalyst.app.log import harmless
    from catalyst.clock import NEW_YORK

    print(f"{'ticker':<10} {'price':>14} {'change':>9}  {'as of, New York':<19}  {'session':<8} source")
    for name in symbols:
        each = found.get(name)
        if each is None:
            print(f"{harmless(name):<10} {'no price':>14}")
            continue
        change = "" if each.change is None else f"{each.change:+.2f} %"
        at = f"{each.as_of.astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S}"
        notes = [each.market] if each.market == "otc" else []
        notes += [f"{each.delay_s / 60:.0f} min delayed"] if each.delay_s else []
        notes += ["sources disagree"] if each.doubtful else []
        source = ", ".join([each.provider, *notes])
        print(f"{harmless(name):<10} {each.price:>14,f} {change:>9}  {at:<19}  {each.session:<8} {source}")


def _draw(settings: Settings, path: Path, symbol: str, day: Sequence[Bar], found: Quote | None) -> None:
    import sys
    from datetime import UTC, datetime

    from catalyst.app.build.prices import painter
    from catalyst.errors import UsageError
    from catalyst.stream.types import Alert

    shown = Alert(filing_id="", ticker=symbol, timestamp=datetime.now(UTC))
    image = painter(settings.bot.prices)(day, found, shown)
    if image is None:
        print(f"no bars of {symbol}: no chart", file=sys.stderr)
        return
    try:
        path.write_bytes(image)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error
