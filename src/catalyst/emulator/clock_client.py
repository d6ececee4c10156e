"""A clock in one process that follows the simulated clock of an emulator in another. Read `clock_link.py` with it.

The emulator tells the time and its rate; this side runs on by itself in between, tells the emulator when its next
sleeper is due, so that neither runs past it, and when work is in flight, so that both run at real time.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from datetime import datetime
from typing import Any, Self

import aiohttp
import orjson
import structlog
from yarl import URL

from catalyst.clock import NEW_YORK, TimedClock
from catalyst.emulator.clock_link import HORIZON, write
from catalyst.errors import Unreachable

log = structlog.get_logger()

PATH = "/_emulator/clock"
_CONNECT_SECONDS = 10.0
_AGAIN_SECONDS = 0.5
_TURNS = 4
"""Turns of the loop for what a timer woke to run, before the next due moment is told."""


class RemoteClock(TimedClock):
    """Follows the emulator at a URL; `await RemoteClock.connect(url)`, and `close` it.

    While the connection is lost it runs at real time and tries again. `accessions` and `ends_at` are the recording's.
    """

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        super().__init__()
        self.accessions = 0
        self.ends_at: datetime | None = None
        self._url = URL(url) / PATH.lstrip("/")
        self._session = session
        self._told = 1.0
        self._speed = 1.0
        self._base, self._real = time.time(), time.monotonic()
        self._floor = -math.inf
        self._held = 0
        self._owes = False
        self._promised = math.inf
        self._telling: asyncio.Handle | None = None
        self._number = 0
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, url: str) -> Self:
        """Connect and take over the emulator's time. Raises Unreachable."""
        session = aiohttp.ClientSession(trust_env=False)
        clock = cls(url, session)
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                socket = await session.ws_connect(clock._url, max_msg_size=4096)
                clock._follow(orjson.loads((await socket.receive_str()).encode()))
        except (aiohttp.ClientError, OSError, TimeoutError, TypeError, ValueError, KeyError) as error:
            await session.close()
            why = str(error) or type(error).__name__
            raise Unreachable(
                f"no emulator's clock at {url} ({why}): start one with `catalyst emulate DIR`", url=url
            ) from error
        clock._socket = socket
        clock._task = asyncio.create_task(clock._run(socket), name="emulator clock")
        return clock

    async def close(self) -> None:
        """Let go of the emulator; its clock no longer waits for this process."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._disarm()
        if self._telling is not None:
            self._telling.cancel()
        await self._session.close()

    @property
    def rate(self) -> float:
        return 1.0 if self._held else self._told

    def monotonic(self) -> float:
        running = self._base
        if math.isfinite(self.rate):
            running += (time.monotonic() - self._real) * self.rate
        # Neither side is past what this one promised, unless the emulator says that it is.
        running = max(self._base, min(running, self._promised))
        self._floor = max(self._floor, min(running, self._due()))
        return self._floor

    def hold(self) -> None:
        self._set_held(self._held + 1)

    def release(self) -> None:
        self._set_held(self._held - 1)

    def _set_held(self, held: int) -> None:
        if bool(held) == bool(self._held):
            self._held = held
            return
        self._pin()
        self._held = held
        self._declare()

    def _declare(self) -> None:
        """Say whether anyone works. Until the emulator has heard it, this side runs at real time."""
        self._told = 1.0
        self._number += 1
        self._tell({"hold": self._held > 0, "number": self._number})
        self._changed()

    def _pin(self) -> None:
        self._base, self._real = self.monotonic(), time.monotonic()

    def _changed(self) -> None:
        self._arm()
        for listener in self._listeners:
            listener()

    def _arm(self) -> None:
        self._disarm()
        due = self._due()
        if (self._owes or self._promise() < self._promised) and self._telling is None:
            self._telling = asyncio.get_running_loop().call_soon(self._tell_due, _TURNS)
        if math.isinf(due):
            return
        if self.monotonic() >= due:
            self._soon(0)
        elif math.isfinite(self.rate):
            wait = (due - self.monotonic()) / self.rate
            self._handle = asyncio.get_running_loop().call_later(wait, self._fire)

    def _fire(self) -> None:
        self._handle = None
        self._fire_until(self.monotonic())
        self._arm()

    def _tell_due(self, turns: int) -> None:
        if turns:
            self._telling = asyncio.get_running_loop().call_soon(self._tell_due, turns - 1)
            return
        self._telling = None
        promise = self._promise()
        if self._owes or promise < self._promised:
            self._promised, self._owes = promise, False
            self._tell({"due": promise if math.isfinite(promise) else None})

    def _promise(self) -> float:
        """Until when the emulator need not ask."""
        bounded = 1.0 < self._speed < math.inf
        return min(self._due(), self.monotonic() + HORIZON) if bounded else self._due()

    def _tell(self, message: dict[str, Any]) -> None:
        if self._socket is not None:
            write(self._socket, message)

    def _follow(self, state: dict[str, Any]) -> None:
        """Take the emulator's word for the time and the rate."""
        self._base, self._real = float(state["now"]), time.monotonic()
        if state["heard"] == self._number:
            self._told = math.inf if state["rate"] is None else float(state["rate"])
        if "ends_at" in state:
            self._speed = math.inf if state["speed"] is None else float(state["speed"])
            self._promised = self._base + HORIZON if 1.0 < self._speed < math.inf else math.inf
            self.accessions = int(state["accessions"])
            self.ends_at = datetime.fromtimestamp(float(state["ends_at"]), NEW_YORK)
        if state.get("fired"):
            self._owes = True
        self._changed()

    async def _run(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            await self._converse(socket)
            log.warning("clock.lost", url=str(self._url))
            self._pin()
            self._told, self._number, self._promised = 1.0, 0, math.inf
            self._changed()
            socket = await self._again()
            log.info("clock.found", url=str(self._url))

    async def _converse(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        if self._held:
            self._declare()
        self._arm()
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._follow(orjson.loads(message.data))
        except (aiohttp.ClientError, OSError, ValueError, KeyError, TypeError) as error:
            log.warning("clock.broken", error=str(error))
        finally:
            self._socket = None
            await socket.close()

    async def _again(self) -> aiohttp.ClientWebSocketResponse:
        while True:
            try:
                return await self._session.ws_connect(self._url, max_msg_size=4096)
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(_AGAIN_SECONDS)
