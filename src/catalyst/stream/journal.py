"""The writer's own copy of the newest records in Redis: it refills a tail that Redis lost, and is never read else.

Redis is the truth. What `append` returned lies here too, so that a Redis which comes back without its last second gets
the same records under the same offsets, and no client sees a hole.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from catalyst.db import Database

KEPT = 20_000
"""Newest records kept: minutes of the busiest hour, where Redis loses a second or two."""

_STEPS = (
    """
    CREATE TABLE journal_meta (one INTEGER PRIMARY KEY CHECK (one = 1), name TEXT NOT NULL, epoch TEXT NOT NULL);
    INSERT INTO journal_meta VALUES (1, lower(hex(randomblob(8))), '');
    CREATE TABLE journal (seq INTEGER PRIMARY KEY, ts TEXT NOT NULL, m BLOB NOT NULL, body BLOB NOT NULL);
    """,
)


class Entry(NamedTuple):
    """A record as it stands in the stream."""

    offset: int
    ts: bytes
    m: bytes
    body: bytes


class Journal:
    """One file of one process at a time; `name` is its own, over restarts."""

    def __init__(self, db: Database) -> None:
        db.migrate("journal", _STEPS)
        self._db = db
        self.name, self.epoch, self.head = db.peek(_opened)

    async def begin(self, epoch: str, head: int) -> None:
        """Start over behind `head` of `epoch`: what was kept of another numbering means nothing."""
        await self._db.write(lambda run: _begin(run, epoch))
        self.epoch, self.head = epoch, head

    async def keep(self, entries: Sequence[Entry]) -> None:
        """Add records, durably; those that do not follow the last one kept push the older ones out."""
        entries = [entry for entry in entries if entry.offset > self.head]
        if entries:
            fresh = entries[0].offset != self.head + 1
            await self._db.write(lambda run: _keep(run, entries, fresh=fresh))
            self.head = max(self.head, entries[-1].offset)

    async def after(self, offset: int) -> list[Entry]:
        """What is kept beyond `offset`, in order; empty where the first of it does not follow."""
        found = await self._db.read(lambda run: _after(run, offset))
        return found if found and found[0].offset == offset + 1 else []


def _opened(run: sqlite3.Connection) -> tuple[str, str, int]:
    name, epoch = run.execute("SELECT name, epoch FROM journal_meta").fetchone()
    return name, epoch, run.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()[0]


def _begin(run: sqlite3.Connection, epoch: str) -> None:
    run.execute("DELETE FROM journal")
    run.execute("UPDATE journal_meta SET epoch = ?", (epoch,))


def _keep(run: sqlite3.Connection, entries: Sequence[Entry], *, fresh: bool) -> None:
    if fresh:
        run.execute("DELETE FROM journal")
    run.executemany("INSERT OR REPLACE INTO journal VALUES (?, ?, ?, ?)", entries)
    run.execute("DELETE FROM journal WHERE seq <= ?", (entries[-1].offset - KEPT,))


def _after(run: sqlite3.Connection, offset: int) -> list[Entry]:
    rows = run.execute("SELECT seq, ts, m, body FROM journal WHERE seq > ? ORDER BY seq", (offset,))
    return [Entry(*row) for row in rows]
