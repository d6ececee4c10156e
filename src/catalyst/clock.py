"""One clock for everything that waits: real time, or a simulated day that runs faster.

`SimClock` runs at `speed` times real time while nothing is in flight and at real time while something is
(`with clock.working():`), and never runs past the next sleeper. So a replay at speed 600 differs from one at
speed 1 in the waiting only.
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
import functools
import heapq
import itertools
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
"""EDGAR's clock."""


class Clock(Protocol):
    """Time, and waiting for it. Everything that sleeps, times out or leases takes one as an argument."""

    def now(self) -> datetime:
        """The wall clock, timezone-aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, of unspecified origin."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[None]:
        """Raise TimeoutError in the body after `seconds` of this clock; None means never."""
        ...

    def working(self) -> AbstractContextManager[None]:
        """Hold around work in flight: a simulated clock then runs no faster than real time."""
        ...


_SETTLE = 4
"""Turns of the loop between two timers that are due at once."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[Any]:
        return asyncio.timeout(seconds)

    def working(self) -> AbstractContextManager[None]:
        return contextlib.nullcontext()


class TimedClock(abc.ABC):
    """What simulated clocks share: a heap of timers, and sleeping, timeouts and holds over it.

    A subclass says what time it is and when to fire.
    """

    def __init__(self) -> None:
        self._timers: list[_Timer] = []
        self._order = itertools.count()
        self._handle: asyncio.TimerHandle | asyncio.Handle | None = None
        self._listeners: list[Callable[[], None]] = []

    @property
    @abc.abstractmethod
    def rate(self) -> float:
        """Simulated seconds for each real one, just now."""

    @abc.abstractmethod
    def monotonic(self) -> float:
        """Simulated POSIX seconds."""

    @abc.abstractmethod
    def hold(self) -> None:
        """Begin work in flight; `working` is the safe way."""

    @abc.abstractmethod
    def release(self) -> None:
        """End work in flight."""

    @abc.abstractmethod
    def _arm(self) -> None:
        """See to it that the earliest timer fires in time."""

    @abc.abstractmethod
    def _fire(self) -> None:
        """Run what is due."""

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.monotonic(), UTC)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        cancel = self.at(self.monotonic() + seconds, functools.partial(_wake, woken))
        try:
            await woken
        finally:
            cancel()

    @contextlib.asynccontextmanager
    async def timeout(self, seconds: float | None) -> AsyncIterator[None]:
        async with asyncio.timeout(None) as scope:
            if seconds is None:
                yield
                return
            loop = asyncio.get_running_loop()
            cancel = self.at(self.monotonic() + seconds, lambda: scope.reschedule(loop.time()))
            try:
                yield
            finally:
                cancel()

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        self.hold()
        try:
            yield
        finally:
            self.release()

    def at(self, moment: float, action: Callable[[], object]) -> Callable[[], None]:
        """Call `action` when `monotonic` reaches `moment`; returns what cancels it."""
        timer = _Timer(moment, next(self._order), action)
        heapq.heappush(self._timers, timer)
        self._arm()
        return timer.cancel

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever `rate` may have changed (the emulator tells its remote clocks)."""
        self._listeners.append(listener)

    def _due(self) -> float:
        while self._timers and not self._timers[0].live:
            heapq.heappop(self._timers)
        return self._timers[0].moment if self._timers else math.inf

    def _disarm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _soon(self, turns: int) -> None:
        """Fire after `turns` turns of the loop, so that what the last timer woke can run first."""
        step = self._fire if turns == 0 else functools.partial(self._soon, turns - 1)
        self._handle = asyncio.get_running_loop().call_soon(step)

    def _fire_until(self, moment: float) -> None:
        while self._due() <= moment:
            heapq.heappop(self._timers).action()


class SimClock(TimedClock):
    """A clock that starts at `start` and runs at `speed` (inf: as fast as the work allows).

    With `state`, a file, it survives a restart: the file always names a moment not yet reached, and a new clock
    starts there, so simulated time never repeats. A kill skips at most a quarter of a real second of waiting.
    """

    def __init__(self, start: datetime, speed: float = 1.0, state: Path | None = None) -> None:
        if speed <= 0:
            raise ValueError(f"speed {speed:g} is not positive")
        super().__init__()
        self.speed = speed
        self._state = state
        self._base = _resume(start.timestamp(), state)
        self._real = time.monotonic()
        self._held = 0
        self._leased = -math.inf
        self._lease(self._base)

    @property
    def rate(self) -> float:
        return 1.0 if self._held else self.speed

    def monotonic(self) -> float:
        """Simulated POSIX seconds; it moves on between two turns of the loop only when `speed` is infinite."""
        moment = self._base
        if math.isfinite(self.rate):
            running = moment + (time.monotonic() - self._real) * self.rate
            moment = max(moment, min(running, self._due()))
        self._lease(moment)
        return moment

    def hold(self) -> None:
        self._set_held(self._held + 1)

    def release(self) -> None:
        self._set_held(self._held - 1)

    def _pin(self) -> None:
        self._base, self._real = self.monotonic(), time.monotonic()

    def _set_held(self, held: int) -> None:
        if self.speed == 1.0 or bool(held) == bool(self._held):
            self._held = held
            return
        self._pin()
        self._held = held
        self._arm()
        for listener in self._listeners:
            listener()

    def _arm(self) -> None:
        self._disarm()
        due = self._due()
        if math.isinf(due):
            return
        wait = (due - self.monotonic()) / self.rate
        if wait <= 0:
            self._soon(_SETTLE)
        else:
            self._handle = asyncio.get_running_loop().call_later(wait, self._fire)

    def _fire(self) -> None:
        self._handle = None
        if math.isinf(self._due()):
            return  # every sleeper was cancelled since this was armed: no time passes
        self._advance()
        self._fire_until(self._base)
        self._arm()

    def _advance(self) -> None:
        """Move the base on. At real time, what the loop was late is kept as a debt, so that the clock does not drift;
        at any other speed it is forgiven, so that a late loop never makes simulated time leap."""
        moment = self.monotonic() if math.isfinite(self.rate) else self._due()
        self._real = self._real + moment - self._base if self.rate == 1.0 else time.monotonic()
        self._base = moment

    def _lease(self, moment: float) -> None:
        if self._state is None or moment < self._leased:
            return
        self._leased = moment + max(1.0, 0.25 * min(self.speed, 86_400.0))
        draft = self._state.with_suffix(".tmp")
        # On a full disk the log fails too, and says so; a clock that raises would hide that.
        with contextlib.suppress(OSError):
            draft.write_text(f"{self._leased!r}\n")
            draft.replace(self._state)


@dataclass(order=True, slots=True)
class _Timer:
    moment: float
    order: int
    action: Callable[[], object] = field(compare=False)
    live: bool = field(default=True, compare=False)

    def cancel(self) -> None:
        self.live = False


def _wake(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)


def _resume(start: float, state: Path | None) -> float:
    if state is None or not state.exists():
        return start
    try:
        return max(start, float(state.read_text()))
    except ValueError:
        return start
