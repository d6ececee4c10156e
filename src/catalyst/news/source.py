"""One feed: asked conditionally, bounded, at its own pace, and put off when it fails. Start with `Feed.poll`.

Only addresses that the operator gave are asked. A redirect is followed to http(s) alone, at most three, and never from
a public host to this machine or a private network, by address or by name.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urljoin, urlsplit

from catalyst.clock import Clock
from catalyst.errors import BadStatus, CatalystError, Refused, StorageError
from catalyst.http import MEBIBYTE, Http, Response, retry_after
from catalyst.news.feed import read_feed, read_jsonl
from catalyst.news.stories import Validators
from catalyst.news.types import FeedItem

MAX_BYTES = 4 * MEBIBYTE
HEAVY_BYTES = 200_000
"""From here on a parse leaves the event loop for a thread."""
MAX_REDIRECTS = 3
TIMEOUT_SECONDS = 20.0
LONGEST_WAIT = 900.0
_ODD_ADDRESS = re.compile(r"(?:(?:0x)?[0-9a-f]*\.)*(?:0x[0-9a-f]+|[0-9]+)")
"""What the system reads as an IPv4 address, though nobody writes it so: 127.1, 0x7f.0.0.1, 0177.0.0.1."""
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_ACCEPT = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1"


Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""The addresses that a host's name stands for now; none where it cannot be found out."""


@dataclass(slots=True)
class FeedState:
    """How a feed does, for status and metrics."""

    name: str
    polls: int = 0
    failures: int = 0
    """In a row, now."""
    failed: int = 0
    """Ever."""
    unchanged: int = 0
    items: int = 0
    reason: str = ""
    last: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a poll brought; no items and no validators where nothing changed."""

    items: Sequence[FeedItem] = ()
    validators: Validators | None = None


class Source(Protocol):
    """Something that brings headlines: `Feed` or `JsonLines`."""

    state: FeedState
    address: str

    async def poll(self, known: Validators | None) -> Answer:
        """What is there now. Raises CatalystError."""
        ...


class Feed:
    """An RSS or Atom address."""

    def __init__(self, address: str, http: Http, clock: Clock, resolve: Resolve | None = None) -> None:
        self.address = address
        self._resolve = resolve or _resolved
        self.state = FeedState(urlsplit(address).hostname or "feed")
        self._http = http
        self._clock = clock

    async def poll(self, known: Validators | None) -> Answer:
        """Ask once. Raises TransportError or ParseError; validators only change with what they stand for."""
        headers = {"Accept": _ACCEPT}
        if known and known.etag:
            headers["If-None-Match"] = known.etag
        if known and known.modified:
            headers["If-Modified-Since"] = known.modified
        answer = await self._get(headers)
        if answer.status == 304:
            self.state.unchanged += 1
            return Answer()
        items = (
            await asyncio.to_thread(read_feed, answer.body) if len(answer.body) > 200_000 else read_feed(answer.body)
        )
        found = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(items, Validators(found.get("etag", "")[:500], found.get("last-modified", "")[:100]))

    async def _get(self, headers: dict[str, str]) -> Response:
        address = self.address
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._http.get(
                address,
                headers=headers,
                timeout_seconds=TIMEOUT_SECONDS,
                max_bytes=MAX_BYTES,
                check=False,
                redirects=False,
            )
            if answer.status not in _REDIRECTS:
                return _checked(answer, self.state.name)
            target = _next(address, answer)
            await self._check_stays_out(address, target)
            address = target
        raise BadStatus(f"{self.state.name} redirects more than {MAX_REDIRECTS} times: correct the address")

    async def _check_stays_out(self, address: str, target: str) -> None:
        """Raises BadStatus where a public host sends us to a name that stands for a private one."""
        old, new = urlsplit(address).hostname or "", urlsplit(target).hostname or ""
        if new != old and not _is_inside(old) and any(map(_is_inside, await self._resolve(new))):
            raise BadStatus(f"{old} redirects to where no feed is: correct the address")


class JsonLines:
    """A file that another program appends JSON lines to; read on from where it was, the newest part of a long one."""

    def __init__(self, path: Path) -> None:
        self.address = str(path)
        self.state = FeedState(path.stem)
        self._path = path

    async def poll(self, known: Validators | None) -> Answer:
        """What was appended since; a file that is not there yet brings nothing. Raises StorageError."""
        start = int(known.etag) if known and known.etag.isdigit() else 0
        try:
            body, end = await asyncio.to_thread(self._read, start)
        except FileNotFoundError:
            return Answer()
        except OSError as error:
            raise StorageError(f"{self._path} cannot be read: {error.strerror or error}") from error
        if end == start:
            self.state.unchanged += 1
            return Answer()
        return Answer(read_jsonl(body.split(b"\n"), self.state.name), Validators(str(end)))

    def _read(self, start: int) -> tuple[bytes, int]:
        """Whole lines from `start`, or from the beginning where the file is shorter now."""
        with self._path.open("rb") as file:
            size = file.seek(0, 2)
            begin = start if start <= size else 0
            file.seek(max(begin, size - MAX_BYTES))
            body = file.read(MAX_BYTES)
            end = file.tell() - (len(body) - body.rfind(b"\n") - 1)
            return body[: body.rfind(b"\n") + 1], max(end, begin)


def wait_of(state: FeedState, error: CatalystError | None, poll_seconds: float, jitter: Callable[[], float]) -> float:
    """Seconds to the next poll: the usual, or after failures doubled up to a quarter of an hour.

    What a server asked for counts. `jitter`, 0 to 1, spreads many feeds.
    """
    if error is None:
        return poll_seconds * (0.9 + 0.2 * jitter())
    asked = error.after if isinstance(error, Refused | BadStatus) else 0.0
    grown = min(LONGEST_WAIT, poll_seconds * float(2 ** min(state.failures, 10)))
    return max(min(asked, 4 * LONGEST_WAIT), grown * (0.5 + 0.5 * jitter()))


def _checked(answer: Response, name: str) -> Response:
    if answer.status < 300 or answer.status == 304:
        return answer
    after = retry_after(answer.headers)
    if answer.status in (403, 429):
        raise Refused(f"{name} refused ({answer.status})", status=answer.status, after=after)
    raise BadStatus(f"{name} answered {answer.status}: correct the address", status=answer.status, after=after)


def _next(address: str, answer: Response) -> str:
    """Where a redirect leads, if it may be followed."""
    found = {name.lower(): value for name, value in answer.headers.items()}.get("location", "")
    target = urljoin(address, found)
    try:
        old, new = urlsplit(address), urlsplit(target)
        allowed = bool(found) and new.scheme in ("http", "https") and bool(new.hostname)
    except ValueError:
        allowed = False
    if not allowed or (_is_inside(new.hostname or "") and not _is_inside(old.hostname or "")):
        raise BadStatus(f"{urlsplit(address).hostname} redirects to where no feed is: correct the address")
    return target


async def _resolved(host: str) -> Sequence[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return [str(address[0]) for *_, address in found]


def _is_inside(host: str) -> bool:
    """This machine or a private network, as far as the address itself says."""
    host = host.rstrip(".")
    if (
        host == "localhost"
        or host.endswith((".localhost", ".localdomain", ".local", ".internal"))
        or ("." not in host and ":" not in host)
    ):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return bool(_ODD_ADDRESS.fullmatch(host))
