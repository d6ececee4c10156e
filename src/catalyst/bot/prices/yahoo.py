"""Yahoo's chart endpoint, the one that the yfinance package reads: price, previous close, exchange and bars in one.

It needs no key and is documented nowhere; who names it in QUOTE_PROVIDERS answers for Yahoo's terms. Its limits are
unknown, so ours are low. Field names: github.com/ranaroussi/yfinance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from catalyst.bot.prices.gate import Limit
from catalyst.bot.prices.source import Wire, bar, dashed, mapping, newest_day, rows
from catalyst.bot.quotes import Bar, Quote
from catalyst.errors import ParseError
from catalyst.http import Http

BASE = "https://query1.finance.yahoo.com"
OTC = frozenset({"PNK", "OQB", "OQX", "OEM", "OBB", "OID"})
"""Yahoo's exchange names of the markets over the counter."""


class Yahoo:
    """Needs nothing."""

    name = "yahoo"
    batch = 1
    limits: Sequence[Limit] = (Limit(60, 60.0), Limit(1000, 3600.0))
    has_bars = True

    def __init__(self, http: Http, *, base: str = BASE) -> None:
        self._wire = Wire(self.name, base, http)

    async def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        (symbol,) = symbols
        chart = await self._chart(symbol, "1m")
        meta = mapping(chart.get("meta"))
        if not meta or meta.get("currency") != "USD":
            return {}
        price, at = _newest(meta, _bars(chart))
        market = "otc" if meta.get("exchangeName") in OTC else "listed"
        quote = self._wire.quote(price, meta.get("chartPreviousClose"), at, market=market)
        return {symbol: quote} if quote is not None else {}

    async def bars(self, symbol: str, interval: str) -> Sequence[Bar]:
        chart = await self._chart(symbol, interval)
        if mapping(chart.get("meta")).get("currency") != "USD":
            return ()
        found = _bars(chart)
        return newest_day(found) if interval != "1d" else found

    async def _chart(self, symbol: str, interval: str) -> Mapping[str, Any]:
        span = "1mo" if interval == "1d" else "1d"
        found = await self._wire.get(
            f"/v8/finance/chart/{dashed(symbol)}",
            missing=lambda answer: answer.status == 404 and b'"Not Found"' in answer.body,
            range=span,
            interval=interval,
            includePrePost="true",
        )
        if found is None:
            return {}
        results = rows(mapping(mapping(found).get("chart")).get("result"))
        if not results:
            raise ParseError("yahoo answers no chart: it is left out")
        return results[0]


def _bars(chart: Mapping[str, Any]) -> list[Bar]:
    """The columns as bars; minutes without a trade are null in each."""
    stamps = chart.get("timestamp")
    columns = next(iter(rows(mapping(chart.get("indicators")).get("quote"))), {})
    lists = [columns.get(name) for name in ("open", "high", "low", "close", "volume")]
    if not isinstance(stamps, list) or not all(isinstance(each, list) for each in lists):
        return []
    made = [bar(row[0], row[1:]) for row in zip(stamps, *lists, strict=False)]
    return [each for each in made if each is not None]


def _newest(meta: Mapping[str, Any], bars: Sequence[Bar]) -> tuple[object, object]:
    """The regular price, or outside the session the last bar's, where that is newer."""
    regular = meta.get("regularMarketTime")
    told = datetime.fromtimestamp(regular, UTC) if isinstance(regular, int) and regular > 0 else None
    if bars and (told is None or bars[-1].at > told):
        return bars[-1].close, bars[-1].at.isoformat()
    return meta.get("regularMarketPrice"), regular
