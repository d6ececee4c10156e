"""One shared HTTP session: pooled, timed by our clock, bounded in bytes, with a declared User-Agent.

Everything that leaves this process over HTTP goes through `Http`. Errors are `TransportError`s.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from catalyst import __version__
from catalyst.clock import Clock, SystemClock
from catalyst.errors import BadStatus, NotFound, Refused, TimedOut, TooLarge, TransportError, Unreachable

MEBIBYTE = 1 << 20
_SNIPPET = 2048


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer of at most the bytes its caller allowed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Stream:
    """An answer that is read piece by piece; more than `max_bytes` raises TooLarge."""

    def __init__(self, response: aiohttp.ClientResponse, max_bytes: int) -> None:
        self._response = response
        self._left = self.max_bytes = max_bytes

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        return self._response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """Decoded bytes as they arrive."""
        url = _shown(self._response.url)
        try:
            async for chunk in self._response.content.iter_any():
                self._left -= len(chunk)
                if self._left < 0:
                    raise TooLarge(f"{url} sends more than {self.max_bytes} bytes", url=url)
                yield chunk
        except (aiohttp.ClientError, ConnectionError) as error:
            raise Unreachable(f"{url} broke off: {error or type(error).__name__}", url=url) from error

    async def read(self) -> bytes:
        """All that is left, at once."""
        return b"".join([chunk async for chunk in self.chunks()])

    async def check(self) -> None:
        """Raise the error that the status stands for; nothing on a success."""
        if self.status >= 400:
            raise _failure(self.status, self.headers, await self._snippet(), _shown(self._response.url))

    async def _snippet(self) -> bytes:
        with contextlib.suppress(TransportError, aiohttp.ClientError):
            return await self._response.content.read(_SNIPPET)
        return b""


class Http:
    """The session. Make one per process (in `app/build.py`), and close it."""

    def __init__(
        self,
        clock: Clock | None = None,
        user_agent: str = f"catalyst/{__version__}",
        *,
        connections: int = 100,
        per_host: int = 30,
        keepalive_seconds: float = 60.0,
    ) -> None:
        self._clock = clock or SystemClock()
        self._user_agent = user_agent
        self._limits = (connections, per_host, keepalive_seconds)
        self._session: aiohttp.ClientSession | None = None

    @property
    def clock(self) -> Clock:
        """The clock that times every request."""
        return self._clock

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def request(
        self,
        method: str,
        url: str | URL,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_seconds: float = 30.0,
        max_bytes: int = 16 * MEBIBYTE,
        check: bool = True,
    ) -> Response:
        """Send one request and read its whole answer within `timeout_seconds` of the clock.

        With `check`, a status of 400 or more raises (NotFound, Refused, BadStatus). A 304 is an answer.
        """
        async with self.stream(
            method, url, headers=headers, body=body, timeout_seconds=timeout_seconds, max_bytes=max_bytes
        ) as answer:
            if check:
                await answer.check()
            return Response(answer.status, answer.headers, await answer.read())

    async def get(self, url: str | URL, **options: Any) -> Response:
        """`request("GET", …)`."""
        return await self.request("GET", url, **options)

    @contextlib.asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str | URL,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_seconds: float | None = 30.0,
        max_bytes: int = 50 * MEBIBYTE,
    ) -> AsyncIterator[Stream]:
        """Open a request and hand its answer over unread; leaving early closes the connection."""
        target = URL(url) if isinstance(url, str) else url
        try:
            async with (
                self._clock.timeout(timeout_seconds),
                self._opened().request(method, target, headers=headers, data=body) as response,
            ):
                yield Stream(response, max_bytes)
        except TimeoutError as error:
            shown = _shown(target)
            raise TimedOut(f"{shown} took longer than {timeout_seconds or 0:g} s", url=shown) from error
        except (aiohttp.ClientError, ConnectionError) as error:
            shown = _shown(target)
            raise Unreachable(f"{shown} cannot be reached: {error or type(error).__name__}", url=shown) from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connections, per_host, keepalive = self._limits
            connector = aiohttp.TCPConnector(limit=connections, limit_per_host=per_host, keepalive_timeout=keepalive)
            self._session = aiohttp.ClientSession(
                connector=connector,
                headers={"User-Agent": self._user_agent, "Accept-Encoding": "gzip, deflate"},
                timeout=aiohttp.ClientTimeout(total=None),
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that a plain numeric Retry-After asks for; 0 where it says nothing we read."""
    try:
        return max(0.0, float(headers.get("Retry-After", "0")))
    except ValueError:
        return 0.0


def _failure(status: int, headers: Mapping[str, str], body: bytes, url: str) -> TransportError:
    if status == 404:
        return NotFound(f"{url} is not there (404)", url=url, status=status)
    after = retry_after(headers)
    if status in (403, 429):
        return Refused(f"{url} refused ({status})", url=url, status=status, after=after)
    return BadStatus(f"{url} answered {status}", url=url, status=status, body=body, after=after)


def _shown(url: URL) -> str:
    """The address without user, password and query, where secrets may stand."""
    return str(url.with_user(None).with_query(None).with_fragment(None))


__all__ = ["MEBIBYTE", "Http", "Response", "Stream", "retry_after"]
