"""The hub's SQLite files: the ledger's tables, and opening a file again when it was deleted or broken under us.

synchronous=NORMAL: what was committed survives kill -9; a power cut may lose the last commits.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import structlog

from catalyst.db import Database
from catalyst.errors import Locked, StorageError

T = TypeVar("T")
ROOM = "llm"
STEPS = (
    """
    CREATE TABLE budget (scope TEXT PRIMARY KEY, settled INTEGER NOT NULL, reserved INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE reservations (
        owner TEXT NOT NULL, slot INTEGER NOT NULL, amount INTEGER NOT NULL, scopes TEXT NOT NULL,
        PRIMARY KEY (owner, slot)) WITHOUT ROWID;
    CREATE TABLE alerts (scope TEXT NOT NULL, kind TEXT NOT NULL, PRIMARY KEY (scope, kind)) WITHOUT ROWID;
    CREATE TABLE attempts (
        id INTEGER PRIMARY KEY, at REAL NOT NULL, request TEXT NOT NULL, tenant TEXT NOT NULL, feature TEXT NOT NULL,
        provider TEXT NOT NULL, model TEXT NOT NULL, outcome TEXT NOT NULL, cache_kind TEXT NOT NULL,
        tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, tokens_cached INTEGER NOT NULL,
        cost INTEGER NOT NULL, saved INTEGER NOT NULL, price_version TEXT NOT NULL, latency_ms REAL NOT NULL,
        retry INTEGER NOT NULL, estimated INTEGER NOT NULL, variant TEXT NOT NULL);
    CREATE INDEX attempts_at ON attempts (at);
    CREATE TABLE usage_days (
        day TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, feature TEXT NOT NULL, tenant TEXT NOT NULL,
        outcome TEXT NOT NULL, cache_kind TEXT NOT NULL,
        calls INTEGER NOT NULL, tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL,
        tokens_cached INTEGER NOT NULL, cost INTEGER NOT NULL, saved INTEGER NOT NULL, wasted INTEGER NOT NULL,
        latency_ms REAL NOT NULL, retries INTEGER NOT NULL,
        PRIMARY KEY (day, provider, model, feature, tenant, outcome, cache_kind)) WITHOUT ROWID;
    CREATE TABLE quota_days (
        provider TEXT NOT NULL, day TEXT NOT NULL, calls INTEGER NOT NULL, PRIMARY KEY (provider, day)) WITHOUT ROWID;
    CREATE TABLE admissions (at REAL NOT NULL, tenant TEXT NOT NULL);
    CREATE INDEX admissions_at ON admissions (at);
    """,
    "ALTER TABLE attempts ADD COLUMN left_out INTEGER NOT NULL DEFAULT 0;",
    "CREATE TABLE spools (name TEXT PRIMARY KEY) WITHOUT ROWID;",
)

log = structlog.get_logger()


class HubStore:
    """`write` and `read` like `Database`, on a file that may vanish and come back."""

    def __init__(self, path: Path, room: str = ROOM, steps: Sequence[str] = STEPS) -> None:
        self.path = path
        self._room = room
        self._steps = steps
        self._database: Database | None = None
        self._file: tuple[int, int] | None = None

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a transaction; its result after the commit. Raises StorageError."""
        try:
            return await self._opened().write(work)
        except Locked:
            raise
        except StorageError:
            self._drop()
            raise

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` beside the writer. Raises StorageError."""
        return await self._opened().read(work)

    def peek(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """`read` in this thread and at once: for point reads that take less than a hop. Raises StorageError."""
        return self._opened().peek(work)

    def open(self) -> None:
        """Open the file and bring its tables up to date. Raises StorageError."""
        self._opened()

    def close(self) -> None:
        self._drop()

    def _opened(self) -> Database:
        if self._database is not None and self._file == self._stat():
            return self._database
        if self._database is not None:
            log.error("hub.store.vanished", path=str(self.path))
            self._drop()
        database = Database(self.path, synchronous="NORMAL")
        try:
            database.migrate(self._room, self._steps)
        except StorageError:
            database.close()
            raise
        self._database, self._file = database, self._stat()
        return database

    def _drop(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            with contextlib.suppress(sqlite3.Error):
                database.close()

    def _stat(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_dev, found.st_ino
