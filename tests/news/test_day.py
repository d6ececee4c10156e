"""A whole day of headlines at ten times the volume, and a service that is killed while headlines flow."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import random
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalyst.clock import SimClock
from catalyst.db import Database
from catalyst.news.classify import Classifier
from catalyst.news.desk import NewsDesk
from catalyst.news.settings import NewsSettings
from catalyst.news.source import Answer, FeedState
from catalyst.news.stories import Stories, Validators
from catalyst.news.tickers import TickerFinder
from catalyst.news.types import FeedItem
from catalyst.sentiment import Scorer
from catalyst.stream.sqlite import SqliteLog
from tests.app.processes import environ, log_of
from tests.news.rig import Wire, companies, serving

DAY = datetime(2025, 12, 12, 0, 0, tzinfo=UTC)
EVERY = 900.0
PER_POLL = 210
"""Over ten thousand stories a day from two wires; a busy one brings about five hundred."""
POLLS = 96


class Invented:
    """A feed that always holds the same number of items, most of them seen before, as real ones do."""

    def __init__(self, clock: SimClock, number: int) -> None:
        self.address = f"https://wire.test/{number}"
        self.state = FeedState(f"wire {number}")
        self._clock = clock
        self._number = number
        self.polls = 0

    async def poll(self, known: Validators | None) -> Answer:
        self.polls += 1
        if self.polls > POLLS:
            return Answer()
        now = self._clock.now()
        words = ("beats estimates", "misses estimates", "opens a plant", "wins contract", "recalls its robots")
        # Half of each poll was in the last one, and every other story comes from both wires.
        start = self.polls * PER_POLL // 2
        items = [
            FeedItem(
                f"Elm Robotics {words[n % 5]} in case {n if n % 2 else f'{n} of {self._number}'}",
                published=now - timedelta(seconds=10),
                source=self.state.name,
            )
            for n in range(start, start + PER_POLL)
        ]
        return Answer(items, Validators(str(self.polls)))


@pytest.mark.slow
async def test_memory_stays_flat_and_no_task_is_left_over_a_day_at_ten_times_the_volume(tmp_path: Path) -> None:
    clock = SimClock(DAY, speed=float("inf"))
    settings = NewsSettings(poll_seconds=EVERY)
    db = Database(tmp_path / "stream.db", synchronous="NORMAL")
    log, stories = SqliteLog(db), Stories(db)
    judge, finder = Classifier(Scorer(), clock, settings), TickerFinder(companies())
    wires = [Invented(clock, number) for number in range(2)]
    desk = NewsDesk(wires, stories, log, judge, finder, clock, settings, jitter=lambda: 0.5)
    task = asyncio.create_task(desk.run())
    try:
        await _after(wires, polls=24)
        early = _held()
        await _after(wires, polls=POLLS + 1)
        async with asyncio.timeout(60):
            while not await desk.idle():
                await asyncio.sleep(0.05)
        late = _held()  # of a machine too busy to follow, not what waits
        counts = await stories.count()
        assert counts["final"] == desk.counts["stories"] == (await log.bounds())[1] > 10_000
        assert desk.counts["repeats"] > 10_000
        assert late[0] - early[0] < 3 << 20, f"grew by {late[0] - early[0]} bytes"
        assert late[1] <= early[1] + 2, "a task was left"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        db.close()


async def _after(wires: list[Invented], polls: int) -> None:
    """Until every wire was polled so often."""
    async with asyncio.timeout(170):
        while any(wire.polls < polls for wire in wires):
            await asyncio.sleep(0.05)


def _held() -> tuple[int, int]:
    """(bytes that Python holds, tasks)."""
    gc.collect()
    return sum(_size(entry) for entry in gc.get_objects()), len(asyncio.all_tasks())


def _size(entry: object) -> int:
    return sys.getsizeof(entry) if isinstance(entry, dict | list | set | tuple | str | bytes) else 0


READING = {
    "label": "bullish", "sentiment": 0.6, "relevance": 0.9, "confidence": 0.8, "event_type": "earnings",
    "reason": "It does.",
}  # fmt: skip


@pytest.mark.slow
async def test_kill_9_while_headlines_flow_loses_none_and_repeats_none(tmp_path: Path, wire: Any) -> None:
    """Real processes, a feed and a provider on loopback; every headline ends in one alert and one final message."""
    chance = random.Random(11)
    feeds = [Wire(), Wire()]
    wire.openai.says(json.dumps(READING), times=2000)
    published: set[str] = set()
    async with serving(*feeds):
        names = {
            "NEWS_FEEDS": ",".join(feed.url for feed in feeds),
            "NEWS_POLL_INTERVAL": "0.2",
            "MISTRAL_BATCH_DELAY": "0.1",
            "OPENAI_API_KEY": wire.openai.vendor.key,
            "OPENAI_BASE_URL": wire.openai.url,
        }
        for cycle in range(5):
            async with _serving(tmp_path, names) as process:
                writer = asyncio.create_task(_publish(feeds, published, cycle))
                await asyncio.sleep(2.0 + 1.5 * chance.random())
                process.kill()
                await writer
        async with _serving(tmp_path, names):
            rows = await _settled(tmp_path, published)
    _assert_told_once(rows, published)


@contextlib.asynccontextmanager
async def _serving(folder: Path, names: dict[str, str]):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "catalyst.app.cli", "serve", "--source", "sample", "--port", "0",
        cwd=folder, env=environ(**names), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _publish(feeds: list[Wire], published: set[str], cycle: int) -> None:
    """Twelve headlines over three seconds; every third from both wires."""
    for number in range(12):
        title = f"Elm Robotics beats estimates in test {cycle * 100 + number}"
        published.add(title)
        feeds[number % 2].put(title)
        if number % 3 == 0:
            feeds[1 - number % 2].put(f"UPDATE 1-{title} - Other Wire")
        await asyncio.sleep(0.25)


async def _settled(folder: Path, published: set[str]) -> list[dict[str, Any]]:
    async with asyncio.timeout(60):
        while True:
            rows = [body for _, body in await asyncio.to_thread(log_of, folder / "data" / "sample")]
            rows = [body for body in rows if body["type"].startswith("headline")]
            if len({body["headline_id"] for body in rows if body["final"]}) >= len(published):
                return rows
            await asyncio.sleep(0.3)


def _assert_told_once(rows: list[dict[str, Any]], published: set[str]) -> None:
    alerts = Counter(body["headline_id"] for body in rows if body["type"] == "headline_alert")
    finals = Counter(body["headline_id"] for body in rows if body["final"])
    assert len(alerts) == len(published)
    assert set(alerts.values()) == {1}
    assert alerts.keys() == finals.keys()
    assert set(finals.values()) == {1}
    plain = {body["title"].removeprefix("UPDATE 1-").removesuffix(" - Other Wire") for body in rows}
    assert plain == published
