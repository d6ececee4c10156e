"""One question in flight at a time: who asks the same meanwhile waits for that answer.

In a process a future per key; between processes the store's lease. A leader that fails, or whose answer is not kept,
lets the others go; a waiter that loses patience goes by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from catalyst.clock import Clock
from catalyst.errors import StorageError
from catalyst.llm.cache.kept import CacheStore
from catalyst.llm.cache_seam import CacheHit

LOOKS = (0.02, 0.05, 0.1, 0.2)
"""Seconds between looks for another process's answer; the last one again and again."""

LONGEST_LEASE = 60.0
"""Seconds after which a leader of another process counts as dead."""

Look = Callable[[], Awaitable[CacheHit | None]]


@dataclass(slots=True)
class Seat:
    """The right to ask, until `landed`."""

    key: bytes
    landed: asyncio.Future[None]
    token: str | None = None
    left: bool = field(default=False)


class Flights:
    """The questions of this process that are being asked now."""

    def __init__(self, store: CacheStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._seats: dict[bytes, Seat] = {}
        self._releases: set[asyncio.Task[None]] = set()
        self.waited = 0
        """Requests that waited for another's answer."""

    async def board(self, key: bytes, patience: float, look: Look) -> tuple[Seat | None, CacheHit | None]:
        """A seat for whoever is to ask, or the answer that came meanwhile; neither when patience ended."""
        ahead = self._seats.get(key)
        if ahead is not None:
            self.waited += 1
            await self._until(ahead.landed, patience)
            return None, await look()
        seat = self._seats[key] = Seat(key, asyncio.get_running_loop().create_future())
        try:
            hit = await self._claim(seat, patience, look)
        except BaseException:
            self.leave(seat)
            raise
        if hit is not None:
            self.leave(seat)
            return None, hit
        return seat, None

    def try_board(self, key: bytes) -> Seat | None:
        """A seat at once, or None where the question is in flight in this process."""
        if key in self._seats:
            return None
        seat = self._seats[key] = Seat(key, asyncio.get_running_loop().create_future())
        return seat

    def leave(self, seat: Seat) -> None:
        """The answer is kept, or there is none."""
        if seat.left:
            return
        seat.left = True
        if self._seats.get(seat.key) is seat:
            del self._seats[seat.key]
        if not seat.landed.done():
            seat.landed.set_result(None)
        if seat.token:
            task = asyncio.get_running_loop().create_task(self._release(seat.key, seat.token))
            self._releases.add(task)
            task.add_done_callback(self._releases.discard)

    async def close(self) -> None:
        """Wait for the leases to be given back."""
        await asyncio.gather(*self._releases, return_exceptions=True)

    async def _claim(self, seat: Seat, patience: float, look: Look) -> CacheHit | None:
        """Get the lease; or wait for the answer of the process that has it, until patience ends."""
        end = self._clock.monotonic() + patience
        waits = iter(LOOKS)
        while True:
            seat.token = await self._store.lease(seat.key, min(LONGEST_LEASE, patience * 2 + 1))
            hit = await look()  # what landed between the first look and the lease, or in the other process
            if hit is not None or seat.token is not None:
                return hit
            if self._clock.monotonic() >= end:
                return None
            self.waited += 1
            await self._clock.sleep(next(waits, LOOKS[-1]))

    async def _until(self, landed: asyncio.Future[None], patience: float) -> None:
        try:
            async with self._clock.timeout(patience):
                await asyncio.shield(landed)
        except TimeoutError:
            return

    async def _release(self, key: bytes, token: str) -> None:
        try:
            await self._store.release(key, token)
        except StorageError:
            return  # it ends by itself
