"""How far a client got: a place in the log, and which handler is done with which message. In SQLite, or in memory.

A handler may return work for the checkpoint's own database: it is committed in the same transaction, so its effect and
its mark are there together or not at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from catalyst.db import Database
from catalyst.errors import StorageError

Work = Callable[[sqlite3.Connection], Any]

MARKS = 200_000
"""Marks that are kept; older ones go. They matter where the log's numbering changed or its past was trimmed."""


@dataclass(frozen=True, slots=True)
class Place:
    """Everything up to `seq` of log `epoch` is done; `ts_ns` is the commit time of the last message."""

    epoch: str
    seq: int
    ts_ns: int = 0


class Checkpoint(Protocol):
    """What must survive a restart of the client."""

    async def load(self) -> Place | None:
        """Where the last run stopped; None before the first."""
        ...

    async def seen(self, handler: str, key: str) -> bool:
        """Whether `handler` is done with message `key`."""
        ...

    async def knows(self, filing_id: str) -> bool:
        """Whether any handler is done with any message of the filing."""
        ...

    async def commit(self, handler: str, key: str, place: Place | None, also: Work | None) -> None:
        """Mark `key` as done, move to `place`, and do `also`, all or nothing."""
        ...

    async def enter(self, handler: str, key: str, before: Place | None, after: Place | None, also: Work | None) -> bool:
        """As `commit`, but only where `key` is not marked yet (else False), and only directly after `before`."""
        ...

    async def move(self, place: Place) -> None:
        """Move to `place`."""
        ...


class MemoryCheckpoint:
    """For a client that starts afresh each time, such as `catalyst tail`."""

    def __init__(self) -> None:
        self._place: Place | None = None
        self._marks: dict[tuple[str, str], None] = {}
        self._filings: dict[str, None] = {}

    async def load(self) -> Place | None:
        return self._place

    async def seen(self, handler: str, key: str) -> bool:
        return (handler, key) in self._marks

    async def knows(self, filing_id: str) -> bool:
        return filing_id in self._filings

    async def commit(self, handler: str, key: str, place: Place | None, also: Work | None) -> None:
        if also is not None:
            raise ValueError("a handler returned work for a database, but this checkpoint has none")
        _remember(self._marks, (handler, key))
        _remember(self._filings, key.partition("/")[0])
        self._place = place or self._place

    async def enter(self, handler: str, key: str, before: Place | None, after: Place | None, also: Work | None) -> bool:
        fresh = not await self.seen(handler, key)
        await self.commit(handler, key, after, also if fresh else None)
        return fresh

    async def move(self, place: Place) -> None:
        self._place = place


class SqliteCheckpoint:
    """For a client whose handlers must not repeat themselves after a restart."""

    def __init__(self, db: Database, consumer: str = "bot") -> None:
        db.migrate("checkpoint", _STEPS)
        self._db = db
        self._consumer = consumer

    async def load(self) -> Place | None:
        statement = "SELECT epoch, seq, ts_ns FROM client_places WHERE consumer = ?"
        row = await self._db.read(lambda run: run.execute(statement, (self._consumer,)).fetchone())
        return Place(*row) if row else None

    async def seen(self, handler: str, key: str) -> bool:
        statement = "SELECT 1 FROM client_marks WHERE consumer = ? AND handler = ? AND key = ?"
        values = (self._consumer, handler, key)
        return await self._db.read(lambda run: run.execute(statement, values).fetchone()) is not None

    async def knows(self, filing_id: str) -> bool:
        statement = "SELECT 1 FROM client_marks WHERE consumer = ? AND filing_id = ? LIMIT 1"
        values = (self._consumer, filing_id)
        return await self._db.read(lambda run: run.execute(statement, values).fetchone()) is not None

    async def commit(self, handler: str, key: str, place: Place | None, also: Work | None) -> None:
        def work(run: sqlite3.Connection) -> None:
            if also is not None:
                also(run)
            self._mark(run, handler, key)
            if place is not None:
                self._move(run, place)

        await self._db.write(work)

    async def enter(self, handler: str, key: str, before: Place | None, after: Place | None, also: Work | None) -> bool:
        def work(run: sqlite3.Connection) -> bool:
            if after is not None:
                self._check(run, before)
                self._move(run, after)
            fresh = self._mark(run, handler, key)
            if fresh and also is not None:
                also(run)
            return fresh

        return await self._db.write(work)

    def _mark(self, run: sqlite3.Connection, handler: str, key: str) -> bool:
        """Whether it was not marked before."""
        marks = "INSERT OR IGNORE INTO client_marks (consumer, handler, key, filing_id) VALUES (?, ?, ?, ?)"
        fresh = run.execute(marks, (self._consumer, handler, key, key.partition("/")[0])).rowcount > 0
        run.execute("DELETE FROM client_marks WHERE id <= (SELECT max(id) FROM client_marks) - ?", (MARKS,))
        return fresh

    def _check(self, run: sqlite3.Connection, before: Place | None) -> None:
        """Raises StorageError where an earlier message was not kept: this one must not move past it."""
        statement = "SELECT epoch, seq FROM client_places WHERE consumer = ?"
        row = run.execute(statement, (self._consumer,)).fetchone()
        if before is not None and row != (before.epoch, before.seq):
            raise StorageError("a message before this one could not be written: it comes again after a restart")

    async def move(self, place: Place) -> None:
        await self._db.write(lambda run: self._move(run, place))

    def _move(self, run: sqlite3.Connection, place: Place) -> None:
        values = (self._consumer, place.epoch, place.seq, place.ts_ns)
        run.execute("INSERT OR REPLACE INTO client_places VALUES (?, ?, ?, ?)", values)


_STEPS = (
    """
    CREATE TABLE client_places (
        consumer TEXT PRIMARY KEY, epoch TEXT NOT NULL, seq INTEGER NOT NULL, ts_ns INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE client_marks (
        id INTEGER PRIMARY KEY, consumer TEXT NOT NULL, handler TEXT NOT NULL, key TEXT NOT NULL,
        filing_id TEXT NOT NULL, UNIQUE (consumer, handler, key)
    );
    CREATE INDEX client_marks_filing ON client_marks (consumer, filing_id);
    """,
)


def _remember(known: dict[Any, None], key: Any) -> None:
    known[key] = None
    if len(known) > MARKS:
        del known[next(iter(known))]
