"""The log on Redis Streams, for several processes or machines: Redis assigns the offset and is the truth.

Read `log.py` first (what is promised), then `redis_scripts.py` (what is one atomic step). Whoever appends holds the
lease (`lease.py`) and calls `begin` first; anyone else only reads. Appends that arrive together go in one script call,
and return once the journal has them too.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from catalyst.errors import Unavailable
from catalyst.stream import redis_opening
from catalyst.stream.draft import Draft
from catalyst.stream.filters import Filter, plain_ticker
from catalyst.stream.journal import Journal
from catalyst.stream.log import Cursor, Page, Query
from catalyst.stream.redis_link import Fence, Link
from catalyst.stream.redis_records import arguments, entries, record_of
from catalyst.stream.redis_scripts import APPEND, COMMIT, RETAIN, SCAN
from catalyst.stream.redis_tail import Follower
from catalyst.stream.retention import ACTIVE_SHARE
from catalyst.stream.types import Alert, Record

READ_MOST = 1000
"""Most records one `read` returns, whatever its caller asks for."""

GROUP = 256
"""Most messages of one script call, but for a batch that is larger by itself."""

TRIM = 200
"""Records deleted by one script, so that nobody waits long behind retention."""


@dataclass(slots=True)
class _Job:
    drafts: list[Draft]
    done: asyncio.Future[list[int]]


class RedisLog:
    """`Log` and `Archive` on Redis. `open` it, `begin` before the first append, `close` it.

    `writer` waits out a hiccup of Redis, `reader` gives up soon (REST answers 503), `follower` blocks in it.
    """

    def __init__(
        self,
        writer: Link,
        reader: Link,
        follower: Link,
        journal: Journal,
        fence: Fence | None = None,
        *,
        time_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.fence = fence or Fence()
        self._writer = writer
        self._reader = reader
        self._links = (writer, reader, follower)
        self._journal = journal
        self._time_ns = time_ns
        self._follower = Follower(follower)
        self._following: asyncio.Task[None] | None = None
        self._jobs: deque[_Job] = deque()
        self._appending: asyncio.Task[None] | None = None
        self._said = 0
        """The highest offset that `append` returned: readable here at once, wherever the follower is."""

    @property
    def epoch(self) -> str:
        return self._follower.epoch

    @property
    def problem(self) -> str:
        """Why the log cannot be followed just now; empty while it can."""
        return self._follower.problem

    async def open(self) -> None:
        """Start to follow the log; it is known once `started`."""
        self._following = asyncio.create_task(self._follower.run())

    async def started(self) -> None:
        """Wait until epoch and head are known: until Redis answers, and some process has ever begun to write."""
        await self._follower.started.wait()

    async def begin(self) -> None:
        """Make sure of the tail, with the lease in hand. Raises Unavailable, Fenced, Behind."""
        self._said = 0
        seen = self._follower.tail.head if self._follower.epoch else 0
        state = await redis_opening.state_of(self._writer)
        epoch = await redis_opening.prepare(
            self._writer, self.fence, self._journal, seen if state.epoch == self._follower.epoch else 0
        )
        _, head = await self.bounds()
        self._follower.know(epoch, head)

    async def close(self) -> None:
        """Stop following and let go of the connections; the journal's file is its owner's."""
        tasks = [task for task in (self._following, self._appending) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for link in self._links:
            await link.close()

    async def append(self, batch: Sequence[Alert]) -> list[int]:
        """Store all, durably, and return their offsets. Raises Unavailable, Fenced or Behind."""
        drafts = [Draft.of(alert) for alert in batch]
        if not drafts:
            return []
        job = _Job(drafts, asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        if self._appending is None or self._appending.done():
            # A task of its own: a caller that is cancelled takes nobody else's append with it.
            self._appending = asyncio.create_task(self._append_all())
        return await job.done

    async def read(self, after: int, limit: int) -> list[Record]:
        limit = min(limit, READ_MOST)
        if after >= max(self._follower.tail.head, self._said):
            return []
        held = self._follower.tail.read(after, limit)
        if held:
            return held
        return await self._range(after + 1, "+", limit)

    async def bounds(self) -> tuple[int, int]:
        found = await self._reader.call("HMGET", f"{self._reader.prefix}:meta", "oldest", "head")
        oldest, head = (int(value or 0) for value in found)
        return (oldest or 1, head)

    async def wait(self, after: int) -> int:
        return await self._follower.tail.wait(after)

    async def query(self, query: Query) -> Page:
        cursor = query.cursor
        asked = {
            "tickers": [plain_ticker(query.ticker)] if query.ticker else [],
            "forms": [query.form.upper()] if query.form else [],
            "score": query.min_priority,
            "since": f"{query.since_ns:019}" if query.since_ns > 0 else "",
        }
        before, as_of = (cursor.before, cursor.as_of) if cursor else (-1, -1)
        found, as_of = await self._scan(asked, before, as_of, query.limit + 1, newest=True)
        records = [record_of(entry, self.epoch) for entry in entries(found)]
        if len(records) <= query.limit:
            return Page(tuple(records))
        page = tuple(records[: query.limit])
        return Page(page, Cursor(page[-1].offset, as_of))

    async def filing(self, filing_id: str) -> list[Record]:
        text = await self._reader.call("HGET", f"{self._reader.prefix}:filings", filing_id) or b""
        offsets = [line.partition(b" ")[0].decode() for line in text.splitlines()]
        stream = f"{self._reader.prefix}:log"
        found = await self._reader.calls([("XRANGE", stream, f"{each}-0", f"{each}-0") for each in offsets])
        return [record_of(entry, self.epoch) for raw in found for entry in entries(raw)]

    async def last_match(self, wanted: Filter, at: int) -> int:
        asked = {
            "tickers": sorted(wanted.tickers),
            "forms": sorted(wanted.forms),
            "score": wanted.min_priority,
            "since": "",
        }
        found, _ = await self._scan(asked, at + 1, at, 1, newest=False)
        return int(found[0]) if found else 0

    async def commit(self, consumer: str, offset: int) -> None:
        link = self._writer
        await link.call("EVAL", COMMIT, 1, f"{link.prefix}:positions", consumer, offset)

    async def positions(self) -> dict[str, int]:
        found = await self._reader.call("HGETALL", f"{self._reader.prefix}:positions")
        return {name.decode(): int(offset) for name, offset in sorted(found.items())}

    async def forget(self, consumer: str) -> None:
        await self._writer.call("HDEL", f"{self._writer.prefix}:positions", consumer)

    async def retain(self, *, seconds: float | None = None, count: int | None = None) -> int:
        """See `Archive`; the lease's holder alone may. Raises Unavailable, Fenced, Behind."""
        span = int((seconds or 0) * 1e9)
        before = "" if seconds is None else f"{max(0, self._time_ns() - span):019}"
        gone = 0
        while True:
            rules = (before, "" if count is None else count, span, ACTIVE_SHARE, TRIM)
            _, went = await self._writer.write(RETAIN, self.fence, *rules)
            if not went:
                return gone
            gone += int(went)

    async def _append_all(self) -> None:
        while self._jobs:
            group = [self._jobs.popleft()]
            while self._jobs and sum(len(job.drafts) for job in group) < GROUP:
                group.append(self._jobs.popleft())
            try:
                offsets = await self._store([draft for job in group for draft in job.drafts])
            except BaseException as error:
                for job in (*group, *self._jobs):
                    if not job.done.done():
                        job.done.set_exception(_told(error))
                        job.done.exception()  # seen here too: a caller that was cancelled no longer looks
                self._jobs.clear()
                if not isinstance(error, Exception):
                    raise
                return
            for job in group:
                mine, offsets = offsets[: len(job.drafts)], offsets[len(job.drafts) :]
                if not job.done.done():
                    job.done.set_result(mine)

    async def _store(self, drafts: list[Draft]) -> list[int]:
        flat = [value for draft in drafts for value in arguments(draft)]
        _, offsets, copied = await self._writer.write(
            APPEND, self.fence, f"{self._time_ns():019}", self._journal.head, *flat
        )
        await self._journal.keep(entries(copied))
        self._said = max(self._said, *offsets)
        return [int(offset) for offset in offsets]

    async def _range(self, first: int, last: str, limit: int) -> list[Record]:
        stream = f"{self._reader.prefix}:log"
        found = await self._reader.call("XRANGE", stream, f"{first}-0", last, "COUNT", limit)
        return [record_of(entry, self.epoch) for entry in entries(found)]

    async def _scan(
        self, asked: dict[str, Any], before: int, as_of: int, limit: int, *, newest: bool
    ) -> tuple[list[Any], int]:
        found: list[Any] = []
        while True:
            terms = {**asked, "before": before, "as_of": as_of, "limit": limit - len(found), "newest": newest}
            some, before, as_of = await self._reader.run(SCAN, orjson.dumps(terms))
            found += some
            if not before or len(found) >= limit:
                return found, as_of


def _told(error: BaseException) -> BaseException:
    """What a waiting caller is told: its own append was not cancelled, we were closed."""
    return Unavailable("the log was closed") if isinstance(error, asyncio.CancelledError) else error
