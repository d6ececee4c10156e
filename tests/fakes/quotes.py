"""Price vendors on loopback: each speaks its own format, checks its key, counts its limit and knows its symbols.

`FakeMarket` serves all four on one port, `market.url("finnhub")` is the address that an adapter is given. What the
market says is set by `set`; `fails` and `hangs` break one vendor.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from catalyst.bot.quotes import Bar

ALPACA_KEY, ALPACA_SECRET, FINNHUB_KEY, TIINGO_KEY = "PKTEST", "secret-of-alpaca", "finn-key", "tiingo-token"
LIMITS = {"alpaca": 200, "finnhub": 60, "tiingo": 50, "yahoo": 100}


class Listed:
    """One share as every vendor sees it."""

    def __init__(self, price: float, before: float | None, at: datetime, **more: Any) -> None:
        self.price, self.before, self.at = price, before, at
        self.exchange: str = more.get("exchange", "NMS")
        self.currency: str = more.get("currency", "USD")
        self.daily_at: datetime = more.get("daily_at", at)
        """The day of Alpaca's `dailyBar`: the day before's until a day's first regular trade."""
        self.bars: Sequence[Bar] = more.get("bars", ())


class FakeMarket:
    """Serves until `close`."""

    def __init__(self) -> None:
        self.shares: dict[str, Listed] = {}
        self.own: dict[tuple[str, str], Listed] = {}
        """What one vendor says in place of the rest."""
        self.asked: list[tuple[str, list[str]]] = []
        self.counts: Counter[str] = Counter()
        self.limits = dict(LIMITS)
        self.headers: dict[str, str] = {}
        """Of the next 429s."""
        self._faults: dict[str, Callable[[], web.Response]] = {}
        self._hanging: set[str] = set()
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def start(self) -> FakeMarket:
        app = web.Application()
        app.router.add_get("/alpaca/v2/stocks/snapshots", self._serving("alpaca", self._snapshots))
        app.router.add_get("/alpaca/v2/stocks/bars", self._serving("alpaca", self._alpaca_bars))
        app.router.add_get("/finnhub/api/v1/quote", self._serving("finnhub", self._finnhub))
        app.router.add_get("/tiingo/iex/", self._serving("tiingo", self._tiingo))
        app.router.add_get("/tiingo/iex/{ticker}/prices", self._serving("tiingo", self._tiingo_bars))
        app.router.add_get("/yahoo/v8/finance/chart/{ticker}", self._serving("yahoo", self._yahoo))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def close(self) -> None:
        self._closing.set()
        if self._runner:
            await self._runner.cleanup()

    def url(self, vendor: str) -> str:
        return f"http://127.0.0.1:{self._port}/{vendor}" + ("/api/v1" if vendor == "finnhub" else "")

    def set(self, symbol: str, price: float, before: float | None, at: datetime, vendor: str = "", **more: Any) -> None:
        listed = Listed(price, before, at, **more)
        if vendor:
            self.own[vendor, symbol] = listed
        else:
            self.shares[symbol] = listed

    def fails(self, vendor: str, status: int, body: str = "", headers: dict[str, str] | None = None) -> None:
        self._faults[vendor] = lambda: web.Response(status=status, text=body, headers=headers)

    def hangs(self, vendor: str) -> None:
        self._hanging.add(vendor)

    def recovers(self, vendor: str) -> None:
        self._faults.pop(vendor, None)
        self._hanging.discard(vendor)

    def asked_of(self, vendor: str) -> list[list[str]]:
        return [symbols for name, symbols in self.asked if name == vendor]

    def _listed(self, vendor: str, symbol: str) -> Listed | None:
        return self.own.get((vendor, symbol)) or self.shares.get(symbol)

    def _serving(self, vendor: str, answer: Callable[[web.Request], web.Response]) -> Any:
        async def serve(request: web.Request) -> web.Response:
            self.asked.append((vendor, _symbols(request)))
            if vendor in self._hanging:
                await self._closing.wait()
            if (refusal := self._unauthorized(vendor, request)) is not None:
                return refusal
            self.counts[vendor] += 1
            if self.counts[vendor] > self.limits[vendor]:
                return self._too_many(vendor)
            return self._faults[vendor]() if vendor in self._faults else answer(request)

        return serve

    def _unauthorized(self, vendor: str, request: web.Request) -> web.Response | None:
        given = request.headers
        if vendor == "alpaca":
            good = given.get("APCA-API-KEY-ID") == ALPACA_KEY and given.get("APCA-API-SECRET-KEY") == ALPACA_SECRET
            return None if good else web.json_response({"message": "forbidden."}, status=403)
        if vendor == "finnhub" and given.get("X-Finnhub-Token") != FINNHUB_KEY:
            return web.json_response({"error": "Invalid API key"}, status=401)
        if vendor == "tiingo" and given.get("Authorization") != f"Token {TIINGO_KEY}":
            return web.json_response({"detail": "Invalid token."}, status=401)
        return None

    def _too_many(self, vendor: str) -> web.Response:
        bodies: dict[str, Any] = {
            "alpaca": {"message": "too many requests."},
            "finnhub": {"error": "API limit reached. Please try again later. Remaining Limit: 0"},
            "tiingo": {"detail": "You have run over your hourly request allocation."},
        }
        if vendor == "yahoo":
            return web.Response(status=429, text="Too Many Requests\r\n", headers=self.headers)
        return web.json_response(bodies[vendor], status=429, headers=self.headers)

    # -- each vendor's words

    def _snapshots(self, request: web.Request) -> web.Response:
        """One symbol that is none spoils the request; one that never traded is null."""
        symbols = request.query["symbols"].split(",")
        if any("-" in symbol for symbol in symbols):
            bad = next(symbol for symbol in symbols if "-" in symbol)
            return web.json_response({"message": f"invalid symbol: {bad}"}, status=400)
        for symbol in symbols:
            if self._listed("alpaca", symbol) is None and symbol.startswith("BAD"):
                return web.json_response({"code": 400, "message": f"invalid symbol: {symbol}"}, status=400)
        return web.json_response({symbol: self._snapshot(symbol) for symbol in symbols})

    def _snapshot(self, symbol: str) -> Any:
        listed = self._listed("alpaca", symbol)
        if listed is None:
            return None
        before = _daily(listed.before, "2025-12-11")
        day = f"{listed.daily_at:%Y-%m-%d}"
        return {
            "latestTrade": {"t": _nanoseconds(listed.at), "x": "V", "p": listed.price, "s": 100, "c": ["@"], "z": "C"},
            "latestQuote": {"t": _nanoseconds(listed.at), "ap": 0, "as": 0, "bp": 0, "bs": 0},
            "minuteBar": _daily(listed.price, day),
            "dailyBar": _daily(listed.price if day != "2025-12-11" else listed.before, day),
            "prevDailyBar": before if day != "2025-12-11" else _daily(1.0, "2025-12-10"),
        }

    def _alpaca_bars(self, request: web.Request) -> web.Response:
        symbol = request.query["symbols"]
        if request.query.get("timeframe") not in ("1Min", "5Min", "1Day"):
            return web.json_response({"message": "invalid timeframe"}, status=400)
        listed = self._listed("alpaca", symbol)
        bars = [
            {
                "t": f"{b.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
                "o": b.open,
                "h": b.high,
                "l": b.low,
                "c": b.close,
                "v": b.volume,
                "n": 3,
            }
            for b in (listed.bars if listed else ())
        ]
        newest_first = bars[::-1] if request.query.get("sort") == "desc" else bars
        limited = newest_first[: int(request.query.get("limit", "1000"))]
        return web.json_response({"bars": {symbol: limited} if limited else {}, "next_page_token": None})

    def _finnhub(self, request: web.Request) -> web.Response:
        listed = self._listed("finnhub", request.query["symbol"])
        if listed is None:
            zeros = {"c": 0, "d": None, "dp": None, "h": 0, "l": 0, "o": 0, "pc": 0, "t": 0}
            return web.json_response(zeros)
        said = {"c": listed.price, "h": listed.price, "l": listed.price, "o": listed.price, "pc": listed.before or 0}
        return web.json_response({**said, "d": 0.1, "dp": 0.1, "t": int(listed.at.timestamp())})

    def _tiingo(self, request: web.Request) -> web.Response:
        found = []
        for name in request.query["tickers"].split(","):
            if (listed := self._listed("tiingo", name.upper().replace("-", "."))) is not None:
                stamp = f"{listed.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000+00:00"
                found.append(
                    {
                        "ticker": name.upper(), "timestamp": stamp, "lastSaleTimestamp": stamp, "quoteTimestamp": stamp,
                        "last": None, "tngoLast": listed.price, "prevClose": listed.before, "open": listed.price,
                        "high": listed.price, "low": listed.price, "mid": None, "volume": 1000, "bidSize": None,
                        "bidPrice": None, "askSize": None, "askPrice": None, "lastSize": None,
                    }
                )  # fmt: skip
        return web.json_response(found)

    def _tiingo_bars(self, request: web.Request) -> web.Response:
        listed = self._listed("tiingo", request.match_info["ticker"].replace("-", "."))
        if listed is None:
            return web.json_response({"detail": "Error: Ticker not found"}, status=404)
        names = ("open", "high", "low", "close", "volume")
        rows = [
            {"date": f"{b.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z", **{name: getattr(b, name) for name in names}}
            for b in listed.bars
        ]
        return web.json_response(rows)

    def _yahoo(self, request: web.Request) -> web.Response:
        ticker = request.match_info["ticker"]
        listed = self._listed("yahoo", ticker.replace("-", "."))
        if listed is None:
            error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            return web.json_response({"chart": {"result": None, "error": error}}, status=404)
        names = ("open", "high", "low", "close", "volume")
        columns: dict[str, list[Any]] = {name: [getattr(b, name) for b in listed.bars] for name in names}
        stamps = [int(b.at.timestamp()) for b in listed.bars]
        if stamps:  # a minute without a trade is null in every column
            stamps.append(stamps[-1] + 60)
            for column in columns.values():
                column.append(None)
        meta = {
            "currency": listed.currency, "symbol": ticker, "exchangeName": listed.exchange,
            "regularMarketTime": int(listed.at.timestamp()), "regularMarketPrice": listed.price,
            "chartPreviousClose": listed.before, "priceHint": 2, "dataGranularity": request.query["interval"],
            "range": request.query["range"], "hasPrePostMarketData": True,
        }  # fmt: skip
        result = {"meta": meta, "indicators": {"quote": [columns if stamps else {}]}}
        return web.json_response({"chart": {"result": [{**result, "timestamp": stamps}], "error": None}})


def _letters(each: Bar) -> dict[str, float]:
    return {"o": each.open, "h": each.high, "l": each.low, "c": each.close, "v": each.volume, "n": 3}


def _symbols(request: web.Request) -> list[str]:
    found = request.query.get("symbols") or request.query.get("symbol") or request.query.get("tickers")
    return (found or request.match_info.get("ticker", "")).upper().split(",")


def _nanoseconds(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.123456789Z"


def _daily(close: float | None, day: str) -> Any:
    if close is None:
        return None
    return {"t": f"{day}T05:00:00Z", "o": close, "h": close, "l": close, "c": close, "v": 1, "n": 1, "vw": close}


__all__ = ["ALPACA_KEY", "ALPACA_SECRET", "FINNHUB_KEY", "TIINGO_KEY", "FakeMarket"]
