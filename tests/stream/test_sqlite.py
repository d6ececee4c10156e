"""The SQLite log keeps the contract, survives kill -9, and stays dense whatever is appended in whatever order."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.db import Database
from catalyst.errors import DiskFull, StorageError
from catalyst.stream import queries
from catalyst.stream.filters import Filter
from catalyst.stream.log import Query
from catalyst.stream.queries import find_last_match, find_page
from catalyst.stream.sqlite import SqliteLog
from tests.contracts.log import ArchiveContract, alert


class Files:
    """One SQLite file, opened as often as the test likes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: list[Database] = []
        self.time_ns: Callable[[], int] = time.time_ns

    async def open(self) -> SqliteLog:
        self._opened.append(Database(self._path))
        return SqliteLog(self._opened[-1], time_ns=lambda: self.time_ns())

    async def close(self) -> None:
        while self._opened:
            self._opened.pop().close()


@pytest.fixture
async def logs(tmp_path: Path):
    files = Files(tmp_path / "log.db")
    yield files
    await files.close()


class TestSqliteLog(ArchiveContract):
    """One line joins the contract."""


class TestSqliteLogByItsOtherIndices(ArchiveContract):
    """The same answers where a score fits too many records to look at one by one."""

    @pytest.fixture(autouse=True)
    def _few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(queries, "FEW", 3)


batches = st.lists(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 3)), max_size=8), max_size=12)


@settings(max_examples=25, deadline=None)
@given(plan=batches)
def test_any_plan_of_appends_stays_dense_unique_and_idempotent(plan, tmp_path_factory):
    files = Files(tmp_path_factory.mktemp("log") / "log.db")

    async def run() -> None:
        log = await files.open()
        first: dict[tuple[int, int], int] = {}
        given_out = await asyncio.gather(*(log.append([alert(n, version=v) for n, v in batch]) for batch in plan))
        for batch, offsets in zip(plan, given_out, strict=True):
            for key, offset in zip(batch, offsets, strict=True):
                assert first.setdefault(key, offset) == offset
        assert sorted(first.values()) == list(range(1, len(first) + 1))
        assert [record.offset for record in await log.read(0, 1000)] == sorted(first.values())

    try:
        asyncio.run(run())
    finally:
        asyncio.run(files.close())


WRITER = """
import asyncio, sys
from pathlib import Path
from catalyst.db import Database
from catalyst.stream.sqlite import SqliteLog
from tests.contracts.log import alert

async def work(log, worker):
    number = 0
    while True:
        number += 1
        offsets = await log.append([alert(worker * 100000 + number), alert(worker * 100000 + number, version=2)])
        print(worker, number, *offsets, flush=True)

async def main():
    log = SqliteLog(Database(Path(sys.argv[1])))
    base = int(sys.argv[2])
    await asyncio.gather(*(work(log, base + n) for n in range(4)))

asyncio.run(main())
"""


def test_after_kill_nine_every_acknowledged_offset_is_there_and_dense(tmp_path: Path):
    path = tmp_path / "log.db"
    acknowledged: dict[int, str] = {}
    for cycle in range(3):
        command = [sys.executable, "-c", WRITER, str(path), str(cycle * 4)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline()]
            time.sleep(0.15 + 0.05 * cycle)
            writer.kill()
            lines += writer.stdout.readlines()
        for line in lines:
            if line.endswith("\n"):
                worker, number, *offsets = map(int, line.split())
                for offset in offsets:
                    assert offset not in acknowledged
                    acknowledged[offset] = alert(worker * 100000 + number).filing_id
    assert len(acknowledged) > 30
    database = Database(path)

    async def check() -> None:
        log = SqliteLog(database)
        seen = 0
        held: dict[int, str] = {}
        while records := await log.read(seen, 1000):
            held |= {record.offset: record.filing_id for record in records}
            seen = records[-1].offset
        assert list(held) == list(range(1, len(held) + 1))
        assert {offset: held.get(offset) for offset in acknowledged} == acknowledged

    try:
        asyncio.run(check())
    finally:
        database.close()


async def test_reads_behind_the_memory_come_from_the_file(logs: Files):
    log = await logs.open()
    for start in range(0, 5000, 500):
        await log.append([alert(start + n) for n in range(500)])
    offsets: list[int] = []
    while records := await log.read(offsets[-1] if offsets else 0, 300):
        offsets += [record.offset for record in records]
    assert offsets == list(range(1, 5001))


async def test_a_full_disk_stores_no_batch_in_part_and_the_log_goes_on_without_a_hole(tmp_path: Path):
    """A bound on the file's pages is what a full disk is to SQLite (SQLITE_FULL)."""
    database = Database(tmp_path / "log.db")
    log = SqliteLog(database)
    await log.append([alert(1)])
    pages = await database.read(lambda run: run.execute("PRAGMA page_count").fetchone()[0])
    await database.write(lambda run: run.execute(f"PRAGMA max_page_count = {pages + 20}"))
    kept = 1
    with pytest.raises(DiskFull, match="free some"):
        while kept < 1000:
            assert await log.append([alert(kept + n) for n in range(1, 9)]) == list(range(kept + 1, kept + 9))
            kept += 8
    assert (await log.bounds(), log._tail.head) == ((1, kept), kept)
    assert [record.offset for record in await log.read(0, 1000)] == list(range(1, kept + 1))
    waiting = asyncio.ensure_future(log.wait(kept))
    await database.write(lambda run: run.execute("PRAGMA max_page_count = 100000"))
    assert await log.append([alert(kept + n) for n in range(1, 9)]) == list(range(kept + 1, kept + 9))
    assert await asyncio.wait_for(waiting, 5) == kept + 8
    database.close()


async def test_an_append_to_a_closed_database_says_so(logs: Files):
    log = await logs.open()
    await logs.close()
    with pytest.raises(StorageError, match="closed"):
        await log.append([alert(1)])


async def test_queries_use_an_index(tmp_path: Path):
    database = Database(tmp_path / "log.db")
    log = SqliteLog(database)
    await log.append([alert(1)])
    plans: set[str] = set()

    def note(statement: str) -> None:
        if statement.startswith(("SELECT a.seq", "SELECT seq")):
            plans.add(statement)

    database.peek(lambda run: run.set_trace_callback(note))  # and all in this thread: each has its own connection
    for query in (Query(), Query(ticker="ACME"), Query(form="8-K"), Query(since_ns=1)):
        database.peek(lambda run, asked=query: find_page(run, asked))  # type: ignore[misc]
    for wanted in (Filter.of(["ACME"]), Filter.of(min_priority=0.5), Filter.of(forms=["8-K"], min_priority=0.5)):
        database.peek(lambda run, asked=wanted: find_last_match(run, asked, 5))  # type: ignore[misc]
    database.peek(lambda run: run.set_trace_callback(None))
    assert len(plans) > 50
    for statement in plans:
        steps = database.peek(lambda run, text=statement: run.execute(f"EXPLAIN QUERY PLAN {text}").fetchall())  # type: ignore[misc]
        for *_, step in steps:
            assert not step.startswith("SCAN"), (statement, step)
            assert "TEMP B-TREE" not in step, (statement, step)
    database.close()


async def test_a_score_is_found_whatever_its_digits(logs: Files):
    log = await logs.open()
    scores = [0.29, 0.57, 0.58, 1.0, 0.0, 0.1 + 0.2, 0.7]
    await log.append([alert(number, score=score) for number, score in enumerate(scores)])
    for wanted in [*scores, 0.295, 0.3, 0.69999, 0.999]:
        expected = max((n for n, score in enumerate(scores, 1) if score >= wanted), default=0)
        assert await log.last_match(Filter.of(min_priority=wanted), len(scores)) == expected, wanted


async def test_since_misses_nothing_where_the_clock_was_set_back(tmp_path: Path):
    database = Database(tmp_path / "x.db")
    now = 0
    log = SqliteLog(database, time_ns=lambda: now * 10**9)
    for number, now in enumerate((1001, 1002, 1003, 501, 502, 1004)):  # noqa: B007 (the log's clock reads it)
        await log.append([alert(number)])
    page = await log.query(Query(since_ns=1003 * 10**9))
    assert [record.offset for record in page.records] == [6, 5, 4, 3]
    now = 1003 - 2 * 86_400
    await log.append([alert(9)])
    assert b'"ts_ns":%d,' % (now * 10**9) in (await log.read(6, 1))[0].body, "a clock that was far ahead is not kept to"
    database.close()
