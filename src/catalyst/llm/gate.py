"""How many requests run at once: slots with a fair queue.

High priority goes first, but every eighth turn belongs to the lanes below. Within a lane the tenants take turns, so
one that floods the queue delays itself, not its neighbours. A cancelled waiter leaves no slot behind.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque

from catalyst.clock import Clock
from catalyst.errors import QuotaExceeded

LANES = ("high", "normal", "low")
YIELD_EVERY = 8
"""One turn in this many goes to a lower lane, where one waits."""


class _Lane:
    """Waiters of one priority, by tenant in turn."""

    def __init__(self) -> None:
        self._tenants: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    def push(self, tenant: str, waiter: asyncio.Future[None]) -> None:
        self._tenants.setdefault(tenant, deque()).append(waiter)

    def pop(self) -> asyncio.Future[None] | None:
        while self._tenants:
            tenant, waiting = next(iter(self._tenants.items()))
            while waiting and waiting[0].done():
                waiting.popleft()
            if not waiting:
                del self._tenants[tenant]
                continue
            waiter = waiting.popleft()
            self._tenants.move_to_end(tenant)
            if not waiting:
                del self._tenants[tenant]
            return waiter
        return None

    def __len__(self) -> int:
        return sum(not waiter.done() for waiting in self._tenants.values() for waiter in waiting)


class Gate:
    """`await enter(...)`, work, `leave()`. `free` slots plus running requests is always `size`."""

    def __init__(self, size: int, clock: Clock, name: str = "the hub") -> None:
        self.size = size
        self.free = size
        self._clock = clock
        self._name = name
        self._lanes = {lane: _Lane() for lane in LANES}
        self._waiting = 0
        self._turn = 0

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return self._waiting

    def try_enter(self) -> bool:
        """Take a slot if one is free and nobody waits for it."""
        if self.free > 0 and not self._waiting:
            self.free -= 1
            return True
        return False

    async def enter(self, tenant: str, priority: str, seconds: float) -> None:
        """Wait for a slot, at most `seconds`. Raises QuotaExceeded when none became free."""
        if self.try_enter():
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lanes[priority].push(tenant, waiter)
        self._waiting += 1
        self._hand_out()
        try:
            async with self._clock.timeout(max(seconds, 0.0)):
                await waiter
        except TimeoutError:
            self._give_up(waiter)
            raise QuotaExceeded(
                f"no slot of {self._name} became free within {seconds:.1f} s: raise its concurrency, or send less",
                retry_after=1.0,
            ) from None
        except BaseException:
            self._give_up(waiter)
            raise

    def leave(self) -> None:
        self.free += 1
        self._hand_out()

    def _give_up(self, waiter: asyncio.Future[None]) -> None:
        if waiter.done() and not waiter.cancelled():
            self.leave()
        else:
            waiter.cancel()
            self._waiting -= 1

    def _hand_out(self) -> None:
        while self.free > 0 and (waiter := self._next()) is not None:
            self.free -= 1
            self._waiting -= 1
            waiter.set_result(None)

    def _next(self) -> asyncio.Future[None] | None:
        self._turn += 1
        order = LANES if self._turn % YIELD_EVERY else (*LANES[1:], LANES[0])
        for lane in order:
            waiter = self._lanes[lane].pop()
            if waiter is not None:
                return waiter
        return None
