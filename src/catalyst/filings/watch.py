"""Watch EDGAR's feed: poll its first page, walk down while there is anything new, and write all of it to the ledger.

`Poller.run` goes on until cancelled, whatever EDGAR answers. There is no time watermark: evening filings are released
next morning below older rows, so only the ledger says what is new. `hours.py` says how often.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from catalyst.clock import Clock
from catalyst.errors import CatalystError, Refused, StorageError, Truncated
from catalyst.filings.feed import FeedPage, parse_feed
from catalyst.filings.hours import appeared, horizon, is_open, is_release, poll_interval, until_change, until_walk_back
from catalyst.filings.ledger import Ledger
from catalyst.filings.limiter import FIRST_PAGE, NEXT_PAGE, WALK_BACK, RateLimiter
from catalyst.filings.types import FeedEntry, Filing
from catalyst.filings.withdrawals import Withdrawals
from catalyst.http import MEBIBYTE, Http

PAGE = 100
MAX_PAGES = 600
"""A walk never goes further down; a full day has about 50 pages, one of ten times the volume 370."""

WALK_BACK_PAGES = 10
"""Depth of the walk back between the full ones: what is released out of order lies within a thousand rows."""

MAX_BYTES = 2 * MEBIBYTE
_LONGEST_BACKOFF, _LONGEST_WALK_BACKOFF = 15.0, 60.0
_REMEMBERED = 20_000
_PARSED_ROWS = 4_000


@dataclass(frozen=True, slots=True)
class WatchState:
    """How the watch goes, for `/api/status`; replaced as a whole."""

    word: str = "starting"
    """`starting`, `live`, `catching up`, `closed`, `failing` or `stopped`."""
    reason: str = ""
    last_poll: datetime | None = None
    """When the last good answer came."""
    lag_seconds: float | None = None
    """From EDGAR's acceptance of the newest filing to the poll that showed it, when one was last shown."""
    polls: int = 0
    pages: int = 0
    failures: int = 0
    """In a row, now."""
    rows_skipped: int = 0
    filings: int = 0
    """New since this process began."""


@dataclass(slots=True)
class _Walk:
    """One walk down the pages: what it has shown so far."""

    shown: set[str] = field(default_factory=set)
    newest: datetime | None = None
    top: datetime | None = None
    """The newest row of the lowest page. That page's oldest would say less: one row may have any time."""
    lowest: datetime | None = None
    """The last row of the lowest page: what lies between it and `newest` was shown."""
    new: int = 0

    def add(self, entries: Sequence[FeedEntry]) -> None:
        if entries:
            self.shown.update(entry.accession for entry in entries)
            self.top = max(entry.accepted for entry in entries)
            self.lowest = entries[-1].accepted
            self.newest = max(self.newest or self.top, self.top)


class Poller:
    """The watch. `on_new` is told of filings that are in the ledger already: a hint, never the only way to know."""

    def __init__(
        self,
        http: Http,
        limiter: RateLimiter,
        ledger: Ledger,
        clock: Clock,
        *,
        base_url: str,
        on_new: Callable[[Sequence[Filing]], None] = lambda _: None,
        poll_seconds: float | None = None,
        timeout_seconds: float = 15.0,
        since: datetime | None = None,
        draw: Callable[[], float] = random.random,
        withdrawals: Withdrawals | None = None,
    ) -> None:
        """`since`: on the first start ever, what appeared earlier is taken as known and never told of; None: all
        that the feed shows is news. `withdrawals` looks into what vanishes; None: nobody does."""
        self._http = http
        self._limiter = limiter
        self._ledger = ledger
        self._clock = clock
        self._base_url = base_url.rstrip("/")
        self._on_new = on_new
        self._poll_seconds = poll_seconds
        self._timeout = timeout_seconds
        self._draw = draw
        self._since = self._asked_since = since
        self._before: list[FeedEntry] = []
        self._known = _Known(_REMEMBERED)
        self._rows: dict[bytes, FeedEntry] = {}
        self._fresh: set[str] = set()
        self._suspects: frozenset[str] = frozenset()
        self._withdrawals = withdrawals
        self._polled = asyncio.Event()
        self.walked = asyncio.Event()
        """Set once a walk has seen the feed's depth: what is unknown after that was not in the feed."""
        self._log = structlog.get_logger()
        self._state = WatchState()

    @property
    def state(self) -> WatchState:
        """How it goes now; whoever was refused, the watch stands still too."""
        left = self._limiter.stopped_for
        if not left or self._state.word == "stopped":
            return self._state
        return replace(self._state, word="stopped", reason=f"EDGAR refused us: asked again in {left / 60:.0f} minutes")

    async def run(self) -> None:
        """Watch until cancelled. Only a StorageError ends it: without the ledger nothing may be taken.

        It may be run again, from the ledger alone: what was known before may have been lost with a shared one's tail.
        """
        self._known = _Known(_REMEMBERED)
        self._fresh.clear()
        self._since, self._before = self._asked_since, []
        with self._clock.working():
            if self._since is not None:
                self._since = None if await self._ledger.begun() else await self._ledger.since(self._since)
        polling = asyncio.create_task(self._poll_forever())
        walking = asyncio.create_task(self._walk_back_forever())
        try:
            await asyncio.gather(polling, walking)
        finally:
            for task in (polling, walking):
                task.cancel()
            await asyncio.gather(polling, walking, return_exceptions=True)

    async def _poll_forever(self) -> None:
        while True:
            began = self._clock.monotonic()
            if await self._survives(self.poll):
                now = self._clock.now()
                interval = self._poll_seconds or min(poll_interval(now), until_change(now))
            else:
                interval = self._backoff(self._state.failures, _LONGEST_BACKOFF)
            await self._clock.sleep(began + interval - self._clock.monotonic())

    async def _walk_back_forever(self) -> None:
        """After the first poll, because nobody knows how the last process ended; then as the clock says."""
        await self._polled.wait()
        failures = 0  # of its own: polls that go well in between say nothing of a page far down
        while True:
            failures = 0 if await self._survives(self.walk_back) else failures + 1
            backoff = 2 * self._backoff(failures, _LONGEST_WALK_BACKOFF)
            await self._clock.sleep(backoff if failures else until_walk_back(self._clock.now()))

    async def poll(self) -> None:
        """One poll: down the pages until one shows nothing unseen and overlaps what was known at the last poll."""
        for number in range(MAX_PAGES):
            page, new = await self._page(number, NEXT_PAGE if number else FIRST_PAGE)
            self._fresh.update(filing.accession for filing in new)
            overlaps = any(entry.accession not in self._fresh for entry in page.entries)
            if not page.entries or (overlaps and not new):
                break
            if number:
                self._state = replace(self._state, word="catching up", reason=f"page {number + 1} of the feed has news")
        # Only a walk that came to its end makes what it found "known": a broken one is walked again from the top.
        self._fresh.clear()
        self._polled.set()
        word = "live" if is_open(self._clock.now()) else "closed"
        self._state = replace(self._state, word=word, reason="", failures=0, polls=self._state.polls + 1)

    async def walk_back(self) -> None:
        """Look deep for what was released below older rows, and for what vanished."""
        began = self._clock.now()
        reach = None if self._since else horizon(began)
        walk = _Walk()
        for number in range(MAX_PAGES):
            # A release brings fetches by the hundred: its walk goes before them, and so does one that has found news.
            rank = NEXT_PAGE if walk.new or is_release(began) else WALK_BACK
            page, new = await self._page(number, rank)
            walk.add(page.entries)
            walk.new += len(new)
            beyond = reach is None and number + 1 >= WALK_BACK_PAGES and not new and not self._since
            if not page.entries or beyond or (reach and walk.top and walk.top < reach):
                break
        if walk.new:
            self._log.info("watch.walked_back", found=walk.new, rows=len(walk.shown))
        if self._since:
            await self._begin()
        self.walked.set()
        await self._note_withdrawn(walk, began, reach)

    async def _begin(self) -> None:
        """The first walk to the feed's end is done: what was there before us is known from now on, in one commit."""
        before, self._before, self._since = self._before, [], None
        with self._clock.working():
            await self._ledger.begin(before, self._clock.now())
        self._log.info("watch.began", rows_before=len(before))

    async def _page(self, number: int, rank: float) -> tuple[FeedPage, list[Filing]]:
        """Fetch one page and record it. What a truncated page holds is recorded too, before it raises."""
        url = (
            f"{self._base_url}/cgi-bin/browse-edgar?action=getcurrent&type=&company=&dateb=&owner=include"
            f"&start={number * PAGE}&count={PAGE}&output=atom"
        )
        async with self._limiter.slot(rank):
            with self._clock.working():
                answer = await self._http.get(url, timeout_seconds=self._timeout, max_bytes=MAX_BYTES)
                seen_at = self._clock.now()
        with self._clock.working():
            if len(self._rows) > _PARSED_ROWS:
                self._rows.clear()
            page = parse_feed(answer.body, self._rows)
            new = await self._record(page, seen_at)
        if not page.complete:
            raise Truncated(f"page {number + 1} of the feed is cut off: it is read again")
        return page, new

    async def _record(self, page: FeedPage, seen_at: datetime) -> list[Filing]:
        unknown = [entry for entry in page.entries if _row(entry) not in self._known]
        since = self._since
        if since is not None:
            self._before += [entry for entry in unknown if appeared(entry) < since]
        news = [entry for entry in unknown if since is None or appeared(entry) >= since]
        new = await self._ledger.see(news, seen_at)
        self._known.update(_row(entry) for entry in unknown)
        if new:
            self._on_new(new)
        self._publish(page, new, seen_at)
        return new

    def _publish(self, page: FeedPage, new: Sequence[Filing], seen_at: datetime) -> None:
        state = self._state
        lag = state.lag_seconds
        if new:
            lag = max(0.0, (seen_at - max(filing.accepted for filing in new)).total_seconds())
        self._state = replace(
            state,
            last_poll=seen_at,
            lag_seconds=lag,
            pages=state.pages + 1,
            rows_skipped=state.rows_skipped + page.skipped,
            filings=state.filings + len(new),
        )
        if page.skipped:
            self._log.warning("feed.rows_skipped", rows=page.skipped)

    async def _note_withdrawn(self, walk: _Walk, began: datetime, reach: datetime | None) -> None:
        """What two walks in a row miss in the span that both covered may be withdrawn; one alone, a shifted page."""
        if walk.newest is None or walk.lowest is None or self._withdrawals is None:
            return
        lowest = max(walk.lowest, reach or walk.lowest)
        with self._clock.working():
            missing = await self._ledger.unseen_between(lowest, walk.newest, began, walk.shown)
            gone = missing & self._suspects
            self._suspects = missing
            await self._withdrawals.note(walk.shown, gone)

    async def _survives(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Do one unit of work; False when it failed, which is told and never fatal but for the ledger's own faults."""
        try:
            await work()
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 (one walk down the pages is an isolated unit of work)
            self._failed(error)
            return False
        return True

    def _failed(self, error: Exception) -> None:
        state = self._state
        if isinstance(error, Refused):
            word, reason = "stopped", f"{error}; nothing is asked for {self._limiter.stopped_for / 60:.0f} minutes"
        else:
            word, reason = "failing", str(error) or type(error).__name__
        self._state = replace(state, word=word, reason=reason, failures=state.failures + 1)
        known = isinstance(error, CatalystError)
        self._log.warning("poll.failed", error=reason, failures=state.failures + 1, exc_info=None if known else error)

    def _backoff(self, failures: int, most: float) -> float:
        """Seconds: exponential with jitter, so that many watchers don't come back together."""
        longest = min(most, 2.0 ** min(10, failures))
        return longest * (0.5 + 0.5 * self._draw())


class _Known:
    """Rows that are in the ledger for sure, so that a poll without news asks no database; at most twice `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._young: set[tuple[str, ...]] = set()
        self._old: set[tuple[str, ...]] = set()

    def __contains__(self, row: tuple[str, ...]) -> bool:
        return row in self._young or row in self._old

    def update(self, rows: Iterable[tuple[str, ...]]) -> None:
        self._young.update(rows)
        if len(self._young) > self._most:
            self._old, self._young = self._young, set()


def _row(entry: FeedEntry) -> tuple[str, ...]:
    return (entry.accession, entry.party.role, entry.party.cik, *entry.items)


__all__ = ["Poller", "WatchState"]
