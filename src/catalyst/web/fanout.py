"""From the log to every live client: each record is framed once per distinct filter and written to the transports.

`Fanout.run` follows the log; `join` puts a client among the live ones at exactly `pos`, so that what it read from the
log before and what it gets from here meet without gap or repeat. No client is awaited: one whose unsent bytes pass the
bound is closed with 4008 and resumes later.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Protocol

import structlog

from catalyst.clock import Clock
from catalyst.errors import Unavailable
from catalyst.stream.filters import Filter
from catalyst.stream.log import Archive, EpochChanged
from catalyst.stream.types import Record
from catalyst.web.frames import control, message, text_frame
from catalyst.web.metrics import WebMetrics
from catalyst.web.settings import WebSettings

log = structlog.get_logger()

SLOW, SLOW_REASON = 4008, "resume later"
RESTART = 1012
AGAIN_SECONDS = 0.25
"""Between two tries while a shared log does not answer."""

CHUNK = 64
"""Most records between two turns of the loop; what lies in one chunk goes to a client in one write."""

BEATS = 15
"""A heartbeat period is cut into this many steps, so that not all clients are written to at once."""


class Peer(Protocol):
    """One client's connection, as `protocol.DirectProtocol` is one. It leaves before it sends a close frame."""

    @property
    def transport(self) -> asyncio.WriteTransport: ...

    def finish(self, code: int, reason: str) -> None: ...


class Group:
    """The live clients that share one filter, and the last offset that matched it.

    By transport: with thousands of clients, what is touched of each for a message decides what the message costs.
    """

    __slots__ = ("last", "peers", "pending", "wanted")

    def __init__(self, wanted: Filter, last: int) -> None:
        self.wanted = wanted
        self.last = last
        self.peers: dict[asyncio.WriteTransport, Peer] = {}
        self.pending: list[bytes] = []

    def take(self, record: Record) -> None:
        """Frame the record for this filter, where it matches."""
        if self.wanted.matches(record):
            news = self.wanted.is_news(record)
            self.pending.append(text_frame(message(record, self.last, replay=False, news=news)))
            self.last = record.offset


class Fanout:
    """All live clients, by filter."""

    def __init__(self, source: Archive, settings: WebSettings, metrics: WebMetrics, clock: Clock) -> None:
        self._log = source
        self._limit = settings.backlog_bytes
        self._beat_s = settings.heartbeat_s / BEATS
        self._metrics = metrics
        self._clock = clock
        self._groups: dict[Filter, Group] = {}
        self._by_ticker: dict[str, set[Group]] = {}
        self._any_ticker: set[Group] = set()
        self._places: dict[Peer, tuple[Group, set[Peer]]] = {}
        self._turns: deque[set[Peer]] = deque(set() for _ in range(BEATS))
        self.pos = 0
        """Everything up to here was written to the live clients."""
        self.started = asyncio.Event()

    @property
    def clients(self) -> int:
        return len(self._places)

    async def run(self) -> None:
        """Follow the log from its head until cancelled. Raises StorageError when the log cannot be read.

        A shared log that is away (Unavailable) is waited for; clients stay connected meanwhile.
        """
        self.pos = await self._head()
        self.started.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._beat())

    async def reach(self, pos: int) -> None:
        """Wait until `self.pos` is at least `pos`, which must be in the log."""
        while self.pos < pos:
            await self._clock.sleep(0.005)

    def join(self, peer: Peer, wanted: Filter, last: int) -> None:
        """Make `peer`, which has everything up to `pos`, a live client; `last` is the last offset it matched."""
        self.leave(peer)
        group = self._groups.get(wanted)
        if group is None:
            group = self._open(wanted, last)
        turn = min(self._turns, key=len)
        group.peers[peer.transport] = peer
        peer.transport.set_write_buffer_limits(0)  # uvloop then writes at once, while it has the client at hand
        turn.add(peer)
        self._places[peer] = (group, turn)

    def leave(self, peer: Peer) -> None:
        """Forget `peer`; nothing when it was not live."""
        place = self._places.pop(peer, None)
        if place is None:
            return
        group, turn = place
        del group.peers[peer.transport]
        turn.discard(peer)
        if not group.peers:
            self._close(group)

    def publish(self, records: Sequence[Record]) -> None:
        """Write `records`, which follow `pos`, to whoever wants them."""
        touched: dict[Group, None] = {}
        for record in records:
            for group in self._candidates(record):
                group.take(record)
                touched[group] = None
        for group in touched:
            self._deliver(group)
        self.pos = records[-1].offset
        self._metrics.head.set(self.pos)

    async def _follow(self) -> None:
        while True:
            try:
                await self._log.wait(self.pos)
                while records := await self._log.read(self.pos, CHUNK):
                    if records[0].offset != self.pos + 1:
                        raise EpochChanged("the log was trimmed beyond what was published")
                    self.publish(records)
                    await asyncio.sleep(0)
            except EpochChanged as error:
                await self._start_over(error)
            except Unavailable:
                await self._clock.sleep(AGAIN_SECONDS)

    async def _head(self) -> int:
        while not self._log.epoch:
            await self._clock.sleep(AGAIN_SECONDS / 10)  # a shared log whose first writer is still to come
        while True:
            try:
                return (await self._log.bounds())[1]
            except Unavailable:
                await self._clock.sleep(AGAIN_SECONDS)

    async def _start_over(self, why: EpochChanged) -> None:
        """What was published says nothing of what comes: clients are to connect again and be told so."""
        log.warning("stream.started_over", error=str(why))
        self.started.clear()
        for peer in tuple(self._places):
            self.leave(peer)
            self._metrics.closed.labels(str(RESTART)).inc()
            peer.finish(RESTART, "the log goes on under other numbers: connect again")
        self.pos = await self._head()
        self.started.set()

    def _deliver(self, group: Group) -> None:
        frames, count = b"".join(group.pending), len(group.pending)
        group.pending.clear()
        if not frames:
            return
        limit, slow = self._limit, []
        for transport in group.peers:
            if transport.get_write_buffer_size() > limit:
                slow.append(transport)
            elif not transport.is_closing():
                transport.write(frames)
        self._metrics.messages.inc(count * (len(group.peers) - len(slow)))
        for transport in slow:
            self._drop(group.peers[transport])

    def _drop(self, peer: Peer) -> None:
        log.info("stream.client_slow", backlog=peer.transport.get_write_buffer_size())
        self._metrics.closed.labels(str(SLOW)).inc()
        self.leave(peer)
        peer.finish(SLOW, SLOW_REASON)

    def _candidates(self, record: Record) -> Iterable[Group]:
        """Groups whose tickers the filing has, and those that want any."""
        if not self._by_ticker:
            return self._any_ticker
        found = set(self._any_ticker)
        for ticker in set(record.tickers).union(*(tickers for tickers, _ in record.earlier)):
            found |= self._by_ticker.get(ticker, set())
        return found

    def _open(self, wanted: Filter, last: int) -> Group:
        group = self._groups[wanted] = Group(wanted, last)
        if not wanted.tickers:
            self._any_ticker.add(group)
        for ticker in wanted.tickers:
            self._by_ticker.setdefault(ticker, set()).add(group)
        return group

    def _close(self, group: Group) -> None:
        del self._groups[group.wanted]
        self._any_ticker.discard(group)
        for ticker in group.wanted.tickers:
            self._by_ticker[ticker].discard(group)
            if not self._by_ticker[ticker]:
                del self._by_ticker[ticker]

    async def _beat(self) -> None:
        """Tell each client once a period that nothing was missed up to `pos`."""
        while True:
            await self._clock.sleep(self._beat_s)
            self._turns.rotate(-1)
            frame = control("heartbeat", pos=self.pos)
            for peer in tuple(self._turns[0]):
                self._beat_one(peer, frame)

    def _beat_one(self, peer: Peer, frame: bytes) -> None:
        if peer.transport.get_write_buffer_size() > self._limit:
            self._drop(peer)
        elif not peer.transport.is_closing():
            peer.transport.write(frame)
