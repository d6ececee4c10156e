"""What stands around the service in `bench/day.py`: Discord, a crowd of WebSocket clients, and who samples memory."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from tests.fakes.discord.server import FakeDiscord

from bench.common import CORPUS, percentile, say

KIT = CORPUS.parent / "bench" / "streaming"
LONGEST_S = 7200
"""The crowd ends when the service stops; this is for a service that never does."""

BOT_DRAIN_S = 900.0


@contextlib.contextmanager
def discord() -> Iterator[FakeDiscord]:
    """The strict Discord in a thread, with its real limits."""
    loop, fake = asyncio.new_event_loop(), FakeDiscord()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(fake.start(), loop).result()
    try:
        yield fake
    finally:
        asyncio.run_coroutine_threadsafe(fake.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


@contextlib.contextmanager
def crowd(
    wanted: argparse.Namespace, folder: Path, port: int, epoch: str, messages: int
) -> Iterator[subprocess.Popen[str] | None]:
    """So many clients of the stream, from its first message on; None where there is no kit or no gcc."""
    kit, clients = wanted.kit, wanted.clients
    if not clients or not (kit / "wsload.c").exists() or shutil.which("gcc") is None:
        say("no load client (kit or gcc is missing): no crowd")
        yield None
        return
    program = folder / "wsload"
    subprocess.run(["gcc", "-O2", "-o", str(program), str(kit / "wsload.c")], check=True, capture_output=True)
    options = ["-p", str(port), "-u", "/ws/filings", "-n", str(clients), "-m", str(messages), "-t", str(LONGEST_S)]
    subscribe = json.dumps({"type": "subscribe", "resume": {"epoch": epoch, "after": 0}})
    load = subprocess.Popen([str(program), *options, "-S", subscribe], stdout=subprocess.PIPE, text=True)
    assert load.stdout is not None
    say(load.stdout.readline().strip())
    try:
        yield load
    finally:
        load.kill()
        load.wait()


class Memory(threading.Thread):
    """Samples a process's memory each second, from its making on."""

    def __init__(self, process: psutil.Process) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._ended = threading.Event()
        self._mib: list[float] = []
        self.start()

    def run(self) -> None:
        while not self._ended.wait(1.0):
            with contextlib.suppress(psutil.Error):
                self._mib.append(self._process.memory_info().rss / 2**20)

    def figures(self) -> dict[str, Any]:
        """The peak, and the means of the middle and the last third: they are equal where memory is flat."""
        self._ended.set()
        third = max(1, len(self._mib) // 3)
        parts = self._mib[third : 2 * third], self._mib[-third:]
        middle, end = (round(sum(part) / max(1, len(part)), 1) for part in parts)
        return {"rss_mb": round(max(self._mib, default=0), 1), "rss_middle_mb": middle, "rss_end_mb": end}


def drain_bot(database: Path) -> float:
    """Seconds until the bot has told everything it was given; `BOT_DRAIN_S` where it had not by then."""
    began = time.monotonic()
    while _states(database).keys() & {"detected", "posted"} and time.monotonic() - began < BOT_DRAIN_S:
        time.sleep(1.0)
    return round(time.monotonic() - began, 1)


def told(fake: FakeDiscord, database: Path, filings: int) -> dict[str, Any]:
    """What came to Discord, where the bot's outbox stands, and milliseconds from the bot's receipt to Discord's."""
    with contextlib.closing(_opened(database)) as db:
        high = db.execute("SELECT posted_at - detected_at FROM bot_outbox WHERE tier = 'high' AND posted_at NOT NULL")
        waits = [1000 * seconds for (seconds,) in high]
        (known,) = db.execute("SELECT count(*) FROM bot_alerts").fetchone()
    states = _states(database)
    return {
        "discord_messages": len(fake.messages),
        "discord_refused": len(fake.refused),
        "discord_429": len(fake.limited),
        "bot_lost": filings - known,
        "bot_told": sum(states.values()),
        "bot_states": states,
        "bot_high": len(waits),
        "bot_high_p95_ms": percentile(waits, 0.95),
    }


def _states(database: Path) -> dict[str, int]:
    with contextlib.closing(_opened(database)) as db:
        return dict(db.execute("SELECT state, count(*) FROM bot_outbox GROUP BY state"))


def _opened(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{database}?mode=ro", uri=True)
