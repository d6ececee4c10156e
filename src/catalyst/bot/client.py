"""`FilingsClient`: follow `/ws/filings` for as long as you like, over restarts of either side, missing nothing.

A connection's life is `_session`: connected, subscribed where we stopped, caught up, live. What breaks it, `run` mends:
it waits (full jitter) and resumes by (epoch, seq). Where the service cannot resume us, the past comes from REST.
Each handler gets each message in order; the checkpoint is written after the handler, so a crash between the two
repeats one message at most, and none for a handler that commits with the checkpoint.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from catalyst.bot.address import Address
from catalyst.bot.checkpoint import Checkpoint, MemoryCheckpoint, Place
from catalyst.bot.entry import Entry, Handler, HandlerFailed, Message, handled
from catalyst.bot.past import Past, Wanted
from catalyst.clock import Clock, SystemClock
from catalyst.errors import BadStatus, Refused, TransportError, Unreachable
from catalyst.http import Http
from catalyst.stream.types import Alert

log = structlog.get_logger()

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
MESSAGE_BYTES = 4 << 20
MARGIN_NS = 60 * 10**9
"""How far before our last message REST is asked: the service's clock may have been set back."""
_FATAL = {
    4001: "asks for an API key that it knows: pass one",
    4003: "does not let this API key read: ask for the right",
}


@dataclass(frozen=True, slots=True)
class Start:
    """Where a client without a checkpoint begins: live, after an offset, or (through REST) at a time."""

    after: int | None = None
    since_ns: int | None = None


class _Gap(Exception):
    """A message is missing between what we have and what came: resume."""


_GONE = (OSError, TimeoutError, ConnectionClosed, InvalidHandshake, TransportError, _Gap)


class FilingsClient:
    """A subscriber. Add handlers, then `run` it until it is cancelled."""

    def __init__(
        self,
        url: str,
        http: Http,
        *,
        wanted: Wanted | None = None,
        api_key: str = "",
        checkpoint: Checkpoint | None = None,
        start: Start | None = None,
        clock: Clock | None = None,
        draw: Callable[[], float] = random.random,
        patient: bool = True,
    ) -> None:
        """`url`: SEC_DIGESTER_URL, http or ws. With `patient` False, a service that was never reached is an error."""
        self._address = Address.of(url)
        self._wanted = wanted or Wanted()
        self._headers = {"X-API-Key": api_key} if api_key else {}
        self._checkpoint = checkpoint or MemoryCheckpoint()
        self._start = start or Start()
        self._clock = clock or SystemClock()
        self._draw = draw
        self._patient = patient
        self._past = Past(http, self._address, self._headers, self._wanted)
        self._handlers: list[tuple[str, Handler]] = []
        self._entry: Entry | None = None
        self._place: Place | None = None
        self._connected = False
        self._failures = 0
        self._beat_s = 15.0

    @property
    def place(self) -> Place | None:
        """Up to where everything is done."""
        return self._place

    @property
    def connected(self) -> bool:
        """Whether the stream is followed just now."""
        return self._connected

    def handle(self, name: str, handler: Handler) -> None:
        """Add a handler; `name` is what its marks are kept under, so it must stay the same over restarts."""
        self._handlers.append((name, handler))

    def enter(self, name: str, decide: Handler, then: Callable[[Message], None]) -> None:
        """Add the one handler whose only effect is the work that it returns, after all others.

        Messages of a burst share a commit: `decide` is asked for the next while the last is being written, in order and
        all or nothing. `then` is called for each once it is written.
        """
        self._entry = Entry(name, decide, then, self._checkpoint)

    async def run(self) -> None:
        """Follow the stream until cancelled. What was being written then is written first.

        Raises Refused when the service does not accept our key, Unreachable when it was never reached and we are not
        patient, and whatever a handler raises: its message is not marked and comes again.
        """
        self._place = await self._checkpoint.load()
        while True:
            try:
                await self._stretch()
            except HandlerFailed as failed:
                raise failed.error from None

    async def _stretch(self) -> None:
        """One connection, and the wait after it."""
        try:
            try:
                await self._session()
            finally:
                self._connected = False
        except _GONE as error:
            await self._written()
            self._judge(error)
            wait = self._draw() * min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**self._failures)
            self._failures = min(self._failures + 1, 10)
            log.info("client.waiting", seconds=round(wait, 2), error=str(error))
            await self._clock.sleep(wait)

    async def _session(self) -> None:
        options: dict[str, Any] = {"ping_interval": 10, "ping_timeout": 10, "close_timeout": 2, "max_queue": 64}
        async with connect(
            self._address.socket,
            additional_headers=self._headers,
            compression=None,
            proxy=None,
            max_size=MESSAGE_BYTES,
            **options,
        ) as socket:
            connected = await self._expect(socket, "connected")
            self._patient = True
            self._beat_s = float(connected["heartbeat_s"])
            resume = self._resume(connected)
            wish = {"type": "subscribe", **self._wanted.fields()}
            await socket.send(orjson.dumps({**wish, "resume": resume} if resume else wish).decode())
            subscribed = await self._answer(socket, resumed=resume is not None)
            await self._catch_up(connected["epoch"], subscribed)
            if self._entry is not None:
                self._entry.on_failure = socket.transport.abort
            self._connected = True
            async for message in self._messages(socket):
                await self._take(message)

    def _resume(self, connected: dict[str, Any]) -> dict[str, Any] | None:
        if self._place is not None:
            return {"epoch": self._place.epoch, "after": self._place.seq}
        if self._start.after is None:
            return None
        return {"epoch": connected["epoch"], "after": max(self._start.after, connected["oldest"] - 1)}

    async def _catch_up(self, epoch: str, subscribed: dict[str, Any]) -> None:
        """Where the service could not resume us: what REST has since our last message, oldest first."""
        pos = int(subscribed["pos"])
        since = self._start.since_ns if self._place is None else max(0, self._place.ts_ns - MARGIN_NS)
        if not subscribed["recovered"] and since is not None:
            log.info("client.catching_up", reason=subscribed["reason"])
            for raw in await self._past.since(since, subscribed.get("cursor", "")):
                await self._deliver(await self._as_news(raw), None)
            await self._written()
        at = self._place.ts_ns if self._place else int(self._clock.now().timestamp()) * 10**9
        self._place = Place(epoch, pos, at)
        await self._checkpoint.move(self._place)

    async def _as_news(self, raw: dict[str, Any]) -> dict[str, Any]:
        """REST shows a filing's newest message: an alert for us, when we know nothing of the filing."""
        if raw["type"].endswith("_update") and not await self._checkpoint.knows(raw["filing_id"]):
            return {**raw, "type": raw["type"].replace("_update", "_alert"), "replay": True}
        return {**raw, "replay": True}

    async def _take(self, message: dict[str, Any]) -> None:
        place = self._place
        assert place is not None
        if message["type"] in ("heartbeat", "caught_up"):
            self._failures = 0
            if message["pos"] > place.seq:
                await self._written()
                self._place = Place(place.epoch, message["pos"], place.ts_ns)
                await self._checkpoint.move(self._place)
        elif "filing_id" in message and message["seq"] > place.seq:
            if message["prev"] > place.seq:
                raise _Gap(f"{message['prev']} was due after {place.seq}, {message['seq']} came")
            self._failures = 0
            after = Place(place.epoch, message["seq"], message["ts_ns"])
            await self._deliver(message, after)
            self._place = after

    async def _written(self) -> None:
        """Until what was entered is on disk; raises what kept it from there."""
        if self._entry is not None:
            await self._entry.written()

    async def _deliver(self, raw: dict[str, Any], place: Place | None) -> None:
        try:
            alert = Alert.model_validate(raw)
        except ValidationError as error:
            log.error("client.message_unreadable", seq=raw.get("seq"), error=str(error.errors()[0]["loc"]))
            await self._written()
            if place is not None:
                await self._checkpoint.move(place)
            return
        # An update that was shown to us as an alert is still the same message.
        key = f"{alert.filing_id}/{alert.version}"
        message = Message(raw["seq"], alert, bool(raw.get("replay")), raw)
        last = len(self._handlers) - 1
        for number, (name, handler) in enumerate(self._handlers):
            here = place if number == last and self._entry is None else None
            if await self._checkpoint.seen(name, key):
                if here is not None:
                    await self._checkpoint.move(here)
                continue
            await self._checkpoint.commit(name, key, here, await handled(handler, message))
        if self._entry is not None:
            await self._entry.take(key, message, self._place, place)

    async def _messages(self, socket: ClientConnection) -> AsyncIterator[dict[str, Any]]:
        while True:
            yield await self._next(socket)

    async def _answer(self, socket: ClientConnection, *, resumed: bool) -> dict[str, Any]:
        """What the service says to our subscription.

        Where ours came late, it took us for silent and began with everything, live: that is no answer to us, and what
        it sends before the right one comes again.
        """
        shown = self._wanted.shown()
        answer = await self._expect(socket, "subscribed")
        if answer.get("filters", shown) != shown or (resumed and answer.get("reason") == "live"):
            answer = await self._expect(socket, "subscribed")
        return answer

    async def _expect(self, socket: ClientConnection, kind: str) -> dict[str, Any]:
        while (message := await self._next(socket))["type"] != kind:
            pass
        return message

    async def _next(self, socket: ClientConnection) -> dict[str, Any]:
        """The next message; TimeoutError after two silent heartbeats, as a half-open connection gives."""
        async with self._clock.timeout(2 * self._beat_s):
            text = await socket.recv()
        try:
            return _shaped(orjson.loads(text))
        except (ValueError, TypeError, KeyError):
            raise Unreachable(f"{self._address.socket} sends what is no message of ours: check the address") from None

    def _judge(self, error: BaseException) -> None:
        """Raise what waiting cannot mend."""
        shown = self._address.socket
        if isinstance(error, ConnectionClosed) and error.rcvd and error.rcvd.code in _FATAL:
            raise Refused(f"{shown} {_FATAL[error.rcvd.code]}", url=shown) from error
        if isinstance(error, InvalidStatus) and error.response.status_code in (401, 403):
            raise Refused(f"{shown} refuses us ({error.response.status_code})", url=shown) from error
        if self._patient:
            return
        if isinstance(error, InvalidStatus):
            status = error.response.status_code
            raise BadStatus(f"{shown} is not Catalyst (it answers {status}): check --url", url=shown) from error
        raise Unreachable(
            f"nothing answers at {shown}: start it with `catalyst up`, or name its address with --url", url=shown
        ) from error


_NUMBER = (int, float)
_SHAPES: dict[str, dict[str, Any]] = {
    "connected": {"epoch": str, "oldest": int, "heartbeat_s": _NUMBER},
    "subscribed": {"pos": int, "recovered": bool},
    "caught_up": {"pos": int},
    "heartbeat": {"pos": int},
}
_FILING = {"filing_id": str, "seq": int, "prev": int, "ts_ns": int}


def _shaped(message: dict[str, Any]) -> dict[str, Any]:
    """The message, where it has what we read of its kind. Raises KeyError, TypeError or ValueError."""
    shape = _SHAPES.get(message["type"], _FILING if "filing_id" in message else {})
    for name, kind in shape.items():
        if not isinstance(message[name], kind):
            raise TypeError(name)
    return message


__all__ = ["FilingsClient", "Handler", "Message", "Start"]
