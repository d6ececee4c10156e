"""SQLite as this project uses it: WAL, one writer thread with group commit, read-only readers, migrations.

`write` returns after the commit, so what it returned is on disk. Calls that arrive together share one commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from catalyst.errors import DiskFull, Locked, StorageError

GROUP = 512
"""Most writes that share one commit."""

BUSY_SECONDS = 10.0
"""How long a write waits for another process's transaction before it raises Locked."""

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


@dataclass(slots=True)
class _Job:
    work: Work[Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    outcome: Any = None
    error: BaseException | None = None

    def settle(self) -> None:
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.outcome)


class Database:
    """One SQLite file. Construct it, `migrate` each room's tables, then `read` and `write` from any task.

    `synchronous` FULL survives a power cut, NORMAL survives kill -9 (a power cut may lose the last commits).
    """

    def __init__(self, path: Path, *, synchronous: Literal["FULL", "NORMAL"] = "FULL") -> None:
        self.path = path
        self._synchronous = synchronous
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._local = threading.local()
        self._readers = ThreadPoolExecutor(2, thread_name_prefix=f"read-{path.stem}")
        self._opened: list[sqlite3.Connection] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = self._connect()
        except (sqlite3.Error, OSError) as error:
            raise _storage_error(error, path) from error
        self._thread = threading.Thread(target=self._run, name=f"write-{path.stem}", daemon=True)
        self._thread.start()
        self._closed = False

    def migrate(self, room: str, steps: Sequence[str]) -> None:
        """Bring `room`'s tables up to date: each step runs once, in order, ever. Call before the first write.

        A step may hold several statements. Never edit a step that has shipped: append one.
        """
        try:
            self._migrate(room, steps)
        except sqlite3.Error as error:
            raise _storage_error(error, self.path) from error

    async def write(self, work: Work[T]) -> T:
        """Run `work(connection)` in the writer's transaction and return its result once committed.

        An exception in `work` undoes that work alone. Raises StorageError, DiskFull or Locked.
        """
        if self._closed:
            raise StorageError(f"{self.path} is closed")
        loop = asyncio.get_running_loop()
        job = _Job(work, loop.create_future(), loop)
        self._jobs.put(job)
        result: T = await job.future
        return result

    async def read(self, work: Work[T]) -> T:
        """Run `work(connection)` on a read-only connection, beside the writer."""
        if self._closed:
            raise StorageError(f"{self.path} is closed")
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    def peek(self, work: Work[T]) -> T:
        """Like `read`, in this thread and at once: for constructors."""
        return self._read(work)

    def close(self) -> None:
        """Finish the queued writes and close; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        self._thread.join()
        self._readers.shutdown(wait=True)
        for connection in self._opened:
            connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        self._opened.append(connection)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={self._synchronous}")
        connection.execute("PRAGMA foreign_keys=ON")
        return connection

    def _migrate(self, room: str, steps: Sequence[str]) -> None:
        run = self._writer.execute
        run("CREATE TABLE IF NOT EXISTS migrations (room TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID")
        run("BEGIN IMMEDIATE")
        try:
            row = run("SELECT version FROM migrations WHERE room = ?", (room,)).fetchone()
            done = row[0] if row else 0
            if done > len(steps):
                raise StorageError(f"{self.path} was written by a newer Catalyst: upgrade, or use another data folder")
            for step in steps[done:]:
                for statement in _statements(step):
                    run(statement)
            run("INSERT OR REPLACE INTO migrations VALUES (?, ?)", (room, len(steps)))
            run("COMMIT")
        except BaseException:
            run("ROLLBACK")
            raise

    def _read(self, work: Work[T]) -> T:
        try:
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = self._connect()
                connection.execute("PRAGMA query_only=ON")
            return work(connection)
        except sqlite3.Error as error:
            raise _storage_error(error, self.path) from error

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            group, stop = self._group(job)
            self._commit(group)
            _settle(group)
            if stop:
                return

    def _group(self, first: _Job) -> tuple[list[_Job], bool]:
        group = [first]
        while len(group) < GROUP:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return group, True
            group.append(job)
        return group, False

    def _commit(self, group: list[_Job]) -> None:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            if len(group) == 1:
                self._apply(group[0])
            else:
                for job in group:
                    self._apply_beside(job)
            if self._writer.in_transaction:
                self._writer.execute("COMMIT")
        except (sqlite3.Error, MemoryError) as error:
            failure = _storage_error(error, self.path)
            for job in group:
                job.error = job.error or failure
            # Where even this fails, the next group's BEGIN does too, and tries it again.
            with contextlib.suppress(sqlite3.Error):
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")

    def _apply(self, job: _Job) -> None:
        """Run the only job of a transaction, which it takes with it where it fails.

        A savepoint would copy each page that the job touches: a seventh of an append's cost.
        """
        try:
            self._work(job)
            if not self._writer.in_transaction:
                raise sqlite3.OperationalError("the transaction ended")
        except BaseException as error:  # noqa: BLE001 (the caller's work is isolated; its future carries the error)
            job.error = _storage_error(error, self.path) if isinstance(error, sqlite3.Error) else error
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")

    def _apply_beside(self, job: _Job) -> None:
        """Run one job of several: where it fails, it alone is undone."""
        self._writer.execute("SAVEPOINT job")
        try:
            self._work(job)
        except BaseException as error:
            job.error = _storage_error(error, self.path) if isinstance(error, sqlite3.Error) else error
            if not self._writer.in_transaction:
                raise sqlite3.OperationalError("the transaction ended") from error
            self._writer.execute("ROLLBACK TO job")
        self._writer.execute("RELEASE job")

    def _work(self, job: _Job) -> None:
        outcome = job.work(self._writer)
        # A cursor that another thread lets go of resets a statement that this one may be running (SQLITE_MISUSE).
        job.outcome = None if isinstance(outcome, sqlite3.Cursor) else outcome


def _settle(group: list[_Job]) -> None:
    for loop in {job.loop for job in group}:
        mine = [job for job in group if job.loop is loop]

        def deliver(jobs: list[_Job] = mine) -> None:
            for job in jobs:
                job.settle()

        with contextlib.suppress(RuntimeError):  # a loop that is closed has nobody who waits
            loop.call_soon_threadsafe(deliver)


def _statements(step: str) -> list[str]:
    found, pending = [], ""
    for line in step.splitlines():
        pending += line + "\n"
        if sqlite3.complete_statement(pending):
            found.append(pending)
            pending = ""
    return found + ([pending] if pending.strip() else [])


def _storage_error(error: BaseException, path: Path) -> StorageError:
    text = str(error)
    if "full" in text or getattr(error, "errno", None) == 28:
        return DiskFull(f"no space left for {path}: free some, then start again; nothing was half-written")
    if "locked" in text or "busy" in text:
        return Locked(f"{path} is held by another process: stop it, or use another data folder")
    return StorageError(f"{path}: {text}: check the disk and the file's rights, then start again")
