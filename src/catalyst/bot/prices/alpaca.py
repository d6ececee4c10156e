"""Alpaca's market data: snapshots of many symbols at once, and bars.

Source: docs.alpaca.markets/us/reference/stocksnapshots-1 and stockbars; the Basic plan has the IEX feed in real time,
all exchanges 15 minutes later (`delayed_sip`), and 200 requests a minute.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from catalyst.bot.prices.gate import Limit
from catalyst.bot.prices.source import Wire, bar, mapping, moment, newest_day, rows
from catalyst.bot.quotes import Bar, Quote
from catalyst.clock import NEW_YORK
from catalyst.errors import BadStatus, ParseError
from catalyst.http import Http

BASE = "https://data.alpaca.markets"
FEEDS = {"iex": 0.0, "sip": 0.0, "delayed_sip": 900.0}
"""Feeds and how far each runs behind, seconds."""
_FRAMES = {"1m": "1Min", "5m": "5Min", "1d": "1Day"}
_BACK = {"1m": timedelta(days=5), "5m": timedelta(days=5), "1d": timedelta(days=40)}
_INVALID = re.compile(r"invalid symbol:?\s*([A-Z0-9.\-]+)", re.IGNORECASE)


class Alpaca:
    """Needs a key and its secret (a free paper account has both)."""

    name = "alpaca"
    batch = 100
    limits: Sequence[Limit] = (Limit(200, 60.0),)
    has_bars = True

    def __init__(self, key: str, secret: str, http: Http, *, base: str = BASE, feed: str = "iex") -> None:
        self._wire = Wire(self.name, base, http, {"APCA-API-KEY-ID": key, "APCA-API-SECRET-KEY": secret})
        self._feed = feed

    async def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        try:
            found = await self._snapshots(symbols)
        except BadStatus as error:
            rest = _without_invalid(symbols, error)
            found = await self._snapshots(rest) if rest else {}
        made = {symbol: self._quote(mapping(found.get(symbol))) for symbol in symbols}
        return {symbol: quote for symbol, quote in made.items() if quote is not None}

    async def bars(self, symbol: str, interval: str) -> Sequence[Bar]:
        begin = (self._wire.now - _BACK[interval]).strftime("%Y-%m-%dT%H:%M:%SZ")
        found = await self._wire.get(
            "/v2/stocks/bars",
            symbols=symbol,
            timeframe=_FRAMES[interval],
            start=begin,
            limit=1000,
            sort="desc",
            feed="iex" if self._feed == "delayed_sip" else self._feed,
        )
        listed = rows(mapping(mapping(found).get("bars")).get(symbol))
        made = [bar(row.get("t"), [row.get(name) for name in "ohlcv"]) for row in listed]
        good = [each for each in made if each is not None]
        return newest_day(good) if interval != "1d" else sorted(good, key=lambda each: each.at)

    async def _snapshots(self, symbols: Sequence[str]) -> Mapping[str, Any]:
        found = await self._wire.get("/v2/stocks/snapshots", symbols=",".join(symbols), feed=self._feed)
        if not isinstance(found, dict):
            raise ParseError("alpaca answers no object of snapshots: it is left out")
        return found

    def _quote(self, snapshot: Mapping[str, Any]) -> Quote | None:
        trade = mapping(snapshot.get("latestTrade"))
        if not trade:
            return None
        before = _previous(snapshot, trade.get("t"))
        return self._wire.quote(trade.get("p"), before, trade.get("t"), delay_s=FEEDS.get(self._feed, 0.0))


def _previous(snapshot: Mapping[str, Any], traded: object) -> object:
    """The close before the trade's day: until a day's first regular trade, `dailyBar` is still the day before's."""
    daily = mapping(snapshot.get("dailyBar"))
    try:
        old = _day(moment(daily.get("t"))) < _day(moment(traded))
    except ParseError:
        return None
    return daily.get("c") if old else mapping(snapshot.get("prevDailyBar")).get("c")


def _day(at: datetime) -> Any:
    return at.astimezone(NEW_YORK).date()


def _without_invalid(symbols: Sequence[str], error: BadStatus) -> list[str]:
    """One symbol that Alpaca does not know spoils the whole request: the others. Raises the error for any other."""
    try:
        said = str(mapping(orjson.loads(error.body)).get("message", ""))
    except orjson.JSONDecodeError:
        said = ""
    found = _INVALID.search(said)
    if error.status not in (400, 422) or found is None:
        raise error
    rest = [symbol for symbol in symbols if symbol != found[1].upper()]
    if len(rest) == len(symbols):
        raise error
    return rest
