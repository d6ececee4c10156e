"""The emulator's end of remote clocks: one WebSocket each. Read `clock_client.py` with it.

The emulator sends `{now, rate, heard}` on connecting and when the rate changes. `rate` null means as fast as the work
allows; `heard` numbers the client's last hold or release. The client sends `{hold: true|false, number}` around its
work, and `{due: moment|null}` for its next sleeper. At that moment the emulator sends `fired: true` as well and runs at
real time until the client names its next one. So neither clock runs past a sleeper of the other, and a client that is
gone holds nothing.

Frames are written at once, not by a task: a hold must reach the emulator before the request that it is for.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import orjson
from aiohttp import ClientWebSocketResponse, WSMsgType, web

from catalyst.clock import Clock, TimedClock

MAX_MESSAGE = 1024
HORIZON = 1.0
"""Simulated seconds that the emulator may be ahead of what a client knows, at any finite speed: a hold or a request
that is on its way arrives no later than that."""

_HEARTBEAT = 20.0
_TURNS = 3


def write(socket: web.WebSocketResponse | ClientWebSocketResponse, message: dict[str, Any]) -> None:
    """Write a frame now. A coroutine that stops has written it and waits for the buffer to empty: no need to."""
    sending = socket.send_str(orjson.dumps(message).decode())
    with contextlib.suppress(StopIteration, ConnectionError, RuntimeError):
        sending.send(None)
    sending.close()


class ClockLink:
    """Every remote clock that follows `clock`; `hello` is told once to each, `arrived` called for each."""

    def __init__(self, clock: Clock, hello: dict[str, Any], arrived: Callable[[], None]) -> None:
        self._clock = clock
        self._arrived = arrived
        self._hello = hello
        self._peers: dict[_Peer, web.WebSocketResponse] = {}
        if isinstance(clock, TimedClock):
            clock.on_change(self._changed)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Follow one client until it goes."""
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE, heartbeat=_HEARTBEAT, compress=False)
        await socket.prepare(request)
        peer = _Peer(self._clock, socket)
        peer.greet(self._hello)
        self._peers[peer] = socket
        self._arrived()
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT or not peer.hear(message.data):
                    break
        finally:
            del self._peers[peer]
            peer.leave()
            await socket.close()
        return socket

    async def settle(self) -> None:
        """Let what clients sent before a request be heard before the request is looked at."""
        if self._peers:
            for _ in range(_TURNS):
                await asyncio.sleep(0)

    async def close(self) -> None:
        """Let every client go."""
        for socket in list(self._peers.values()):
            await socket.close()

    def _changed(self) -> None:
        for peer in self._peers:
            peer.tell()


class _Peer:
    """What one client asked of the clock."""

    def __init__(self, clock: Clock, socket: web.WebSocketResponse) -> None:
        self._time = clock
        self._clock = clock if isinstance(clock, TimedClock) else None
        self._socket = socket
        self._working = False
        self._waiting = False
        self._heard = 0
        self._cancel: Callable[[], object] = int

    def tell(self, more: Mapping[str, Any] = MappingProxyType({})) -> None:
        """Send the time and the rate."""
        rate = self._clock.rate if self._clock is not None else 1.0
        state = {"now": self._time.now().timestamp(), "rate": rate if math.isfinite(rate) else None}
        write(self._socket, {**state, "heard": self._heard, **more})

    def greet(self, hello: Mapping[str, Any]) -> None:
        """Tell a new client everything, and wait for it before the horizon is passed."""
        self.tell(hello)
        if self._clock is not None and math.isfinite(self._clock.rate):
            self._expect(self._clock.monotonic() + HORIZON)

    def hear(self, text: str) -> bool:
        """Do what a message asks; False for one that makes no sense."""
        try:
            message = dict(orjson.loads(text))
            if "hold" in message:
                self._heard = int(message["number"])
                self._hold(bool(message["hold"]))
                self.tell()
            if "due" in message:
                self._expect(math.inf if message["due"] is None else float(message["due"]))
        except (ValueError, TypeError, KeyError):
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
        if self._clock is not None and not self._waiting:
            self._waiting = True
            self._clock.hold()
        self.tell({"fired": True})

    def _answered(self) -> None:
        if self._clock is not None and self._waiting:
            self._waiting = False
            self._clock.release()
