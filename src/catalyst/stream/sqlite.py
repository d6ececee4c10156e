"""The log on SQLite: one file, durable at commit, dense offsets that the writer's transaction assigns.

Read `log.py` first (what is promised). Appends that arrive together share one commit (`db.Database`); waiters are
woken in memory. Offsets are never left to AUTOINCREMENT, which leaves holes when a repeated key is ignored.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence

import orjson

from catalyst.db import Database
from catalyst.stream import encode
from catalyst.stream.filters import Filter
from catalyst.stream.log import Page, Query
from catalyst.stream.queries import MIGRATIONS, find_filing, find_last_match, find_page, load, named
from catalyst.stream.retention import positions, retain
from catalyst.stream.tail import Tail
from catalyst.stream.types import Alert, Record

READ_MOST = 1000
"""Most records one `read` returns, whatever its caller asks for."""


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
        drafts = [(alert, encode.tickers(alert), encode.rest(alert)) for alert in batch]
        if not drafts:
            return []
        # Shielded: a caller that is cancelled after the commit must not keep the waiters asleep.
        task = asyncio.ensure_future(self._append(drafts))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
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
        oldest_ns = None if seconds is None else self._time_ns() - int(seconds * 1e9)
        return await retain(self._db, oldest_ns, count)

    async def _append(self, drafts: list[_Draft]) -> list[int]:
        offsets, stored = await self._db.write(lambda run: self._store(run, drafts))
        self._tail.extend(stored)
        return offsets

    def _store(self, run: sqlite3.Connection, drafts: list[_Draft]) -> tuple[list[int], list[Record]]:
        head = run.execute("SELECT coalesce(max(seq), 0) FROM log").fetchone()[0]
        offsets: list[int] = []
        stored: list[Record] = []
        for alert, tickers, tail in drafts:
            record, ts_ns = self._record(run, head + 1, alert, tickers, tail)
            if _insert(run, alert.key, record, ts_ns):
                head += 1
                stored.append(record)
                offsets.append(head)
            else:
                offsets.append(run.execute("SELECT seq FROM log WHERE key = ?", (alert.key,)).fetchone()[0])
        run.executemany(
            "INSERT OR IGNORE INTO log_tickers VALUES (?, ?)",
            [(name, record.offset) for record in stored for name in named(record)],
        )
        return offsets, stored

    def _record(
        self, run: sqlite3.Connection, offset: int, alert: Alert, tickers: tuple[str, ...], tail: bytes
    ) -> tuple[Record, int]:
        ts_ns = self._time_ns()
        body = encode.body(alert.type, self._epoch, ts_ns, tail)
        earlier = _earlier(run, alert)
        form, score = alert.filing_type.upper(), alert.analysis.priority_score
        return Record(offset, alert.type, alert.filing_id, tickers, form, score, body, earlier), ts_ns


_Draft = tuple[Alert, tuple[str, ...], bytes]
_Reach = tuple[tuple[str, ...], float]


def _opened(run: sqlite3.Connection) -> tuple[str, int]:
    epoch, head = run.execute("SELECT epoch, (SELECT coalesce(max(seq), 0) FROM log) FROM log_meta").fetchone()
    return epoch, head


def _bounds(run: sqlite3.Connection) -> tuple[int, int]:
    oldest, head = run.execute("SELECT (SELECT min(seq) FROM log), (SELECT max(seq) FROM log)").fetchone()
    return (oldest, head) if head else (1, 0)


def _insert(run: sqlite3.Connection, key: str, record: Record, ts_ns: int) -> bool:
    """Store one row; False when its key is there already."""
    row = (
        record.offset,
        key,
        record.alert_type.value,
        record.filing_id,
        record.filing_type,
        orjson.dumps(record.tickers).decode(),
        record.priority_score,
        max([record.priority_score, *(score for _, score in record.earlier)]),
        orjson.dumps(record.earlier).decode() if record.earlier else None,
        ts_ns,
    )
    done = run.execute("INSERT INTO log VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (key) DO NOTHING", row)
    if done.rowcount != 1:
        return False
    run.execute("INSERT INTO log_bodies VALUES (?, ?)", (record.offset, record.body))
    return True


def _earlier(run: sqlite3.Connection, alert: Alert) -> tuple[_Reach, ...]:
    """What the filing's earlier messages were about, each different answer once."""
    if alert.key.endswith("/alert/1"):
        return ()
    found = run.execute(
        "SELECT tickers, score FROM log WHERE key > ? AND key < ? ORDER BY seq",
        (f"{alert.filing_id}/", f"{alert.filing_id}0"),
    )
    return tuple(dict.fromkeys((tuple(orjson.loads(tickers)), score) for tickers, score in found))
