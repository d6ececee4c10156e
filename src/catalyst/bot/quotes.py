"""What a price is to the bot, and who may tell it one: `Quote`, `Bar` and the `Quotes` Protocol.

A price that is not a number, not above zero or stale never becomes a `Quote` that is shown. Begin with `Quote.of`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Literal, Protocol

from catalyst.errors import ParseError
from catalyst.stream.types import Alert

Session = Literal["pre", "regular", "post", "closed"]

STALE_S = 20 * 60.0
"""A price of an open session may be so much older than its source's delay."""

STALE_CLOSED_S = 5 * 86_400.0
"""The last price before a long weekend is still the price."""

MOST = Decimal(10_000_000)
"""Dollars; the dearest share costs under a million."""


class BadQuote(ParseError):
    """A price source said something that is no price."""


@dataclass(frozen=True, slots=True)
class Quote:
    """One price in dollars as a source told it. Raises BadQuote for NaN, infinity, and what is not above zero."""

    price: Decimal
    prev_close: Decimal | None
    as_of: datetime
    """When the price was made, timezone-aware."""
    delay_s: float = 0.0
    """How far the source runs behind the market on purpose."""
    session: Session = "regular"
    provider: str = ""
    market: str = ""
    """`listed`, `otc`, or empty where the source does not say."""
    doubtful: bool = False
    """Another source says something else of the same moment."""

    def __post_init__(self) -> None:
        _checked(self.price, self.provider)
        if self.prev_close is not None:
            _checked(self.prev_close, self.provider)
        if self.as_of.tzinfo is None:
            raise BadQuote(f"{self.provider or 'a price source'} gave a time without a zone: fix its adapter")

    @classmethod
    def of(
        cls,
        price: object,
        prev_close: object,
        as_of: datetime,
        *,
        delay_s: float = 0.0,
        session: Session = "regular",
        provider: str = "",
        market: str = "",
    ) -> Quote:
        """From whatever a source sends; a bad previous close is dropped, a bad price raises BadQuote."""
        try:
            before = None if prev_close is None else _checked(_number(prev_close), provider)
        except BadQuote:
            before = None
        return cls(_number(price), before, as_of, delay_s, session, provider, market)

    @property
    def change(self) -> Decimal | None:
        """Against the previous close, in per cent."""
        if self.prev_close is None:
            return None
        return (self.price / self.prev_close - 1) * 100

    def stale(self, now: datetime) -> bool:
        """Too old to be called the price at `now`, or from the future."""
        age = (now - self.as_of).total_seconds()
        most = STALE_CLOSED_S if self.session == "closed" else STALE_S + self.delay_s
        return age > most or age < -60


@dataclass(frozen=True, slots=True)
class Bar:
    """One interval of trading: prices in dollars, volume in shares."""

    at: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float = 0.0


class Quotes(Protocol):
    """A source of prices. Neither method raises for a symbol it does not know: it is left out."""

    async def quotes(self, symbols: Sequence[str], deadline: float) -> Mapping[str, Quote]:
        """What is known within `deadline` seconds, by symbol as asked for; may be partial, may be empty."""
        ...

    async def bars(self, symbol: str, interval: str) -> Sequence[Bar]:
        """The newest day of bars, oldest first; `interval` is `1m`, `5m` or `1d`."""
        ...


class NoQuotes:
    """The source where none is configured."""

    async def quotes(self, symbols: Sequence[str], deadline: float) -> Mapping[str, Quote]:
        return {}

    async def bars(self, symbol: str, interval: str) -> Sequence[Bar]:
        return ()


Chart = Callable[[Sequence[Bar], Quote | None, Alert], bytes | None]
"""Draws a PNG, or None where there is nothing to draw. Called in a thread: it may take its time, it may fail."""


def _number(value: object) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return Decimal("NaN")


def _checked(value: Decimal, provider: str) -> Decimal:
    if not value.is_finite() or not 0 < value < MOST:
        raise BadQuote(f"{provider or 'a price source'} says a price of {str(value)[:20]}: it is left out")
    return value
