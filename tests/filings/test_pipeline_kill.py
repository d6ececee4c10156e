"""Killed at any stage, started again: every accession one alert, one final message, none twice."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from catalyst.clock import NEW_YORK, SimClock
from catalyst.db import Database
from catalyst.emulator import EmulatorServer, Recording, sample_path
from catalyst.stream.sqlite import SqliteLog
from tests.filings.rig import DAY, Rig, acc, assert_exactly_once, day, entry, logged, watching
from tests.filings.test_pipeline import Reader

pytestmark = pytest.mark.slow  # processes, or seconds of work: `make check` leaves it out

NOON = datetime.fromisoformat(f"{DAY}T12:00:00").replace(tzinfo=NEW_YORK)
ROOT = Path(__file__).parents[2]


async def _live_for(rig: Rig, turns: int) -> None:
    """Run so many turns of the loop, then die: what is not committed is gone."""
    tasks = [asyncio.create_task(rig.pipeline.run()), asyncio.create_task(rig.poller.run())]
    for _ in range(turns):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _live_until_mark(rig: Rig, number: int) -> None:
    """Die at the ledger's mark `number`: the log is ahead of the ledger."""
    made, mark, dead = 0, rig.ledger.mark, asyncio.Event()

    async def dying(*marks):
        nonlocal made
        made += 1
        if made > number:
            dead.set()
            await asyncio.Event().wait()
        await mark(*marks)

    rig.ledger.mark = dying  # type: ignore[method-assign]
    tasks = [asyncio.create_task(rig.pipeline.run()), asyncio.create_task(rig.poller.run())]
    ends = [asyncio.create_task(dead.wait()), asyncio.create_task(rig.clock.sleep(60))]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.sleep(0.02)  # what else was under way comes as far as it can
    for task in (*tasks, *ends):
        task.cancel()
    await asyncio.gather(*tasks, *ends, return_exceptions=True)


@pytest.mark.parametrize("seed", range(6))
async def test_killed_at_random_moments_of_the_day(tmp_path, seed):
    draw = random.Random(seed)
    recording = Recording.load(sample_path())
    clock = SimClock(recording.starts_at, math.inf)
    reader = Reader() if seed % 2 else None
    async with EmulatorServer(recording, clock) as server:
        for _ in range(12):
            async with watching(recording, tmp_path, clock=clock, server=server, analyst=reader) as rig:
                await _live_for(rig, draw.randrange(10, 4000))
        async with watching(recording, tmp_path, clock=clock, server=server, analyst=reader) as rig:
            await rig.run_until(recording.ends_at + timedelta(minutes=15))
            assert_exactly_once(await rig.messages(), [filing.accession for filing in recording.filings()])


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 1), (0, 1), (1, 0)], ids=["rr", "mm", "rm", "mr"])
async def test_killed_between_log_and_ledger(tmp_path, number, before, after):
    """Also when the next life has a model and the last had none (`rm`), or the other way round (`mr`)."""
    recording = day(
        tmp_path / "edgar",
        entry(1, "8-K", "12:00:01", items=("2.02",)),
        entry(2, "10-Q", "12:00:02", cik=2),
        entry(3, "4", "12:00:03", cik=3),
    )
    clock = SimClock(NOON, math.inf)
    readers = [None, Reader()]
    async with EmulatorServer(recording, clock) as server:
        async with watching(recording, tmp_path, clock=clock, server=server, analyst=readers[before]) as rig:
            await _live_until_mark(rig, number)
        async with watching(recording, tmp_path, clock=clock, server=server, analyst=readers[after]) as rig:
            await rig.run_until(NOON + timedelta(minutes=2))
            assert_exactly_once(await rig.messages(), [acc(1), acc(2), acc(3)])
            assert (await rig.ledger.count())["pending"] == 0


async def test_killed_between_alert_and_update_the_analysis_is_resumed(tmp_path):
    recording = day(tmp_path / "edgar", entry(1, "8-K", "12:00:01", items=("2.02",)))
    clock = SimClock(NOON, math.inf)
    asked = asyncio.Event()
    never = Reader(asked_of=asked)
    async with EmulatorServer(recording, clock) as server:
        async with watching(recording, tmp_path, clock=clock, server=server, analyst=never) as rig:
            tasks = [asyncio.create_task(rig.pipeline.run()), asyncio.create_task(rig.poller.run())]
            await asyncio.wait_for(asked.wait(), 10)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert [m["final"] for m in await rig.messages()] == [False, False]
        reader = Reader()
        async with watching(recording, tmp_path, clock=clock, server=server, analyst=reader) as rig:
            await rig.run_until(NOON + timedelta(minutes=2))
            messages = await rig.messages()
            assert [(m["version"], m["analysis"]["source"], m["final"]) for m in messages] == [
                (1, "feed", False),
                (2, "rules", False),
                (3, "llm", True),
            ]
            assert reader.asked == [acc(1)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_kill_9_at_random_moments_loses_and_repeats_nothing(tmp_path, seed):
    draw = random.Random(seed)
    command = [sys.executable, "-m", "tests.filings.life", str(tmp_path), "2000"]
    for _ in range(5):
        life = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert life.stdout is not None
        assert life.stdout.readline() == "up\n"
        with contextlib.suppress(subprocess.TimeoutExpired):
            life.wait(0.05 + 0.6 * draw.random())
        life.kill()
        life.communicate()
    done = subprocess.run([*command[:-1], "inf"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines()[-1:] == ["done"], done.stderr[-2000:]

    async def check() -> None:
        db = Database(tmp_path / "catalyst.db")
        recording = Recording.load(sample_path(), volume=4)
        assert_exactly_once(await logged(SqliteLog(db)), [filing.accession for filing in recording.filings()])
        db.close()

    asyncio.run(check())
