"""Answers in SQLite: one file of its own, in WAL with synchronous=NORMAL, used by any number of processes.

Point reads run in the caller's thread: about 20 µs from the page cache, where a hop to another thread takes longer.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from catalyst.errors import DiskFull, Locked, StorageError
from catalyst.llm.cache.kept import MOST_ENTRIES, MOST_PAIRS, Kept, Pair, Vector, value
from catalyst.llm.cache.trust import Trust
from catalyst.llm.group import Group
from catalyst.llm.store import HubStore

ROOM = "cache"
STEPS = (
    """
    CREATE TABLE entries (
        id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE, canon BLOB, tenant TEXT NOT NULL,
        feature TEXT NOT NULL, template BLOB NOT NULL, question TEXT NOT NULL, day TEXT NOT NULL,
        saved INTEGER NOT NULL, created REAL NOT NULL,
        expires REAL NOT NULL, value REAL NOT NULL, agreed INTEGER NOT NULL,
        compared INTEGER NOT NULL, documents BLOB NOT NULL, answer BLOB NOT NULL);
    CREATE INDEX entries_canon ON entries (canon) WHERE canon IS NOT NULL;
    CREATE INDEX entries_value ON entries (tenant, value);
    CREATE INDEX entries_expires ON entries (expires);
    CREATE TABLE vectors (
        place INTEGER PRIMARY KEY AUTOINCREMENT, id INTEGER NOT NULL UNIQUE, bucket BLOB NOT NULL, steps BLOB NOT NULL);
    CREATE TABLE drawn (document BLOB NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (document, id)) WITHOUT ROWID;
    CREATE TRIGGER entries_gone AFTER DELETE ON entries BEGIN
        DELETE FROM vectors WHERE id = old.id;
    END;
    CREATE TABLE tombs (key BLOB PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE strikes (template BLOB PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE pairs (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, tenant TEXT NOT NULL, level TEXT NOT NULL,
        outcome TEXT NOT NULL, similarity REAL NOT NULL, asked TEXT NOT NULL, kept TEXT NOT NULL, reason TEXT NOT NULL);
    CREATE TABLE counts (name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    """,
)
_COLUMNS = (
    "id, key, canon, tenant, feature, template, question, day, saved, created, expires, agreed, compared, documents, "
    "answer"
)
_SELECT = f"SELECT {_COLUMNS} FROM entries WHERE "  # noqa: S608 (constants)
_INSERT = (
    f"INSERT INTO entries ({_COLUMNS.removeprefix('id, ')}, value) "  # noqa: S608 (constants)
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_TOMB = "INSERT INTO tombs VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET until = max(until, excluded.until)"
_STRIKE = "INSERT INTO strikes VALUES (?, 1) ON CONFLICT (template) DO UPDATE SET number = number + 1"
_COUNT = "INSERT INTO counts VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET number = number + 1"
_SLACK = 64
"""Entries over the limit before the least valuable go, so that not every addition evicts."""

KEEP_SECONDS = 0.02
"""Answers that come within so long are stored together: each commit of its own would cost more than the look-up."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Keep:
    entry: Kept
    number: asyncio.Future[int | None]


class SqliteCache:
    """A `CacheStore` in one file."""

    def __init__(self, path: Path, *, most: int = MOST_ENTRIES) -> None:
        self._path = path
        self._store = HubStore(path, ROOM, STEPS)
        self._most = most
        self._keeps: Group[_Keep] = Group(self._keep_all, linger=KEEP_SECONDS, name="cache")
        self._counted: dict[str, int] = {}
        """Entries of a tenant at least, by this process's reckoning: when to look whether it has too many."""

    async def open(self) -> None:
        """Open the file; one that is no database any more is set aside, for it only held answers."""
        try:
            self._store.open()
        except (Locked, DiskFull):
            raise
        except StorageError as error:
            if "newer" in str(error):
                raise
            log.error("cache.store.broken", error=str(error), kept_as=f"{self._path.name}.broken")
            _set_aside(self._path)
            self._store.open()

    async def close(self) -> None:
        await self._keeps.flush()
        self._store.close()

    async def by_key(self, key: bytes) -> Kept | None:
        return self._one("key = ?", key)

    async def by_canon(self, canon: bytes) -> Kept | None:
        return self._one("canon = ? ORDER BY id DESC LIMIT 1", canon)

    async def by_ids(self, ids: Sequence[int]) -> dict[int, Kept]:
        if not ids:
            return {}
        query = f"{_SELECT} id IN ({','.join('?' * len(ids))})"
        rows = self._store.peek(lambda db: db.execute(query, tuple(ids)).fetchall())
        return {row[0]: _kept(row) for row in rows}

    async def keep(self, entry: Kept) -> int | None:
        kept = _Keep(entry, asyncio.get_running_loop().create_future())
        self._keeps.post(kept)
        return await kept.number

    async def _keep_all(self, keeps: Sequence[_Keep]) -> Sequence[None]:
        """One transaction; a failure is told to each, and nothing is tried again."""
        try:
            numbers = await self._store.write(lambda db: [self._keep(db, keep.entry) for keep in keeps])
        except StorageError as error:
            for keep in keeps:
                if not keep.number.done():
                    keep.number.set_exception(error)
        else:
            for keep, number in zip(keeps, numbers, strict=True):
                if not keep.number.done():
                    keep.number.set_result(number)
        return [None] * len(keeps)

    async def place(self, key: bytes, vector: Vector) -> None:
        await self._store.write(
            lambda db: db.execute(
                "INSERT OR REPLACE INTO vectors (id, bucket, steps) "
                "SELECT id, ?, ? FROM entries WHERE id = ? AND key = ?",
                (vector.bucket, vector.steps, vector.id, key),
            )
        )

    async def vectors(self, after: str, limit: int) -> tuple[list[Vector], str]:
        query = "SELECT id, bucket, steps, place FROM vectors WHERE place > ? ORDER BY place LIMIT ?"
        arguments = (int(after or 0), limit)
        rows = await self._store.read(lambda db: db.execute(query, arguments).fetchall())
        return [Vector(*row[:3]) for row in rows], str(rows[-1][3]) if rows else after

    async def ids(self) -> set[int] | None:
        rows = await self._store.read(lambda db: db.execute("SELECT id FROM vectors").fetchall())
        return {row[0] for row in rows}

    async def generation(self) -> str:
        def work(db: sqlite3.Connection) -> str:
            db.execute("INSERT OR IGNORE INTO meta VALUES ('generation', ?)", (uuid.uuid4().hex,))
            found: str = db.execute("SELECT value FROM meta WHERE name = 'generation'").fetchone()[0]
            return found

        return await self._store.write(work)

    async def used(self, hits: Mapping[bytes, int], now: float) -> None:
        def work(db: sqlite3.Connection) -> None:
            for key in hits:
                row = db.execute("SELECT saved FROM entries WHERE key = ?", (key,)).fetchone()
                if row is not None:
                    db.execute("UPDATE entries SET value = ? WHERE key = ?", (value(row[0], now), key))

        await self._store.write(work)

    async def compared(self, key: bytes, agreed: bool) -> None:
        query = "UPDATE entries SET agreed = agreed + ?, compared = compared + 1 WHERE key = ?"
        await self._store.write(lambda db: db.execute(query, (agreed, key)))

    async def reject(self, key: bytes, now: float, until: float) -> Kept | None:
        def work(db: sqlite3.Connection) -> Kept | None:
            row = db.execute(f"{_SELECT} key = ?", (key,)).fetchone()
            db.execute("DELETE FROM entries WHERE key = ?", (key,))
            db.execute("DELETE FROM tombs WHERE until <= ?", (now,))
            db.execute(_TOMB, (key, until))
            return _kept(row) if row else None

        return await self._store.write(work)

    async def forget(self, document: bytes) -> int:
        def work(db: sqlite3.Connection) -> int:
            gone = db.execute(
                "DELETE FROM entries WHERE id IN (SELECT id FROM drawn WHERE document = ?)", (document,)
            ).rowcount
            db.execute("DELETE FROM drawn WHERE document = ?", (document,))
            return gone

        return await self._store.write(work)

    async def clear(self, tenant: str | None = None) -> int:
        def work(db: sqlite3.Connection) -> int:
            if tenant is not None:
                return db.execute("DELETE FROM entries WHERE tenant = ?", (tenant,)).rowcount
            for table in ("drawn", "tombs", "strikes", "pairs", "counts"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608 (constants)
            return db.execute("DELETE FROM entries").rowcount

        self._counted.clear()
        return await self._store.write(work)

    async def sweep(self, now: float) -> int:
        def work(db: sqlite3.Connection) -> int:
            db.execute("DELETE FROM tombs WHERE until <= ?", (now,))
            gone = db.execute("DELETE FROM entries WHERE expires <= ?", (now,)).rowcount
            db.execute("DELETE FROM drawn WHERE id NOT IN (SELECT id FROM entries)")
            return gone

        return await self._store.write(work)

    async def strike(self, template: bytes) -> int:
        def work(db: sqlite3.Connection) -> int:
            db.execute(_STRIKE, (template,))
            return _strikes(db, template)

        return await self._store.write(work)

    async def strikes(self, template: bytes) -> int:
        return self._store.peek(lambda db: _strikes(db, template))

    async def note(self, pair: Pair) -> None:
        def work(db: sqlite3.Connection) -> None:
            row = (pair.at, pair.tenant, pair.level, pair.outcome, pair.similarity, pair.asked, pair.kept, pair.reason)
            number = db.execute(
                "INSERT INTO pairs (at, tenant, level, outcome, similarity, asked, kept, reason) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            ).lastrowid
            db.execute("DELETE FROM pairs WHERE id <= ?", ((number or 0) - MOST_PAIRS,))
            db.execute(_COUNT, (f"{pair.level}.{pair.outcome}",))

        await self._store.write(work)

    async def pairs(self, limit: int) -> list[Pair]:
        query = "SELECT at, tenant, level, outcome, similarity, asked, kept, reason FROM pairs ORDER BY id DESC LIMIT ?"
        rows = await self._store.read(lambda db: db.execute(query, (limit,)).fetchall())
        return [Pair(*row) for row in rows]

    async def figures(self) -> dict[str, int]:
        def work(db: sqlite3.Connection) -> dict[str, int]:
            found = dict(db.execute("SELECT name, number FROM counts").fetchall())
            for name, query in (
                ("entries", "SELECT count(*) FROM entries"),
                ("tombstones", "SELECT count(*) FROM tombs"),
                ("struck", "SELECT count(*) FROM strikes WHERE number >= 2"),
            ):
                found[name] = db.execute(query).fetchone()[0]
            return found

        return await self._store.read(work)

    async def lease(self, key: bytes, seconds: float) -> str | None:
        """Always given: processes that share only a file rarely ask the same at once, and a wait would cost more."""
        return ""

    async def release(self, key: bytes, token: str) -> None:
        return None

    def _one(self, condition: str, argument: bytes) -> Kept | None:
        row = self._store.peek(lambda db: db.execute(_SELECT + condition, (argument,)).fetchone())
        return _kept(row) if row else None

    def _keep(self, db: sqlite3.Connection, entry: Kept) -> int | None:
        if db.execute("SELECT 1 FROM tombs WHERE key = ? AND until > ?", (entry.key, entry.created)).fetchone():
            return None
        db.execute("DELETE FROM entries WHERE key = ?", (entry.key,))
        number = db.execute(
            _INSERT,
            (
                entry.key, entry.canon, entry.tenant, entry.feature, entry.template, entry.question, entry.day,
                entry.saved, entry.created, entry.expires, entry.trust.agreed, entry.trust.total,
                b"".join(entry.documents), entry.answer, value(entry.saved, entry.created),
            ),
        ).lastrowid  # fmt: skip
        db.executemany("INSERT OR IGNORE INTO drawn VALUES (?, ?)", [(drawn, number) for drawn in entry.documents])
        self._evict(db, entry.tenant)
        return number

    def _evict(self, db: sqlite3.Connection, tenant: str) -> None:
        """Keep the tenant's number; other processes' additions are seen with each look."""
        known = self._counted.get(tenant)
        if known is not None and known % _SLACK and known < self._most + _SLACK:
            self._counted[tenant] = known + 1
            return
        count = db.execute("SELECT count(*) FROM entries WHERE tenant = ?", (tenant,)).fetchone()[0]
        if count > self._most:
            db.execute(
                "DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE tenant = ? ORDER BY value LIMIT ?)",
                (tenant, count - self._most),
            )
            count = self._most
        self._counted[tenant] = count + 1


def _kept(row: Any) -> Kept:
    (number, key, canon, tenant, feature, template, question, day, saved, created, expires, agreed, total, drawn,
     answer) = row  # fmt: skip
    documents = tuple(drawn[start : start + 32] for start in range(0, len(drawn), 32))
    return Kept(
        key, tenant, feature, template, question, day, answer, saved, created, expires, canon, documents,
        Trust(min(agreed, total), total), number,
    )  # fmt: skip


def _strikes(db: sqlite3.Connection, template: bytes) -> int:
    row = db.execute("SELECT number FROM strikes WHERE template = ?", (template,)).fetchone()
    return row[0] if row else 0


def _set_aside(path: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{ending}").replace(f"{path}.broken{ending}")
