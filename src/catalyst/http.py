"""One shared HTTP session: pooled, timed by our clock, bounded in bytes, with a declared User-Agent.

Everything that leaves this process over HTTP goes through `Http`. Errors are `TransportError`s.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDictProxy
from yarl import URL

from catalyst import __version__
from catalyst.clock import Clock, SystemClock
from catalyst.errors import BadStatus, NotFound, Refused, TimedOut, TooLarge, TransportError, Unreachable

MEBIBYTE = 1 << 20
BeforeSend = Callable[[], Awaitable[None]]
_SNIPPET = 2048
_MOST_REDIRECTS = 5
_NO_OBJECT = b"<Code>AccessDenied</Code>"
"""What an object store says, with a 403, of a file that is not there (EDGAR's archive of an index that is not made)."""

_HARMLESS = frozenset(
    {"accept", "accept-encoding", "accept-language", "if-modified-since", "if-none-match", "range", "user-agent"}
)
"""Headers that say nothing about who asks."""


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer of at most the bytes its caller allowed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Stream:
    """An answer that is read piece by piece; more than `max_bytes` raises TooLarge, too slow a peer TimedOut.

    Only waiting for the peer is timed: a deadline that passes while the reader is busy is noticed at its next wait.
    """

    def __init__(self, response: aiohttp.ClientResponse, max_bytes: int, clock: Clock, deadline: _Deadline) -> None:
        self._response = response
        self._left = self.max_bytes = max_bytes
        self._clock = clock
        self._deadline = deadline

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        return self._response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """Decoded bytes as they arrive."""
        while chunk := await self._next():
            self._left -= len(chunk)
            if self._left < 0:
                url = _shown(self._response.url)
                raise TooLarge(f"{url} sends more than {self.max_bytes} bytes", url=url)
            yield chunk

    async def read(self) -> bytes:
        """All that is left, at once."""
        return b"".join([chunk async for chunk in self.chunks()])

    async def drain(self, seconds: float) -> None:
        """Wait at most `seconds` for the end of a complete answer, so that its connection can be used again."""
        with contextlib.suppress(TimeoutError, aiohttp.ClientError, ConnectionError):
            async with self._clock.timeout(seconds):
                while await self._response.content.readany():
                    pass

    async def check(self) -> None:
        """Raise the error that the status stands for; nothing on a success or a 304."""
        if self.status >= 300 and self.status != 304:
            raise _failure(self.status, self.headers, await self._snippet(), _shown(self._response.url))

    async def _next(self) -> bytes:
        content = self._response.content
        try:
            ready = content.read_nowait()
            if ready or content.at_eof():
                return ready
            async with self._clock.timeout(self._deadline.left(self._clock)):
                return await content.readany()
        except TimeoutError as error:
            raise self._deadline.passed(_shown(self._response.url)) from error
        except (aiohttp.ClientError, ConnectionError) as error:
            url = _shown(self._response.url)
            raise Unreachable(f"{url} broke off: {_reason(error)}", url=url) from _cause(error)

    async def _snippet(self) -> bytes:
        found = b""
        with contextlib.suppress(TransportError):
            while len(found) < _SNIPPET and (chunk := await self._next()):
                found += chunk
        return found[:_SNIPPET]


@dataclass(frozen=True, slots=True)
class _Deadline:
    seconds: float | None
    moment: float

    def left(self, clock: Clock) -> float | None:
        return None if self.seconds is None else max(0.0, self.moment - clock.monotonic())

    def passed(self, url: str) -> TimedOut:
        return TimedOut(f"{url} took longer than {self.seconds or 0:g} s", url=url)


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
        before_send: BeforeSend | None = None,
        redirects: bool = True,
    ) -> Response:
        """Send one request and read its whole answer within `timeout_seconds` of the clock.

        With `check`, a status of 400 or more raises (NotFound, Refused, BadStatus). A 304 is an answer. See `stream`
        for redirects.
        """
        async with self.stream(
            method,
            url,
            headers=headers,
            body=body,
            timeout_seconds=timeout_seconds,
            max_bytes=max_bytes,
            before_send=before_send,
            redirects=redirects,
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
        before_send: BeforeSend | None = None,
        redirects: bool = True,
    ) -> AsyncIterator[Stream]:
        """Open a request and hand its answer over unread; leaving early closes the connection.

        `before_send` is awaited once the connection stands, just before a request with a body leaves.

        A redirect is followed only for a GET or HEAD that bears no header of the caller's but conditions and
        preferences: everything else might carry a key or a body to another host. It is answered as it came. With
        `redirects` False none is: the caller wants to see where it leads first.
        """
        target = URL(url) if isinstance(url, str) else url
        deadline = _Deadline(timeout_seconds, self._clock.monotonic() + (timeout_seconds or 0.0))
        data = _Announced(body, before_send) if body and before_send else body
        response = await self._open(method, target, headers, data, deadline, redirects)
        async with response:
            yield Stream(response, max_bytes, self._clock, deadline)

    async def _open(
        self,
        method: str,
        target: URL,
        headers: Mapping[str, str] | None,
        body: bytes | aiohttp.BytesPayload | None,
        deadline: _Deadline,
        redirects: bool,
    ) -> aiohttp.ClientResponse:
        follow = redirects and method in ("GET", "HEAD") and _bears_nothing(headers)
        try:
            async with self._clock.timeout(deadline.seconds):
                return await self._opened().request(
                    method, target, headers=headers, data=body, allow_redirects=follow, max_redirects=_MOST_REDIRECTS
                )
        except TimeoutError as error:
            raise deadline.passed(_shown(target)) from error
        except (aiohttp.ClientError, ConnectionError) as error:
            shown = _shown(target)
            raise Unreachable(f"{shown} cannot be reached: {_reason(error)}", url=shown) from _cause(error)

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


class _Announced(aiohttp.BytesPayload):
    """A body that says when it leaves."""

    def __init__(self, body: bytes, before_send: BeforeSend) -> None:
        super().__init__(body)
        self._before_send = before_send

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        await self._before_send()
        await super().write_with_length(writer, content_length)


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that a plain numeric Retry-After asks for; 0 where it says nothing we read."""
    try:
        seconds = float(headers.get("Retry-After", "0"))
    except ValueError:
        return 0.0
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0


def _bears_nothing(headers: Mapping[str, str] | None) -> bool:
    return not headers or all(name.lower() in _HARMLESS for name in headers)


def _reason(error: Exception) -> str:
    """What went wrong, without the address: aiohttp puts it whole, secrets included, into some messages."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or type(error.os_error).__name__
    if isinstance(error, aiohttp.TooManyRedirects):
        return f"more than {_MOST_REDIRECTS} redirects"
    if isinstance(error, aiohttp.InvalidURL):
        return "it is no valid address"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"it does not speak HTTP ({type(error).__name__})"
    return str(error) or type(error).__name__


def _cause(error: Exception) -> Exception | None:
    """The error to chain, unless its own words may hold a secret."""
    return None if isinstance(error, aiohttp.ClientResponseError | aiohttp.InvalidURL) else error


def _failure(status: int, headers: Mapping[str, str], body: bytes, url: str) -> TransportError:
    if status == 404 or (status == 403 and _NO_OBJECT in body):
        return NotFound(f"{url} is not there ({status})", url=url, status=status)
    after = retry_after(headers)
    if status in (403, 429):
        return Refused(f"{url} refused ({status})", url=url, status=status, after=after)
    said = f"{url} answered {status}"
    if status < 400:
        said += f", a redirect to {_host(headers)} that is not followed: correct the address"
    return BadStatus(said, url=url, status=status, body=body, after=after)


def _host(headers: Mapping[str, str]) -> str:
    try:
        return URL(headers.get("Location", "")).host or "itself"
    except ValueError:
        return "nowhere"


def _shown(url: URL) -> str:
    """The address without user, password and query, where secrets may stand."""
    bare = url.with_user(None) if url.absolute else url
    return str(bare.with_query(None).with_fragment(None))


__all__ = ["MEBIBYTE", "Http", "Response", "Stream", "retry_after"]
