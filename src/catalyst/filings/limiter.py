"""How often EDGAR is asked, over everything in this process: a moving window, the most important request first.

Every request stands inside `async with limiter.slot(rank)`. A 403 or 429 that is raised inside a slot stops them
all for ten minutes (the company list's own refresh raises nothing: the next poll finds out), and the next process too:
the stop is kept (`stops.py`), so that a restart never asks earlier.
Source: https://www.sec.gov/os/accessing-edgar-data (10 requests a second, then a block until quiet).
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import structlog

from catalyst.clock import Clock
from catalyst.errors import NotFound, Refused
from catalyst.filings.stops import NoStops, Stops

FIRST_PAGE = 0.0
"""Rank of the feed's first page: before everything."""

NEXT_PAGE = 1.0
"""Rank of the pages behind it while they show unseen filings: one of them may bring a hundred."""

WALK_BACK = 4.0
"""Rank of the search for what was released out of order, and of the proof that something vanished: after fetches."""

RECONCILE = 5.0
"""Rank of the comparison with EDGAR's other lists: after everything."""

WINDOW_SECONDS = 1.0
STOP_SECONDS = 600.0
LONGEST_STOP = 3600.0

TRANSIT_SECONDS = 2.0
"""A request that is not answered yet may reach EDGAR as late as this, so it counts until a window after that."""

_FIRST = 2
_TICK = 1e-3
"""Never sleep for less: a float clock might not move at all."""


def fetch_rank(score: float) -> float:
    """Rank of a fetch: between the feed's pages and the walk back, a higher score (0 to 1) first."""
    return 3.0 - min(1.0, max(0.0, score))


@dataclass(order=True, slots=True)
class _Waiter:
    rank: float
    order: int
    granted: asyncio.Future[Slot] = field(compare=False)


@dataclass(slots=True)
class Slot:
    """One request's turn. `reached_by` is when EDGAR had it at the latest, on the clock."""

    rank: float
    reached_by: float
    limiter: RateLimiter

    def answered(self) -> None:
        """EDGAR's answer has begun: the request has reached it by now."""
        self.limiter._reached(self)


class RateLimiter:
    """At most `per_second` requests reach EDGAR in any one second, and at most `open_most` fetches are under way.

    What counts is when a request arrives, which lies between its turn and its answer. One request a second is kept
    for the feed's pages, and they don't count as fetches: nothing keeps the poll waiting.
    """

    def __init__(self, clock: Clock, per_second: int = 8, open_most: int = 16, stops: Stops | None = None) -> None:
        """`stops` keeps a stop beyond this process; None forgets it with the process."""
        if not _FIRST <= per_second <= 10:
            raise ValueError(f"{per_second} requests a second: EDGAR allows from 2 to 10")
        self._clock = clock
        self._per_second = per_second
        self._open_most = open_most
        self._open = 0
        # The process before us may have spent this very second, and EDGAR counts both: begin with two requests.
        before = clock.monotonic()
        self._recent = [Slot(FIRST_PAGE, before, self) for _ in range(per_second - _FIRST)]
        self._waiting: list[_Waiter] = []
        self._order = itertools.count()
        self._log = structlog.get_logger()
        self._stops = stops or NoStops()
        self._until = self._kept()
        self._timer: asyncio.Task[None] | None = None
        self._timer_at = float("inf")
        self.stops = 0
        """How often EDGAR has refused us since this process began."""
        self.answered_at = float("-inf")
        """Clock's monotonic time of the last answer that EDGAR gave, be it a 404."""

    @property
    def stopped_for(self) -> float:
        """Seconds left of a stop, 0 when there is none."""
        return max(0.0, self._until - self._clock.monotonic())

    @property
    def waiting(self) -> int:
        """Requests that wait for their turn."""
        return len(self._waiting)

    @contextlib.asynccontextmanager
    async def slot(self, rank: float) -> AsyncIterator[Slot]:
        """Wait for a turn, then hold it while the request is made."""
        slot = await self._turn(rank)
        try:
            yield slot
            self.answered_at = self._clock.monotonic()
        except NotFound:
            self.answered_at = self._clock.monotonic()
            raise
        except Refused as refusal:
            self.stop(max(STOP_SECONDS, refusal.after), refusal.status)
            raise
        finally:
            self._leave(slot)

    def stop(self, seconds: float, status: int = 0) -> None:
        """Begin no request for `seconds` (at most an hour), and raise the alarm once."""
        if self.stopped_for == 0:
            self._log.error("edgar.refused", status=status, stopped_seconds=round(seconds))
            self.stops += 1
        left = min(seconds, LONGEST_STOP)
        if left > self.stopped_for:
            self._until = self._clock.monotonic() + left
            self._stops.keep(self._clock.now().timestamp() + left)

    def _kept(self) -> float:
        """Until when an earlier process was stopped, on our clock. A clock that was set back makes it no longer."""
        left = min(self._stops.kept() - self._clock.now().timestamp(), LONGEST_STOP)
        if left <= 0:
            return float("-inf")
        self._log.warning("edgar.still_refused", left_seconds=round(left))
        return self._clock.monotonic() + left

    async def _turn(self, rank: float) -> Slot:
        waiter = _Waiter(rank, next(self._order), asyncio.get_running_loop().create_future())
        heapq.heappush(self._waiting, waiter)
        self._grant()
        try:
            return await waiter.granted
        except asyncio.CancelledError:
            self._abandon(waiter)
            raise

    def _abandon(self, waiter: _Waiter) -> None:
        """The caller went away: give back what it was granted, or its place in the line."""
        if not waiter.granted.cancelled():
            self._leave(waiter.granted.result())
            return
        if waiter in self._waiting:
            self._waiting.remove(waiter)
            heapq.heapify(self._waiting)
        self._grant()

    def _leave(self, slot: Slot) -> None:
        self._open -= slot.rank > NEXT_PAGE
        self._reached(slot)

    def _reached(self, slot: Slot) -> None:
        slot.reached_by = min(slot.reached_by, self._clock.monotonic())
        self._grant()

    def _grant(self) -> None:
        """Let in whoever may begin now; where there is a time to wait for, come back then."""
        now = self._clock.monotonic()
        self._recent = [slot for slot in self._recent if slot.reached_by + WINDOW_SECONDS > now]
        while self._waiting and (self._waiting[0].rank <= NEXT_PAGE or self._open < self._open_most):
            begins = max(self._until, self._free_at(self._waiting[0].rank))
            if begins > now:
                self._come_back(begins, now)
                return
            self._let_in(heapq.heappop(self._waiting), now)
        if not self._waiting:
            self._forget_timer()

    def _let_in(self, waiter: _Waiter, now: float) -> None:
        if waiter.granted.cancelled():  # its caller has not yet run to take it out
            return
        slot = Slot(waiter.rank, now + TRANSIT_SECONDS, self)
        self._recent.append(slot)
        self._open += slot.rank > NEXT_PAGE
        waiter.granted.set_result(slot)

    def _free_at(self, rank: float) -> float:
        """When a request of this rank may begin: as soon as few enough can still arrive in the same second."""
        allowed = self._per_second - (rank > NEXT_PAGE)
        over = len(self._recent) - allowed
        if over < 0:
            return float("-inf")
        return sorted(slot.reached_by for slot in self._recent)[over] + WINDOW_SECONDS

    def _come_back(self, moment: float, now: float) -> None:
        if self._timer is None or moment < self._timer_at:
            self._forget_timer()
            self._timer_at = moment
            self._timer = asyncio.get_running_loop().create_task(self._later(moment - now))

    async def _later(self, seconds: float) -> None:
        await self._clock.sleep(max(seconds, _TICK))
        self._timer = None
        self._grant()

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
