"""Finnhub's quote: one symbol a request, no bars on the free plan.

Source: finnhub.io/docs/api/quote and /rate-limit: 60 calls a minute free of charge, 30 a second on any plan. A symbol
it does not know is answered with zeros.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalyst.bot.prices.gate import Limit
from catalyst.bot.prices.source import Wire, mapping
from catalyst.bot.quotes import Bar, Quote
from catalyst.http import Http

BASE = "https://finnhub.io/api/v1"


class Finnhub:
    """Needs a key."""

    name = "finnhub"
    batch = 1
    limits: Sequence[Limit] = (Limit(60, 60.0), Limit(30, 1.0))
    has_bars = False

    def __init__(self, key: str, http: Http, *, base: str = BASE) -> None:
        self._wire = Wire(self.name, base, http, {"X-Finnhub-Token": key})

    async def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        (symbol,) = symbols
        found = mapping(await self._wire.get("/quote", symbol=symbol))
        if not found.get("t"):
            return {}
        quote = self._wire.quote(found.get("c"), found.get("pc"), found.get("t"))
        return {symbol: quote} if quote is not None else {}

    async def bars(self, symbol: str, interval: str) -> Sequence[Bar]:
        return ()
