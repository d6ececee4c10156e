"""Kill the bot with SIGKILL at a chosen step of its outbox, again and again, and count what came of it.

The bot runs in a process of its own, as `catalyst bot` builds it; the service and the strict Discord live here.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from catalyst.bot.outbox import Outbox
from catalyst.db import Database
from catalyst.errors import StorageError
from tests.bot.rig import told
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.server import TOKEN
from tests.web.service import QUICK, Service

STEPS: Mapping[str, tuple[str, str, str, str]] = {
    "taken, not committed": ("catalyst.bot.desk", "Desk", "take", "after"),
    "committed, not woken": ("catalyst.bot.desk", "Desk", "taken", "before"),
    "to be tried": ("catalyst.bot.outbox", "Outbox", "tried", "before"),
    "tried, not sent": ("catalyst.bot.outbox", "Outbox", "tried", "after"),
    "accepted, not recorded": ("catalyst.bot.outbox", "Outbox", "posted", "before"),
    "recorded": ("catalyst.bot.outbox", "Outbox", "posted", "after"),
    "edited, not recorded": ("catalyst.bot.outbox", "Outbox", "edited", "before"),
    "edit recorded": ("catalyst.bot.outbox", "Outbox", "edited", "after"),
}
"""Where, and whether before or after the call."""
_UNDER_WAY = """
SELECT subject, CASE digest WHEN '' THEN nonce ELSE digest END FROM bot_outbox
WHERE state = 'detected' AND tried_at IS NOT NULL
"""
_CONTEXT = multiprocessing.get_context("forkserver")


def _child(folder: Path, environ: dict[str, str], step: str, nth: int) -> None:
    """The bot, which dies at the `nth` passing of `step`; an empty step never kills."""
    from catalyst.app import log
    from catalyst.app.build.bot import bot
    from catalyst.app.settings import load
    from catalyst.bot import pace

    log.configure("error")
    # Thirty messages a minute in a channel would make two hundred kills take a quarter of an hour.
    pace._CHANNEL_SHARE.update(dict.fromkeys(pace._CHANNEL_SHARE, 10**6))
    if step:
        _arm(*STEPS[step], nth)

    async def run() -> None:
        async with bot(load(environ, None), folder) as running:
            await running.run()

    asyncio.run(run())


def _arm(module: str, owner: str, name: str, when: str, nth: int) -> None:
    import importlib

    place = getattr(importlib.import_module(module), owner)
    original, left = getattr(place, name), [nth]

    def pass_by(moment: str) -> None:
        if moment == when:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    if asyncio.iscoroutinefunction(original):

        async def wrapped(*args: Any, **named: Any) -> Any:
            pass_by("before")
            found = await original(*args, **named)
            pass_by("after")
            return found
    else:

        def wrapped(*args: Any, **named: Any) -> Any:  # type: ignore[misc]
            pass_by("before")
            found = original(*args, **named)
            pass_by("after")
            return found

    setattr(place, name, wrapped)


def prepare() -> None:
    """Load the bot's modules once: each process then begins in a few hundredths of a second."""
    _CONTEXT.set_forkserver_preload(["catalyst.app.build.bot", "catalyst.app.settings", "tests.bot.killing"])


class Clocked:
    """The time for made-up alerts."""

    def now(self) -> Any:
        from datetime import UTC, datetime

        return datetime.now(UTC)


@dataclass
class Outcome:
    """What stands on Discord, against what was told."""

    told: int = 0
    kills: int = 0
    lost: int = 0
    duplicates: int = 0
    counted: int = 0
    """Possible duplicates that the bot itself reports."""
    unexplained: int = 0
    """Duplicates beyond one for each kill that cut off the sending of that very message."""
    most_cut_off: int = 0
    """Messages that one kill found under way, at most."""
    unfinished: int = 0
    """Messages that their row knows and that still say "processing", or show no final word."""
    refused: int = 0
    limited: int = 0
    by_step: Counter[str] = field(default_factory=Counter)


class Stage:
    """A service, a Discord and one bot process over `folder`."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder, self.kind = folder, kind
        self.numbers = 0
        self.cut_off: Counter[str] = Counter()
        """By filing, how often a kill found its message under way."""
        self.most_cut_off = 0
        self.process: BaseProcess | None = None

    async def open(self) -> None:
        self.service = Service(self.folder / "log.db", QUICK)
        await self.service.start()
        self.discord = await FakeDiscord(posts=(10**6, 1.0), edits=(10**6, 1.0), channel=10**6).start()
        self.place = self.discord.webhook() if self.kind == "webhook" else self.discord.channel()
        self.environ = {"SEC_DIGESTER_URL": self.service.ws, "DISCORD_API_URL": self.discord.api}
        if self.kind == "webhook":
            self.environ["DISCORD_WEBHOOK_URL"] = self.place
        else:
            self.environ |= {"DISCORD_TOKEN": TOKEN, "DISCORD_CHANNELS": self.place}

    async def close(self) -> None:
        self.kill()
        await self.service.stop()
        await self.discord.close()

    def start(self, step: str = "", nth: int = 1) -> None:
        self.process = _CONTEXT.Process(target=_child, args=(self.folder, self.environ, step, nth), daemon=True)
        self.process.start()

    def kill(self) -> None:
        if self.process is not None and self.process.is_alive():
            os.kill(self.process.pid or 0, signal.SIGKILL)
        if self.process is not None:
            self.process.join()

    async def died(self, seconds: float) -> bool:
        """Whether it killed itself in time."""
        assert self.process is not None
        return await until(lambda: self.process is None or not self.process.is_alive(), seconds)

    async def tell(self, count: int) -> list[int]:
        first = self.numbers + 1
        self.numbers += count
        numbers = list(range(first, self.numbers + 1))
        await self.service.log.append([told(Clocked(), number) for number in numbers])
        return numbers

    async def finish(self, numbers: list[int]) -> None:
        await self.service.log.append([told(Clocked(), number, version=2, final=True) for number in numbers])

    async def following(self) -> bool:
        """Until the bot has a place in the log."""
        return await until(lambda: self.service.app.state.fanout.clients > 0 and self._placed(), 20)

    def _placed(self) -> bool:
        with contextlib.suppress(StorageError):
            return bool(self._read("SELECT count(*) FROM client_places"))
        return False

    def note(self) -> None:
        """After a kill: which messages had an attempt whose end nobody saw."""
        found = self._rows(_UNDER_WAY)
        self.cut_off.update(subject for subject, _ in found)
        self.most_cut_off = max(self.most_cut_off, len({message for _, message in found}))

    def _read(self, statement: str) -> int:
        return int(self._rows(statement)[0][0] or 0)

    def _rows(self, statement: str) -> list[Any]:
        db = Database(self.folder / "bot.db")
        try:
            return db.peek(lambda run: run.execute(statement).fetchall())
        finally:
            db.close()

    async def posted(self, numbers: list[int]) -> bool:
        """Until these filings stand there, or the bot is dead already."""
        wanted = {f"0009999999-25-{number:06}" for number in numbers}

        def met() -> bool:
            dead = self.process is None or not self.process.is_alive()
            return dead or wanted <= {_subject(m) for m in self.discord.of(self.place)}

        return await until(met, 8)

    async def settled(self, seconds: float = 30) -> bool:
        """Until every filing has a message that says its final word."""
        return await until(lambda: len(self._done()) == self.numbers, seconds)

    def _done(self) -> set[str]:
        return {_subject(m) for m in self.discord.of(self.place) if "figures" in _word(m) or _word(m) == "m"}

    async def counts(self) -> dict[str, int]:
        db = Database(self.folder / "bot.db")
        try:
            return await Outbox(db).counts()
        finally:
            db.close()

    async def outcome(self) -> Outcome:
        messages = self.discord.of(self.place)
        by_filing = Counter(map(_subject, messages))
        counts = await self.counts()
        return Outcome(
            told=self.numbers,
            lost=self.numbers - len(by_filing),
            duplicates=sum(count - 1 for count in by_filing.values()),
            counted=counts["doubts"],
            unexplained=sum(max(0, count - 1 - self.cut_off[name]) for name, count in by_filing.items()),
            most_cut_off=self.most_cut_off,
            unfinished=self.numbers - len(self._done()),
            refused=len(self.discord.refused),
            limited=len(self.discord.limited),
        )


def _subject(message: Any) -> str:
    return str(message.embed["footer"]["text"]).partition(" ")[0]


def _word(message: Any) -> str:
    return str(message.value("AI analysis"))


async def until(met: Callable[[], bool], seconds: float) -> bool:
    """Whether it came to hold in time (real seconds)."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not met():
                await asyncio.sleep(0.01)
            return True
    return False


@contextlib.asynccontextmanager
async def staged(folder: Path, kind: str) -> AsyncIterator[Stage]:
    stage = Stage(folder, kind)
    await stage.open()
    try:
        yield stage
    finally:
        await stage.close()


async def kills(
    folder: Path, kind: str, cycles: int, seed: int, say: Callable[[str], None] = lambda _: None
) -> Outcome:
    """`cycles` kills at seeded steps, then one quiet run; what came of it."""
    prepare()
    draw, passed = random.Random(seed), Counter[str]()
    async with staged(folder, kind) as stage:
        stage.start()
        assert await stage.following()
        stage.kill()
        open_: list[int] = []
        for cycle in range(cycles):
            step = list(STEPS)[cycle % len(STEPS)]
            fresh = await stage.tell(2)
            await stage.finish(open_)
            open_ = fresh
            stage.start(step, nth=1 if "edit" in step else draw.randint(1, 2))
            if "edit" in step:
                # After a kill in the middle of a post there may be no message left to edit.
                await stage.posted(fresh)
                await stage.finish(fresh)
                open_ = []
            passed[step] += await stage.died(8.0)
            stage.kill()
            stage.note()
            if cycle % 20 == 19:
                say(f"{kind}: {cycle + 1} kills")
        await stage.finish(open_)
        stage.start()
        await stage.settled(60)
        found = await stage.outcome()
        found.kills, found.by_step = cycles, passed
        return found
