"""Prices of a recording, for replays and demonstrations: at any moment what was known then, never what came later.

A recording is JSON lines, a bar each: `{"symbol", "at", "interval", "open", "high", "low", "close", "volume"}`, as
`catalyst quote --bars SYMBOL` writes them. A price is the close of the newest bar that had ended.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import orjson

from catalyst.bot.prices.gate import Limit
from catalyst.bot.prices.session import session_of
from catalyst.bot.prices.source import bar, newest_day, plain_symbol
from catalyst.bot.quotes import BadQuote, Bar, Quote
from catalyst.clock import NEW_YORK
from catalyst.errors import SettingsError

MOST_BYTES = 64 << 20
LENGTHS = {"1m": timedelta(minutes=1), "5m": timedelta(minutes=5), "1d": timedelta(hours=24)}
_FINEST = tuple(LENGTHS)


class Recorded:
    """`read` makes one."""

    name = "recorded"
    batch = 1000
    limits: Sequence[Limit] = ()
    has_bars = True

    def __init__(self, series: Mapping[tuple[str, str], Sequence[Bar]], now: Callable[[], datetime]) -> None:
        """`series` by symbol and interval, each oldest first."""
        self._series = series
        self._now = now

    @classmethod
    def read(cls, path: Path, now: Callable[[], datetime]) -> Recorded:
        """Raises SettingsError where the file cannot be read, is too large or holds no bar."""
        try:
            if path.stat().st_size > MOST_BYTES:
                raise SettingsError(f"QUOTE_RECORDING: {path} is over {MOST_BYTES >> 20} MiB: record fewer days")
            lines = path.read_bytes().splitlines()
        except OSError as error:
            raise SettingsError(f"QUOTE_RECORDING: {path} cannot be read: {error.strerror or error}") from error
        series: dict[tuple[str, str], list[Bar]] = {}
        for line in lines:
            if (found := _row(line)) is not None:
                series.setdefault(found[0], []).append(found[1])
        if not series:
            raise SettingsError(f"QUOTE_RECORDING: {path} holds no bar: `catalyst quote --bars ACME > FILE` writes one")
        return cls({key: sorted(bars, key=lambda each: each.at) for key, bars in series.items()}, now)

    async def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        found = {symbol: self._quote(symbol) for symbol in symbols}
        return {symbol: quote for symbol, quote in found.items() if quote is not None}

    async def bars(self, symbol: str, interval: str) -> Sequence[Bar]:
        ended = self._ended(symbol, interval)
        return newest_day(ended) if interval != "1d" else ended

    def _quote(self, symbol: str) -> Quote | None:
        now = self._now()
        for interval in _FINEST:
            if ended := self._ended(symbol, interval):
                as_of = ended[-1].at + (LENGTHS[interval] if interval != "1d" else timedelta(hours=16))
                try:
                    return Quote.of(
                        ended[-1].close, _before(ended), min(as_of, now),
                        session=session_of(ended[-1].at, now), provider=self.name,
                    )  # fmt: skip
                except BadQuote:
                    return None
        return None

    def _ended(self, symbol: str, interval: str) -> Sequence[Bar]:
        bars = self._series.get((symbol, interval), ())
        return bars[: bisect_right(bars, self._now() - LENGTHS[interval], key=lambda each: each.at)]


def _before(ended: Sequence[Bar]) -> float | None:
    """The close of the day before the newest bar's; after-hours bars are no close."""
    today = ended[-1].at.astimezone(NEW_YORK).date()
    for each in reversed(ended):
        local = each.at.astimezone(NEW_YORK)
        if local.date() < today and local.hour < 16:
            return each.close
    return None


def _row(line: bytes) -> tuple[tuple[str, str], Bar] | None:
    try:
        row = orjson.loads(line)
        symbol, interval = plain_symbol(str(row["symbol"])), str(row.get("interval", "5m"))
        values = [row.get(name) for name in ("open", "high", "low", "close", "volume")]
        made = bar(row["at"], values)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None
    return ((symbol, interval), made) if made is not None and symbol and interval in LENGTHS else None


__all__ = ["Recorded"]
