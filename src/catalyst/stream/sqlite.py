"""The log on SQLite: one file, durable at commit, dense offsets that the writer's transaction assigns.

Read `log.py` first (what is promised). Appends that arrive together share one commit (`db.Database`); waiters are
woken in memory. Offsets are never left to AUTOINCREMENT, which leaves holes when a repeated key is ignored.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from catalyst.db import Database
from catalyst.stream import encode
from catalyst.stream.draft import Draft, Reach
from catalyst.stream.filters import Filter
from catalyst.stream.log import Page, Query
from catalyst.stream.queries import MIGRATIONS, find_filing, find_last_match, find_page, load, named
from catalyst.stream.retention import positions, retain
from catalyst.stream.tail import Tail
from catalyst.stream.types import Alert, AlertType, Record

READ_MOST = 1000
"""Most records one `read` returns, whatever its caller asks for."""

DAY_NS = 86_400 * 10**9


class SqliteLog:
    """`Log` and `Archive` in one SQLite file that one process writes.

    `db` should be opened with synchronous=FULL: an offset that was returned then survives a power cut.
    """

    def __init__(self, db: Database, *, time_ns: Callable[[], int] = time.time_ns) -> None:
        db.migrate("stream", MIGRATIONS)
        self._db = db
        self._time_ns = time_ns
        self._epoch, head = db.peek(_opened)
        self._tail = Tail(head)
        self._under_way: set[asyncio.Task[list[int]]] = set()

    @property
    def epoch(self) -> str:
        return self._epoch

    async def append(self, batch: Sequence[Alert]) -> list[int]:
        """Store all, durably, and return their offsets. Raises StorageError, DiskFull or Locked."""
        drafts = [Draft.of(alert) for alert in batch]
        if not drafts:
            return []
        # Shielded: a caller that is cancelled after the commit must not keep the waiters asleep.
        task = asyncio.ensure_future(self._append(drafts))
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def read(self, after: int, limit: int) -> list[Record]:
        limit = min(limit, READ_MOST)
        held = self._tail.read(after, limit)
        return held if held is not None else await self._db.read(lambda run: load(run, after, limit))

    async def bounds(self) -> tuple[int, int]:
        return await self._db.read(_bounds)

    async def wait(self, after: int) -> int:
        return await self._tail.wait(after)

    async def query(self, query: Query) -> Page:
        return await self._db.read(lambda run: find_page(run, query))

    async def filing(self, filing_id: str) -> list[Record]:
        return await self._db.read(lambda run: find_filing(run, filing_id))

    async def last_match(self, wanted: Filter, at: int) -> int:
        return await self._db.read(lambda run: find_last_match(run, wanted, at))

    async def commit(self, consumer: str, offset: int) -> None:
        await self._db.write(
            lambda run: run.execute(
                "INSERT INTO log_positions VALUES (?, ?) ON CONFLICT (consumer)"
                " DO UPDATE SET seq = max(seq, excluded.seq)",
                (consumer, offset),
            )
        )

    async def positions(self) -> dict[str, int]:
        return await self._db.read(positions)

    async def forget(self, consumer: str) -> None:
        await self._db.write(lambda run: run.execute("DELETE FROM log_positions WHERE consumer = ?", (consumer,)))

    async def retain(self, *, seconds: float | None = None, count: int | None = None) -> int:
        return await retain(self._db, self._time_ns(), seconds, count)

    def _ended(self, task: asyncio.Task[list[int]]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # seen here too: a caller that was cancelled no longer looks

    async def _append(self, drafts: list[Draft]) -> list[int]:
        offsets, stored = await self._db.write(lambda run: self._store(run, drafts))
        self._tail.extend(stored)
        return offsets

    def _store(self, run: sqlite3.Connection, drafts: list[Draft]) -> tuple[list[int], list[Record]]:
        held = _held(run, drafts)
        head, ts_ns = run.execute("SELECT seq, ts_ns FROM log ORDER BY seq DESC LIMIT 1").fetchone() or (0, 0)
        openings = {kind: encode.opening(kind, self._epoch) for kind in AlertType}
        past = _Past(run)
        rows: list[tuple[Any, ...]] = []
        stored: list[Record] = []
        for draft in drafts:
            if draft.key not in held:
                head += 1
                ts_ns = _later(ts_ns, self._time_ns())
                record = draft.record(head, b"%b%d,%b" % (openings[draft.type], ts_ns, draft.tail), past.of(draft))
                held[draft.key] = head
                stored.append(record)
                rows.append(_row(draft, record, ts_ns))
        run.executemany("INSERT INTO log VALUES (?,?,?,?,?,?,?,?,?,?)", rows)
        run.executemany("INSERT INTO log_bodies VALUES (?, ?)", [(record.offset, record.body) for record in stored])
        pairs = [(name, record.offset) for record in stored for name in named(record)]
        run.executemany("INSERT INTO log_tickers VALUES (?, ?)", pairs)
        return [held[draft.key] for draft in drafts], stored


def _later(before: int, now: int) -> int:
    """Commit times never fall, so that `since` can halve its range: a clock that is set back stands still meanwhile.

    One that is a day or more behind the newest record was wrong before, and is right now.
    """
    return before if now < before < now + DAY_NS else now


def _opened(run: sqlite3.Connection) -> tuple[str, int]:
    epoch, head = run.execute("SELECT epoch, (SELECT coalesce(max(seq), 0) FROM log) FROM log_meta").fetchone()
    return epoch, head


def _bounds(run: sqlite3.Connection) -> tuple[int, int]:
    oldest, head = run.execute("SELECT (SELECT min(seq) FROM log), (SELECT max(seq) FROM log)").fetchone()
    return (oldest, head) if head else (1, 0)


def _held(run: sqlite3.Connection, drafts: list[Draft]) -> dict[str, int]:
    """Offsets of those that are stored already, by key."""
    keys = orjson.dumps([draft.key for draft in drafts]).decode()
    return dict(run.execute("SELECT key, seq FROM log WHERE key IN (SELECT value FROM json_each(?))", (keys,)))


def _row(draft: Draft, record: Record, ts_ns: int) -> tuple[Any, ...]:
    """What filters and queries read of the record."""
    earlier = record.earlier
    return (
        record.offset,
        draft.key,
        draft.type.value,
        draft.filing_id,
        draft.form,
        orjson.dumps(draft.tickers).decode(),
        draft.score,
        max(draft.score, *(score for _, score in earlier)) if earlier else draft.score,
        orjson.dumps(earlier).decode() if earlier else None,
        ts_ns,
    )


class _Past:
    """What filings' earlier messages were about: those in the log, then those of the batch that is being stored."""

    def __init__(self, run: sqlite3.Connection) -> None:
        self._run = run
        self._batch: dict[str, list[Reach]] = {}

    def of(self, draft: Draft) -> tuple[Reach, ...]:
        """Each different answer once, oldest first; the draft itself counts from now on."""
        batch = self._batch.setdefault(draft.filing_id, [])
        found = () if draft.is_first else tuple(dict.fromkeys([*self._logged(draft), *batch]))
        batch.append((draft.tickers, draft.score))
        return found

    def _logged(self, draft: Draft) -> list[Reach]:
        found = self._run.execute(
            "SELECT tickers, score FROM log WHERE key > ? AND key < ? ORDER BY seq",
            (f"{draft.filing_id}/", f"{draft.filing_id}0"),
        )
        return [(tuple(orjson.loads(tickers)), score) for tickers, score in found]
