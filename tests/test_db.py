"""The writer's thread outlives what a disk and its callers do to it."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from catalyst.db import Database
from catalyst.errors import StorageError

STEPS = ("CREATE TABLE t (n INTEGER NOT NULL);",)


class FailingDisk:
    """A connection on which statements named in `bad` fail, as on a disk that is gone."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.bad: tuple[str, ...] = ()

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        if statement in self.bad:
            raise sqlite3.OperationalError("disk I/O error")
        return self._connection.execute(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


async def put(db: Database, number: int) -> None:
    async with asyncio.timeout(5):
        await db.write(lambda run: run.execute("INSERT INTO t VALUES (?)", (number,)))


async def rows(db: Database) -> list[int]:
    return [n for (n,) in await db.read(lambda run: run.execute("SELECT n FROM t").fetchall())]


async def test_a_disk_that_takes_neither_commit_nor_rollback_fails_writes_until_it_is_back(tmp_path: Path):
    db = Database(tmp_path / "x.db")
    db.migrate("test", STEPS)
    disk: Any = FailingDisk(db._writer)
    db._writer = disk
    disk.bad = ("COMMIT", "ROLLBACK")
    for number in (1, 2):
        with pytest.raises(StorageError):
            await put(db, number)
    disk.bad = ()
    with pytest.raises(StorageError):
        await put(db, 3)  # the transaction that could not be undone is undone now
    await put(db, 4)
    assert await rows(db) == [4]
    db.close()


async def test_an_exception_in_one_work_undoes_that_work_alone(tmp_path: Path):
    db = Database(tmp_path / "x.db")
    db.migrate("test", STEPS)

    def half(run: sqlite3.Connection) -> None:
        run.execute("INSERT INTO t VALUES (1)")
        raise KeyError("mine")

    found = await asyncio.gather(db.write(half), put(db, 2), return_exceptions=True)
    assert [type(one) for one in found] == [KeyError, type(None)]
    assert await rows(db) == [2]
    db.close()


async def test_a_work_alone_in_its_transaction_is_undone_whole_and_one_that_ends_it_is_told(tmp_path: Path):
    db = Database(tmp_path / "x.db", synchronous="NORMAL")
    await db.write(lambda run: run.execute("CREATE TABLE t (n INTEGER PRIMARY KEY)"))

    def half(run: sqlite3.Connection) -> None:
        run.execute("INSERT INTO t VALUES (1)")
        raise ValueError("half-way")

    def ended(run: sqlite3.Connection) -> None:
        run.execute("INSERT INTO t VALUES (2)")
        run.execute("ROLLBACK")

    with pytest.raises(ValueError, match="half-way"):
        await db.write(half)
    with pytest.raises(StorageError, match="transaction ended"):
        await db.write(ended)
    await db.write(lambda run: run.execute("INSERT INTO t VALUES (3)"))
    assert await db.read(lambda run: run.execute("SELECT n FROM t").fetchall()) == [(3,)]
    db.close()


def test_a_write_whose_loop_was_closed_does_not_stop_the_next_ones(tmp_path: Path):
    db = Database(tmp_path / "x.db")
    db.migrate("test", STEPS)

    async def leave() -> None:
        task = asyncio.create_task(put(db, 1))
        await asyncio.wait([task], timeout=0)

    asyncio.run(leave())
    asyncio.run(put(db, 2))
    assert asyncio.run(rows(db)) == [1, 2]
    db.close()
