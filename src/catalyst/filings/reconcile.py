"""Compare the ledger with what else EDGAR publishes, and take what the feed never showed.

Three sources, each on its own schedule (`hours.until_check`): the structured RSS, full-text search, the daily index.
All of it at the limiter's lowest rank, after the feed's own depth was walked once. Whatever fails here is counted and
tried at the next turn; it never touches the watch.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import structlog

from catalyst.clock import NEW_YORK, Clock
from catalyst.errors import CatalystError, NotFound, Refused, StorageError
from catalyst.filings.hours import OPEN, appeared, at_time, is_open, until_check
from catalyst.filings.indexes import Found, daily_names, parse_daily, parse_rss, parse_search
from catalyst.filings.ledger import Ledger
from catalyst.filings.limiter import RECONCILE, RateLimiter
from catalyst.filings.types import TIMED, FeedEntry, Filing, Sighting
from catalyst.http import MEBIBYTE, Http

PAST_DAYS = 5
"""Days whose index is read again after a start, today's among them."""

SEARCH_FORMS = (
    "8-K,6-K,10-Q,10-K,20-F,40-F,NT 10-K,NT 10-Q,S-1,S-3,S-4,F-1,F-3,424B1,424B3,424B4,424B5,"
    "SCHEDULE 13D,SC TO-T,SC 14D9,DEFM14A,25-NSE"
)
"""Forms that full-text search is asked for: those a trader cannot miss until the night's index has them."""

SEARCH_PAGE = 100
MAX_HITS = 10_000
"""Full-text search gives no more of one question."""

REFUSED_SECONDS = 6 * 3600.0
"""A source that refused us is let alone for so long: its next refusal would stop the watch again."""

INDEX_AT, FINAL_AT = 22.0, 6.25
"""Hours, New York: when a day's index appears, and when next morning it holds everything for sure."""

MAX_BYTES = 16 * MEBIBYTE
SOURCES: tuple[Sighting, ...] = ("rss", "search", "index")


@dataclass(slots=True)
class ReconcileState:
    """What reconciliation has done since this process began, for status and metrics."""

    checks: Counter[str] = field(default_factory=Counter)
    """Finished, by source."""
    failures: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    """Filings that only this source showed."""
    rows_skipped: int = 0


class Reconciler:
    """`run` until cancelled; it begins once `ready` is set. `on_new` is told as the poller's is."""

    def __init__(
        self,
        http: Http,
        limiter: RateLimiter,
        ledger: Ledger,
        clock: Clock,
        *,
        base_url: str,
        search_url: str,
        ready: asyncio.Event,
        on_new: Callable[[Sequence[Filing]], None] = lambda _: None,
        since: datetime | None = None,
        timeout_seconds: float = 60.0,
    ) -> None:
        """`since`: as the poller's; a day that began before it is not compared, except by what tells times."""
        self._http = http
        self._limiter = limiter
        self._ledger = ledger
        self._clock = clock
        self._base_url = base_url.rstrip("/")
        self._search_url = search_url.rstrip("/")
        self._ready = ready
        self._on_new = on_new
        self._since = since
        self._timeout = timeout_seconds
        self._read: dict[date, float] = {}
        """When each day's index was read last, POSIX seconds."""
        self._modified = ""
        self._log = structlog.get_logger()
        self.state = ReconcileState()

    async def run(self) -> None:
        """Compare for ever. Only a StorageError ends it; run again, it forgets what it has compared."""
        self._read.clear()
        self._modified = ""
        await self._ready.wait()
        if self._since is not None:
            with self._clock.working():
                self._since = await self._ledger.since(self._since)
        work = {"rss": self.check_rss, "search": self.check_search, "index": self.check_index}
        async with asyncio.TaskGroup() as group:
            for source in SOURCES:
                group.create_task(self._forever(source, work[source]))

    async def _forever(self, source: Sighting, check: Callable[[], Awaitable[None]]) -> None:
        while True:
            pause = await self._survives(source, check)
            await self._clock.sleep(max(pause, until_check(source, self._clock.now())))

    async def _survives(self, source: Sighting, check: Callable[[], Awaitable[None]]) -> float:
        """One check; what goes wrong is told and counted. Seconds to let the source alone for."""
        try:
            await check()
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 (one check is an isolated unit of work)
            self.state.failures[source] += 1
            known = isinstance(error, CatalystError)
            self._log.warning("reconcile.failed", source=source, error=str(error), exc_info=None if known else error)
            return REFUSED_SECONDS if isinstance(error, Refused) else 0.0
        self.state.checks[source] += 1
        return 0.0

    async def check_rss(self) -> None:
        """The newest 200 filings with structured data; nothing to do where it has not changed."""
        url = f"{self._base_url}/Archives/edgar/usgaap.rss.xml"
        conditions = {"If-Modified-Since": self._modified} if self._modified else None
        async with self._limiter.slot(RECONCILE):
            with self._clock.working():
                answer = await self._http.get(
                    url, headers=conditions, timeout_seconds=self._timeout, max_bytes=MAX_BYTES
                )
        if answer.status != 304:
            await self._take("rss", await self._parsed(parse_rss, answer.body))
            self._modified = answer.headers.get("Last-Modified", "")[:60]

    async def check_search(self) -> None:
        """Today's filings of the forms that matter, page by page; on a day that EDGAR is closed there is nothing."""
        today = self._clock.now().astimezone(NEW_YORK).date()
        query = f"forms={SEARCH_FORMS.replace(' ', '%20')}&dateRange=custom&startdt={today}&enddt={today}"
        start, total = 0, 1 if is_open(self._clock.now()) else 0
        while start < min(total, MAX_HITS):
            page = await self._get(f"{self._search_url}/LATEST/search-index?{query}&from={start}")
            found = await self._parsed(parse_search, page)
            await self._take("search", found, {today})
            start, total = start + SEARCH_PAGE, found.total if found.entries else 0

    async def check_index(self) -> None:
        """The daily index of each past day that was not read since it was complete."""
        now = self._clock.now()
        wanted = [day for day in _days(now) if self._is_due(day, now)]
        for year, quarter in dict.fromkeys((day.year, (day.month + 2) // 3) for day in wanted):
            folder = f"{self._base_url}/Archives/edgar/daily-index/{year}/QTR{quarter}"
            listed = await self._listed(folder)
            for day in wanted:
                if day in listed:
                    found = await self._parsed(parse_daily, await self._get(f"{folder}/{listed[day]}"))
                    await self._take("index", found, set(_days(now)))
                if day in listed or any(later > day for later in listed):  # a holiday has none
                    self._read[day] = now.timestamp()

    async def _listed(self, folder: str) -> dict[date, str]:
        """The indexes that are there; none where the quarter has just begun."""
        try:
            return daily_names(await self._get(f"{folder}/index.json"))
        except NotFound:
            return {}

    def _is_due(self, day: date, now: datetime) -> bool:
        """Once as soon as it may be there, and again next morning."""
        complete = at_time(day + timedelta(days=1), FINAL_AT).timestamp()
        read = self._read.get(day)
        return at_time(day, INDEX_AT) <= now and (read is None or read < complete <= now.timestamp())

    async def _get(self, url: str) -> bytes:
        async with self._limiter.slot(RECONCILE):
            with self._clock.working():
                return (await self._http.get(url, timeout_seconds=self._timeout, max_bytes=MAX_BYTES)).body

    async def _parsed(self, parse: Callable[[bytes], Found], body: bytes) -> Found:
        """Parsed beside the loop: an index of a busy day would hold up the feed's rows."""
        with self._clock.working():
            return await asyncio.to_thread(parse, body)

    async def _take(self, source: Sighting, found: Found, days: set[date] | None = None) -> None:
        """Record what the ledger has never seen, and say so."""
        self.state.rows_skipped += found.skipped
        seen_at = self._clock.now()
        with self._clock.working():
            names = list(dict.fromkeys(entry.accession for entry in found.entries))
            unknown = set(await self._ledger.unknown(names))
            news = [entry for entry in found.entries if entry.accession in unknown and self._is_news(entry, days)]
            new = await self._ledger.see(news, seen_at)
        if new:
            self.state.found[source] += len(new)
            self._log.warning(
                "reconcile.found", source=source, filings=len(new), accessions=[one.accession for one in new][:20]
            )
            self._on_new(new)

    def _is_news(self, entry: FeedEntry, days: set[date] | None) -> bool:
        """Whether it belongs to the days that were asked for, and appeared after the very first start."""
        if days is not None and (entry.filed is None or entry.filed not in days):
            return False
        if self._since is None:
            return True
        if entry.source in TIMED:
            return appeared(entry) >= self._since
        return entry.filed is not None and datetime.combine(entry.filed, OPEN, NEW_YORK) >= self._since


def _days(now: datetime) -> list[date]:
    """The last working days, today among them, newest first."""
    today = now.astimezone(NEW_YORK).date()
    return [day for back in range(PAST_DAYS) if (day := today - timedelta(days=back)).weekday() < 5]


__all__ = ["ReconcileState", "Reconciler"]
