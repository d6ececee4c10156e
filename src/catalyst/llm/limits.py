"""Requests per tenant over moving windows (minute, hour, day), exact to the request, with a FIFO queue per tenant.

`Limits.acquire` admits, waits for its turn, or refuses at once with the true time to come back. `LocalWindows` keeps
the times in this process; `redis_windows.RedisWindows` shares them. Only requests from outside are counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from catalyst.clock import Clock
from catalyst.errors import QuotaExceeded
from catalyst.llm.settings import TenantLimits

Spans = tuple[tuple[int, float], ...]
"""(most requests, seconds) of each window."""

LATE = 0.1
"""Seconds that one may wait beyond its time, for a sleep may end early or late."""


class Windows(Protocol):
    """The times of admitted requests, by tenant."""

    async def take(self, tenant: str, spans: Spans, ahead: int, place: int = 0, patience: float = -1.0) -> float:
        """Admit and return 0 where there is room for the `ahead` others before it too; else seconds until there is.

        Windows that processes share count those ahead themselves: one whose wait is at most `patience` seconds keeps
        its `place` in their line until it is admitted or leaves.
        """
        ...

    def leave(self, tenant: str, place: int) -> None:
        """Give up a place; returns at once."""
        ...

    @property
    def poll(self) -> float:
        """Seconds after which one that waits should ask again, for who is ahead may leave."""
        ...


class Times:
    """The last `size` admissions, oldest overwritten first. Eight bytes each."""

    __slots__ = ("_at", "_next", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._at = array("d")
        self._next = 0

    def add(self, moment: float) -> None:
        if len(self._at) < self.size:
            self._at.append(moment)
        else:
            self._at[self._next] = moment
        self._next = (self._next + 1) % self.size

    def back(self, n: int) -> float | None:
        """The n-th last admission (1 is the last); None where there were fewer."""
        if n > len(self._at):
            return None
        return self._at[(self._next - n) % self.size]

    def __len__(self) -> int:
        return len(self._at)


class LocalWindows:
    """Moving windows in this process. `drain` and `load` let the ledger carry them over a restart."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tenants: dict[str, Times] = {}
        self._fresh: list[tuple[str, float]] = []

    async def take(self, tenant: str, spans: Spans, ahead: int, place: int = 0, patience: float = -1.0) -> float:
        """See `Windows`; `place` and `patience` mean nothing here."""
        now = self._clock.monotonic()
        times = self._of(tenant, spans)
        wait = _admission(times, spans, ahead, now) - now
        if wait > 0:
            return wait
        times.add(now)
        self._fresh.append((tenant, self._clock.now().timestamp()))
        return 0.0

    def leave(self, tenant: str, place: int) -> None:
        """Nothing to give up: the line is `Limits`' own."""

    @property
    def poll(self) -> float:
        """Nobody else can change what was computed."""
        return math.inf

    def note(self, tenant: str, spans: Spans) -> None:
        """Count a request that was admitted elsewhere."""
        self._of(tenant, spans).add(self._clock.monotonic())

    def _of(self, tenant: str, spans: Spans) -> Times:
        times = self._tenants.get(tenant)
        if times is None:
            times = self._tenants[tenant] = Times(max(most for most, _ in spans))
        return times

    def drain(self) -> list[tuple[str, float]]:
        """Admissions since the last call: tenant and POSIX seconds."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def load(self, rows: Iterable[tuple[str, float]], size: Callable[[str], int]) -> None:
        """Take over admissions of an earlier process, oldest first."""
        now, wall = self._clock.monotonic(), self._clock.now().timestamp()
        for tenant, at in rows:
            times = self._tenants.setdefault(tenant, Times(max(size(tenant), 1)))
            times.add(now - max(0.0, wall - at))


def _admission(times: Times, spans: Spans, ahead: int, now: float) -> float:
    """When the request with `ahead` before it is admitted, if each goes at its earliest moment."""
    moments: list[float] = []
    for place in range(ahead + 1):
        moment = max(now, moments[-1]) if moments else now
        for most, span in spans:
            before = times.back(most - place) if place < most else moments[place - most]
            if before is not None:
                moment = max(moment, before + span)
        moments.append(moment)
    return moments[-1]


class Limits:
    """Admits tenants' requests. Waiting ones of a tenant go in the order they came."""

    def __init__(
        self, windows: Windows, clock: Clock, default: TenantLimits, tenants: Mapping[str, TenantLimits] | None = None
    ) -> None:
        self._windows = windows
        self._clock = clock
        self._default = default
        self._tenants = dict(tenants or {})
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}
        self._places = itertools.count(1)

    @property
    def waiting(self) -> int:
        """Requests in all queues."""
        return sum(map(len, self._queues.values()))

    def of(self, tenant: str) -> TenantLimits:
        return self._tenants.get(tenant, self._default)

    def size(self, tenant: str) -> int:
        """How many admissions must be remembered."""
        return max((most for most, _ in self.of(tenant).windows), default=1)

    async def acquire(self, tenant: str, seconds: float) -> float:
        """Count one request of `tenant`, waiting at most `seconds`; returns the seconds it waited.

        Raises QuotaExceeded with the true `retry_after`, at once where the wait would be longer.
        """
        spans = self.of(tenant).windows
        if not spans:
            return 0.0
        queue, place = self._queues.get(tenant), next(self._places)
        try:
            wait = await self._windows.take(tenant, spans, len(queue) if queue else 0, place, seconds)
            if wait <= 0:
                return 0.0
            if wait > seconds:
                raise _refusal(tenant, wait)
            return await self._queued(tenant, spans, place, seconds)
        except BaseException:
            self._windows.leave(tenant, place)
            raise

    async def _queued(self, tenant: str, spans: Spans, place: int, seconds: float) -> float:
        began = self._clock.monotonic()
        queue = self._queues.setdefault(tenant, deque())
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            if queue[0] is not turn:
                with contextlib.suppress(TimeoutError):
                    async with self._clock.timeout(seconds):
                        await turn
            await self._admitted(tenant, spans, place, began + seconds, queue.index(turn))
        finally:
            self._leave(tenant, queue, turn)
        return self._clock.monotonic() - began

    async def _admitted(self, tenant: str, spans: Spans, place: int, until: float, ahead: int) -> None:
        """Ask until it is let in. Raises QuotaExceeded when that would be after `until`: others came between."""
        while True:
            left = until - self._clock.monotonic()
            wait = await self._windows.take(tenant, spans, ahead, place, left)
            if wait <= 0:
                return
            if wait > max(left, LATE):
                raise _refusal(tenant, wait)
            await self._clock.sleep(min(wait, self._windows.poll))

    def _leave(self, tenant: str, queue: deque[asyncio.Future[None]], turn: asyncio.Future[None]) -> None:
        first = queue[0] is turn
        queue.remove(turn)
        if not queue:
            del self._queues[tenant]
        elif first and not queue[0].done():
            queue[0].set_result(None)


def _refusal(tenant: str, wait: float) -> QuotaExceeded:
    return QuotaExceeded(
        f"tenant {tenant!r} used up its requests: try again in {wait:.1f} s, or raise its limit", retry_after=wait
    )
