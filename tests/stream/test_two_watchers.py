"""Two processes that would watch: exactly one does, whoever is stopped, cut off or killed, and nothing is doubled."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.redis import RedisServer
from tests.fakes.redis import redis_server as redis_server
from tests.stream.redis_logs import RedisLogs

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
TTL = 0.9


class Watcher:
    """One process, and what it has said."""

    def __init__(self, url: str, folder: Path, name: str) -> None:
        command = [sys.executable, "-m", "tests.stream.watcher", url, str(folder), name, str(TTL)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith("\n"):
                self.lines.append(line.strip())

    @property
    def terms(self) -> int:
        return self.lines.count("watching")

    @property
    def acknowledged(self) -> list[tuple[int, str]]:
        return [(int(line.split()[1]), line.split()[2]) for line in list(self.lines) if line.startswith("ack ")]

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)


@contextlib.contextmanager
def watchers(server: RedisServer, folder: Path) -> Iterator[tuple[Watcher, Watcher]]:
    """The first of them watches already."""
    parts = [Watcher(server.url, folder, "a")]
    try:
        until(lambda: len(parts[0].acknowledged) > 20)
        parts.append(Watcher(server.url, folder, "b"))
        yield parts[0], parts[1]
    finally:
        for watcher in parts:
            watcher.process.kill()
            watcher.process.wait()


def until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


async def check(server: RedisServer, folder: Path, *parts: Watcher) -> None:
    """Dense, each key once, and each acknowledged message where it was said to be."""
    logs = RedisLogs(server, folder)
    log = await logs.open("judge", begin=False)
    await log.started()
    stored: dict[int, str] = {}
    while records := await log.read(max(stored, default=0), 500):
        stored |= {record.offset: _name(record.filing_id, record.alert_type) for record in records}
    await logs.close()
    assert sorted(stored) == list(range(1, len(stored) + 1))
    assert max(Counter(stored.values()).values()) == 1, "nothing doubled"
    for watcher in parts:
        for offset, name in watcher.acknowledged:
            assert stored[offset] == name
    order = [int(name[-8:-2]) for name in stored.values() if name.endswith("/1")]
    assert order == list(range(len(order))), "no filing was left out"


def _name(filing_id: str, alert_type: str) -> str:
    return f"{filing_id}/{1 if alert_type.endswith('alert') else 2}"


async def test_a_holder_that_was_stopped_beyond_its_lease_writes_nothing_when_it_goes_on(redis_server, tmp_path):
    with watchers(redis_server, tmp_path) as (first, second):
        first.signal(signal.SIGSTOP)
        until(lambda: len(second.acknowledged) > 20)
        before, grown = len(first.acknowledged), len(second.acknowledged)
        first.signal(signal.SIGCONT)
        until(lambda: len(second.acknowledged) > grown + 60)
        # What Redis had stored before the stop may be read, and said, after it; nothing else is.
        assert len(first.acknowledged) <= before + 1, "a stale holder's append was acknowledged"
        assert first.process.poll() is None
        assert first.terms == second.terms == 1
    await check(redis_server, tmp_path, first, second)


async def test_the_other_takes_over_when_the_holder_is_killed(redis_server, tmp_path):
    with watchers(redis_server, tmp_path) as (first, second):
        first.process.kill()
        until(lambda: len(second.acknowledged) > 20)
    await check(redis_server, tmp_path, first, second)


async def test_redis_that_is_killed_twice_ends_nobody_and_loses_nothing(redis_server, tmp_path):
    with watchers(redis_server, tmp_path) as (first, second):
        for _ in range(2):
            redis_server.stop()
            time.sleep(0.5)
            redis_server.start()
            grown = len(first.acknowledged) + len(second.acknowledged)
            until(lambda: len(first.acknowledged) + len(second.acknowledged) > grown + 20)  # noqa: B023
        assert first.process.poll() is None
        assert second.process.poll() is None
    await check(redis_server, tmp_path, first, second)


async def test_a_redis_that_lost_its_tail_gets_it_back_while_both_run(redis_server, tmp_path):
    with watchers(redis_server, tmp_path) as (first, second):
        copy = redis_server.copy()
        grown = len(first.acknowledged)
        until(lambda: len(first.acknowledged) > grown + 20)
        redis_server.stop()
        kept = first.acknowledged
        redis_server.start(copy=copy)
        until(lambda: len(first.acknowledged) + len(second.acknowledged) > len(kept) + 20)
    await check(redis_server, tmp_path, first, second)
