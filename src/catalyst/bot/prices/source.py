"""What an adapter is, and what adapters share: one GET, judged, as JSON.

A vendor's file knows its addresses, its fields and its errors, nothing of caches, limits or other vendors.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlencode

import orjson
import structlog

from catalyst.bot.prices.gate import Limit
from catalyst.bot.prices.session import session_of
from catalyst.bot.quotes import BadQuote, Bar, Quote
from catalyst.clock import NEW_YORK
from catalyst.errors import BadStatus, ParseError, Refused, TransportError
from catalyst.http import MEBIBYTE, Http, Response, retry_after

log = structlog.get_logger()

REQUEST_S = 2.0
"""For one request to a vendor."""
MOST_BYTES = 4 * MEBIBYTE
MOST_BARS = 2000
AFTER_REFUSAL_S, AFTER_BAD_KEY_S = 60.0, 600.0
_SYMBOL = re.compile(r"[A-Z][A-Z0-9]{0,5}(?:[.\-][A-Z0-9]{1,3})?")


class SourceRefused(Refused):
    """A key is wrong (401, 403), or there were too many requests (429): `after` seconds of rest."""


class Source(Protocol):
    """One vendor. Raises TransportError or ParseError; a symbol it does not know is left out."""

    @property
    def name(self) -> str: ...

    @property
    def batch(self) -> int:
        """Symbols in one request."""
        ...

    @property
    def limits(self) -> Sequence[Limit]:
        """The free tier's, as documented."""
        ...

    @property
    def has_bars(self) -> bool: ...

    async def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """At most `batch` symbols, keyed as they were asked for."""
        ...

    async def bars(self, symbol: str, interval: str) -> Sequence[Bar]:
        """The newest day's, oldest first; `interval` is `1m`, `5m` or `1d`."""
        ...


def plain_symbol(text: str) -> str:
    """`BRK.B` for any writing of it; empty for what is no symbol (nothing else goes into an address)."""
    symbol = text.strip().upper().lstrip("$").replace("-", ".")
    return symbol if _SYMBOL.fullmatch(symbol) else ""


def dashed(symbol: str) -> str:
    """As Yahoo and Tiingo write a class of shares: `BRK-B`."""
    return symbol.replace(".", "-")


class Wire:
    """GETs of one vendor."""

    def __init__(self, name: str, base: str, http: Http, headers: Mapping[str, str] | None = None) -> None:
        self.name = name
        self._base = base.rstrip("/")
        self._http = http
        self._headers = dict(headers or {})

    @property
    def now(self) -> datetime:
        return self._http.clock.now()

    async def get(self, path: str, *, missing: Callable[[Response], bool] = lambda _: False, **query: object) -> Any:
        """The answer as JSON; None where `missing` says that the vendor has no such symbol.

        Raises SourceRefused, TransportError, ParseError.
        """
        url = f"{self._base}{path}" + (f"?{urlencode(query)}" if query else "")
        answer = await self._http.get(
            url, headers=self._headers, timeout_seconds=REQUEST_S, max_bytes=MOST_BYTES, check=False, redirects=False
        )
        if answer.status == 200:
            return self._json(answer)
        if missing(answer):
            return None
        raise self._failure(answer)

    def quote(self, price: object, prev_close: object, as_of: object, **fields: Any) -> Quote | None:
        """A checked quote, or None and a line in the log: one bad symbol spoils no batch."""
        try:
            made = moment(as_of)
            session = session_of(made, self.now)
            return Quote.of(price, prev_close, made, session=session, provider=self.name, **fields)
        except ParseError as error:
            log.info("prices.bad_quote", source=self.name, error=str(error))
            return None

    def _json(self, answer: Response) -> Any:
        try:
            return orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            raise ParseError(f"{self.name} answers what is no JSON: it is left out") from None

    def _failure(self, answer: Response) -> TransportError:
        status = answer.status
        if status in (401, 403):
            return SourceRefused(
                f"{self.name} refuses our key ({status}): check it in the settings",
                status=status,
                after=AFTER_BAD_KEY_S,
            )
        if status == 429:
            after = _rest(answer.headers)
            return SourceRefused(f"{self.name}: too many requests; it rests for {after:.0f} s", status=429, after=after)
        return BadStatus(f"{self.name} answered {status}", status=status, body=answer.body[:500])


def moment(value: object) -> datetime:
    """A moment from POSIX seconds or ISO 8601 with up to nanoseconds. Raises BadQuote."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return datetime.fromtimestamp(value, UTC)
        made = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        made = None
    if made is None or made.tzinfo is None:
        raise BadQuote(f"a price source says {str(value)[:40]!r}, which is no time with a zone: it is left out")
    return made


def bar(at: object, values: Sequence[object]) -> Bar | None:
    """Open, high, low, close and volume as a checked bar; None for one that holds no trade or no sense."""
    try:
        first, high, low, last = prices = [float(value) for value in values[:4]]  # type: ignore[arg-type]
        volume = float(values[4] or 0)  # type: ignore[arg-type]
        made = Bar(moment(at), first, high, low, last, volume if 0 <= volume < float("inf") else 0.0)
    except (TypeError, ValueError, ParseError):
        return None
    good = all(0 < price < 1e7 for price in prices) and made.low <= min(made.open, made.close)
    return made if good and made.high >= max(made.open, made.close) else None


def newest_day(bars: Sequence[Bar]) -> Sequence[Bar]:
    """The bars of New York's newest day among them, oldest first, each moment once."""
    ordered = sorted({each.at: each for each in bars}.values(), key=lambda each: each.at)[-MOST_BARS:]
    days = [each.at.astimezone(NEW_YORK).date() for each in ordered]
    return [each for each, day in zip(ordered, days, strict=True) if day == days[-1]]


def rows(found: object) -> list[Mapping[str, Any]]:
    """The objects of a list; nothing where it is none."""
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def mapping(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _rest(headers: Mapping[str, str]) -> float:
    """Until when a 429 asks us to wait: Retry-After, else X-RateLimit-Reset (POSIX seconds), else a minute."""
    if (after := retry_after(headers)) > 0:
        return min(after, 3600.0)
    try:
        left = float(headers.get("X-RateLimit-Reset", "0")) - time.time()
    except ValueError:
        left = 0.0
    return left if 0 < left <= 3600 else AFTER_REFUSAL_S


__all__ = [
    "Source",
    "SourceRefused",
    "Wire",
    "bar",
    "dashed",
    "mapping",
    "moment",
    "newest_day",
    "plain_symbol",
    "rows",
]
