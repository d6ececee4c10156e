"""`/ws/filings`, version 1: one client's life, in order. Connected, authenticated, subscribed, replayed, live.

Read `fanout.py` for what happens once a client is live. A client reads from the log until it has everything up to
`Fanout.pos`, then joins in the same turn of the loop: no gap and no repeat between replay and live.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog
from fastapi import WebSocket
from starlette.routing import WebSocketRoute

from catalyst.clock import Clock
from catalyst.errors import StorageError
from catalyst.stream.filters import EVERYTHING as ANY
from catalyst.stream.filters import Filter
from catalyst.stream.log import Archive
from catalyst.web import messages
from catalyst.web.auth import Keys, presented, same_origin
from catalyst.web.fanout import Fanout
from catalyst.web.frames import PONG, control, message, text_frame
from catalyst.web.messages import Auth, BadMessage, Resume, Subscribe
from catalyst.web.metrics import WebMetrics
from catalyst.web.protocol import BAD_MESSAGE, DirectProtocol
from catalyst.web.settings import WebSettings

VERSION = 1
UNAUTHENTICATED, FORBIDDEN, TOO_MANY, RESTART, BROKEN = 4001, 4003, 4009, 1012, 1013
REPLAY_CHUNK = 256
BURST = 5

log = structlog.get_logger()


class Closed(Exception):
    """The connection is to end, or has: `code` 0 means that the client left."""

    def __init__(self, code: int = 0, reason: str = "") -> None:
        self.code = code
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class SocketParts:
    """What every connection needs."""

    log: Archive
    fanout: Fanout
    keys: Keys
    settings: WebSettings
    metrics: WebMetrics
    clock: Clock


def socket_route(parts: SocketParts) -> WebSocketRoute:
    """The route; it needs `DirectProtocol` underneath."""
    connected: dict[DirectProtocol, Session] = {}

    def recheck() -> None:
        for session in tuple(connected.values()):
            session.recheck()

    parts.keys.on_change(recheck)

    async def filings(socket: WebSocket) -> None:
        if not same_origin(socket.headers, parts.settings.cors_origins):
            await socket.close(FORBIDDEN)
            return
        await socket.accept()
        peer: DirectProtocol = socket.scope["catalyst.peer"]
        session = connected[peer] = Session(socket, peer, parts)
        parts.metrics.clients.set(len(connected))
        try:
            crowded = len(connected) > parts.settings.max_connections
            await session.run(crowded=crowded)
        finally:
            del connected[peer]
            parts.metrics.clients.set(len(connected))

    return WebSocketRoute("/ws/filings", filings, name="filings-stream")


class Session:
    """One connection."""

    def __init__(self, socket: WebSocket, peer: DirectProtocol, parts: SocketParts) -> None:
        self._socket = socket
        self._peer = peer
        self._parts = parts
        self._replaying: asyncio.Task[None] | None = None
        self._secret: str | None = None
        self._allowed = parts.settings.messages_per_s * BURST
        self._counted = parts.clock.monotonic()
        self._epoch = ""

    def recheck(self) -> None:
        """End the connection of who could not come in any more: the key was revoked, or one is asked for now."""
        keys = self._parts.keys
        if self._secret is not None and keys.needed and keys.find(self._secret) is None:
            self._parts.fanout.leave(self._peer)
            self._stop_replay()
            self._end(UNAUTHENTICATED, "this API key is not valid any more")

    async def run(self, *, crowded: bool) -> None:
        """Serve until either side ends it."""
        self._peer.on_lost = lambda: self._parts.fanout.leave(self._peer)
        try:
            if crowded:
                raise Closed(TOO_MANY, "too many connections")
            start = await self._hello()
            await self._authenticate()
            self._start(await self._first() or messages.EVERYTHING, start)
            while True:
                self._start(await self._subscription(), None)
        except BadMessage as error:
            self._end(BAD_MESSAGE, str(error))
        except Closed as closed:
            self._end(closed.code, closed.reason)
        except StorageError as error:
            log.error("stream.log_unreadable", error=str(error))
            self._end(BROKEN, "the log cannot be read: resume later")
        finally:
            self._parts.fanout.leave(self._peer)
            self._stop_replay()

    async def _hello(self) -> int:
        """Say who we are; returns the head that was named, where a silent client begins."""
        await self._parts.fanout.started.wait()
        oldest, _ = await self._parts.log.bounds()
        head = self._parts.fanout.pos
        beat = self._parts.settings.heartbeat_s
        self._epoch = self._parts.log.epoch
        self._peer.write(
            control("connected", version=VERSION, epoch=self._epoch, head=head, oldest=oldest, heartbeat_s=beat)
        )
        return head

    async def _authenticate(self) -> None:
        keys, secret = self._parts.keys, presented(self._socket.headers)
        if not keys.needed:
            self._secret = secret
            return
        if not secret:
            secret = await self._auth_message()
        key = keys.find(secret)
        if key is None:
            raise Closed(UNAUTHENTICATED, "unknown API key")
        if "read" not in key.scopes:
            raise Closed(FORBIDDEN, "this API key may not read")
        self._secret = secret

    async def _auth_message(self) -> str:
        try:
            async with self._parts.clock.timeout(self._parts.settings.auth_s):
                said = await self._message()
        except TimeoutError:
            raise Closed(UNAUTHENTICATED, "no API key") from None
        if not isinstance(said, Auth):
            raise Closed(UNAUTHENTICATED, "no API key: send auth first")
        return said.api_key

    async def _first(self) -> Subscribe | None:
        """The subscription, or None from a client that stays silent."""
        try:
            async with self._parts.clock.timeout(self._parts.settings.subscribe_s):
                return await self._subscription()
        except TimeoutError:
            return None

    async def _subscription(self) -> Subscribe:
        while True:
            said = await self._message()
            if isinstance(said, Subscribe):
                return said  # a key that nobody asked for does no harm

    async def _message(self) -> Auth | Subscribe:
        """The next message that is not a ping. Raises BadMessage and Closed."""
        while True:
            event = await self._socket.receive()
            if event["type"] == "websocket.disconnect":
                raise Closed
            self._count()
            text = event.get("text")
            if text is None:
                raise BadMessage("binary message")
            if text == "ping":
                self._peer.write(PONG)
                continue
            return messages.parse(text)

    def _count(self) -> None:
        """Spend one of the messages that the client may send; they come back at a steady rate."""
        rate, now = self._parts.settings.messages_per_s, self._parts.clock.monotonic()
        self._allowed = min(rate * BURST, self._allowed + (now - self._counted) * rate) - 1
        self._counted = now
        if self._allowed < 0:
            raise BadMessage("too many messages")

    def _start(self, asked: Subscribe, start: int | None) -> None:
        """Leave what was followed before, and bring the client from where it stopped to the live stream."""
        self._stop_replay()
        self._parts.fanout.leave(self._peer)
        head = self._parts.fanout.pos if start is None else start  # now, while nothing comes in between
        self._replaying = asyncio.create_task(self._bring_up(asked, head))
        self._replaying.add_done_callback(self._replayed)

    async def _bring_up(self, asked: Subscribe, head: int) -> None:
        oldest, newest = await self._parts.log.bounds()
        self._check_epoch()
        reason = _why_not(asked.resume, self._parts.log.epoch, oldest, newest)
        pos = asked.resume.after if asked.resume and not reason else head
        answer = {"pos": pos, "recovered": not reason, "reason": reason, "filters": asked.shown}
        if reason:
            answer["cursor"] = f"{pos + 1}.{pos}"
        self._peer.write(control("subscribed", **answer))
        await self._parts.fanout.reach(pos)
        wanted = asked.wanted
        last = pos if wanted == ANY else await self._parts.log.last_match(wanted, pos)
        await self._replay(wanted, pos, last)

    async def _replay(self, wanted: Filter, pos: int, last: int) -> None:
        fanout = self._parts.fanout
        while pos < fanout.pos:
            records = await self._parts.log.read(pos, min(REPLAY_CHUNK, fanout.pos - pos))
            if not records or records[0].offset != pos + 1:
                raise Closed(RESTART, "the log was trimmed meanwhile: resume")
            frames = []
            for record in records:
                if wanted.matches(record):
                    news = wanted.is_news(record)
                    frames.append(text_frame(message(record, last, replay=True, news=news)))
                    last = record.offset
            self._peer.write(b"".join(frames))
            self._parts.metrics.messages.inc(len(frames))
            pos = records[-1].offset
            await asyncio.sleep(0)
            await self._peer.drained()
        self._check_epoch()
        self._peer.write(control("caught_up", pos=pos))
        if not self._peer.close_sent:
            fanout.join(self._peer, wanted, last)

    def _check_epoch(self) -> None:
        """What we named when the client connected must still be the log's numbering."""
        if self._parts.log.epoch != self._epoch:
            raise Closed(RESTART, "the log goes on under other numbers: connect again")

    def _replayed(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, Closed):
            self._end(error.code, error.reason)
        else:
            log.error("stream.replay_failed", error=str(error))
            self._end(BROKEN, "replay failed: resume later")

    def _stop_replay(self) -> None:
        if self._replaying is not None:
            self._replaying.cancel()
            self._replaying = None

    def _end(self, code: int, reason: str) -> None:
        if code:
            self._parts.metrics.closed.labels(str(code)).inc()
            self._peer.finish(code, reason)


def _why_not(resume: Resume | None, epoch: str, oldest: int, head: int) -> str:
    """Why the client cannot go on from where it was; empty when it can."""
    if resume is None:
        return "live"
    if resume.epoch != epoch:
        return "epoch_changed"
    if resume.after < oldest - 1:
        return "too_old"
    return "ahead" if resume.after > head else ""
