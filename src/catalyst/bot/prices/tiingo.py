"""Tiingo's IEX endpoint: the last price of many symbols at once, and intraday bars.

Source: tiingo.com/documentation/iex; free of charge 50 requests an hour and 1,000 a day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from catalyst.bot.prices.gate import Limit
from catalyst.bot.prices.source import Wire, bar, dashed, newest_day, rows
from catalyst.bot.quotes import Bar, Quote
from catalyst.errors import ParseError
from catalyst.http import Http, Response

BASE = "https://api.tiingo.com"
_FRAMES = {"1m": "1min", "5m": "5min"}


class Tiingo:
    """Needs a token."""

    name = "tiingo"
    batch = 100
    limits: Sequence[Limit] = (Limit(50, 3600.0), Limit(1000, 86_400.0))
    has_bars = True

    def __init__(self, key: str, http: Http, *, base: str = BASE) -> None:
        self._wire = Wire(self.name, base, http, {"Authorization": f"Token {key}"})

    async def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        asked = {dashed(symbol): symbol for symbol in symbols}
        found = await self._wire.get("/iex/", tickers=",".join(name.lower() for name in asked))
        if not isinstance(found, list):
            raise ParseError("tiingo answers no list of quotes: it is left out")
        made: dict[str, Quote] = {}
        for row in rows(found):
            symbol = asked.get(str(row.get("ticker", "")).upper())
            if symbol is not None and (quote := self._quote(row)) is not None:
                made[symbol] = quote
        return made

    async def bars(self, symbol: str, interval: str) -> Sequence[Bar]:
        if interval not in _FRAMES:
            return ()
        found = await self._wire.get(
            f"/iex/{dashed(symbol)}/prices",
            missing=_not_found,
            startDate=f"{self._wire.now - timedelta(days=5):%Y-%m-%d}",
            resampleFreq=_FRAMES[interval],
            afterHours="true",
            columns="open,high,low,close,volume",
        )
        names = ("open", "high", "low", "close", "volume")
        made = [bar(row.get("date"), [row.get(name) for name in names]) for row in rows(found)]
        return newest_day([each for each in made if each is not None])

    def _quote(self, row: Mapping[str, Any]) -> Quote | None:
        """`last` is IEX's own sale; `tngoLast`, a reference price, is there also without the right to the other."""
        if row.get("last") is not None and row.get("lastSaleTimestamp"):
            return self._wire.quote(row.get("last"), row.get("prevClose"), row.get("lastSaleTimestamp"))
        return self._wire.quote(row.get("tngoLast"), row.get("prevClose"), row.get("timestamp"))


def _not_found(answer: Response) -> bool:
    return answer.status == 404
