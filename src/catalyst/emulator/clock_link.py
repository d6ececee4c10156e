"""The emulator's end of remote clocks: one WebSocket each. Read `clock_client.py` with it.

The emulator sends `{now, rate}` on connecting and when the rate changes (`rate` null: as fast as the work allows).
The client sends `{hold: true|false}` around its work, and `{due: moment|null}` for its next sleeper. At that moment the
emulator sends `{now, rate, fired: true}` and runs at real time until the client names its next one. So the clocks
stop for each other's sleepers, and a client that is gone holds nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from catalyst.clock import Clock, TimedClock

MAX_MESSAGE = 1024
_HEARTBEAT = 20.0


class ClockLink:
    """Every remote clock that follows `clock`; `hello` is told once to each."""

    def __init__(self, clock: Clock, hello: dict[str, Any]) -> None:
        self._clock = clock
        self._hello = hello
        self._peers: dict[_Peer, web.WebSocketResponse] = {}
        if isinstance(clock, TimedClock):
            clock.on_change(self._changed)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Follow one client until it goes."""
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE, heartbeat=_HEARTBEAT, compress=False)
        await socket.prepare(request)
        peer = _Peer(self._clock)
        self._peers[peer] = socket
        writer = asyncio.create_task(self._write(socket, peer))
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT or not peer.hear(message.data):
                    break
        finally:
            del self._peers[peer]
            peer.leave()
            writer.cancel()
            await socket.close()
        return socket

    async def close(self) -> None:
        """Let every client go."""
        for socket in list(self._peers.values()):
            await socket.close()

    def _changed(self) -> None:
        for peer in self._peers:
            peer.news.set()

    async def _write(self, socket: web.WebSocketResponse, peer: _Peer) -> None:
        extra = self._hello
        with contextlib.suppress(ConnectionError):
            while True:
                await socket.send_str(orjson.dumps({**self._state(), **extra}).decode())
                await peer.news.wait()
                peer.news.clear()
                extra = {"fired": True} if peer.waiting else {}

    def _state(self) -> dict[str, Any]:
        rate = self._clock.rate if isinstance(self._clock, TimedClock) else 1.0
        return {"now": self._clock.now().timestamp(), "rate": rate if math.isfinite(rate) else None}


class _Peer:
    """What one client asked of the clock."""

    def __init__(self, clock: Clock) -> None:
        self.news = asyncio.Event()
        self.waiting = False
        self._clock = clock if isinstance(clock, TimedClock) else None
        self._working = False
        self._cancel: Callable[[], object] = int

    def hear(self, text: str) -> bool:
        """Do what a message asks; False for one that makes no sense."""
        try:
            message = dict(orjson.loads(text))
            if "hold" in message:
                self._hold(bool(message["hold"]))
            if "due" in message:
                self._expect(math.inf if message["due"] is None else float(message["due"]))
        except (ValueError, TypeError):
            return False
        return True

    def leave(self) -> None:
        """Give back everything."""
        self._cancel()
        self._hold(False)
        self._answered()

    def _hold(self, working: bool) -> None:
        if self._clock is None or working == self._working:
            return
        self._working = working
        if working:
            self._clock.hold()
        else:
            self._clock.release()

    def _expect(self, due: float) -> None:
        self._cancel()
        self._cancel = int
        if self._clock is not None and math.isfinite(due):
            self._cancel = self._clock.at(due, self._fire)
        self._answered()

    def _fire(self) -> None:
        if self._clock is not None and not self.waiting:
            self.waiting = True
            self._clock.hold()
        self.news.set()

    def _answered(self) -> None:
        if self._clock is not None and self.waiting:
            self.waiting = False
            self._clock.release()
