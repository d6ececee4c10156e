"""What `bench.alerts` stands on: the bot in a process of its own, a service and the strict Discord around it, and when
each alert passed each step of the bot.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import re
import signal
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.bot.killing import Clocked, until
from tests.bot.rig import told
from tests.fakes.discord import FakeDiscord
from tests.web.service import QUICK, Service

from bench.common import say
from catalyst.bot.preferences import FOREVER, Preferences, PreferenceStore
from catalyst.db import Database

_CONTEXT = multiprocessing.get_context("forkserver")
STEPS = ("received", "committed", "chosen", "sent")
"""Between them: the commit; the lane, which waits for quiet before what can wait; the attempt's mark and the price."""


class DeadQuotes:
    """A price source that takes every question and answers none."""

    async def quotes(self, symbols: Any, deadline: float) -> Any:
        await asyncio.Event().wait()

    async def bars(self, symbol: str, interval: str) -> Any:
        await asyncio.Event().wait()


class Bars(DeadQuotes):
    """Bars at once, so that charts are drawn; prices fail."""

    async def quotes(self, symbols: Any, deadline: float) -> Any:
        raise RuntimeError("down")

    async def bars(self, symbol: str, interval: str) -> Any:
        return [object()]


def bad_chart(_bars: Any, _quote: Any, alert: Any) -> Any:
    """Raises, lies, hangs or draws nothing, by the filing's number."""
    kind = int(alert.filing_id[-1]) % 4
    if kind == 0:
        raise ValueError("no chart")
    if kind == 1:
        return b"garbage"
    if kind == 2:
        time.sleep(3600)
    return None


def _child(folder: Path, environ: dict[str, str], times: Path, scenario: str) -> None:
    """The bot as `catalyst bot` builds it; received and sent moments go to `times`."""
    import uvloop

    from catalyst.app import log
    from catalyst.app.build.bot import bot
    from catalyst.app.settings import load

    log.configure("error")
    out = times.open("a", buffering=1)
    _timed(out)
    quotes = Bars() if scenario == "terminal" else DeadQuotes()
    chart = bad_chart if scenario == "terminal" else None

    async def run() -> None:
        async with bot(load(environ, None), folder, quotes=quotes, chart=chart) as running:
            task = asyncio.create_task(running.run())
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
            out.write(f"started - {time.time():.6f}\n")
            with contextlib.suppress(asyncio.CancelledError):
                await task

    uvloop.run(run())


def _timed(out: Any) -> None:
    """Write down when each alert passed each step: one line per step, in the order of `STEPS`."""
    from catalyst.bot.desk import Desk
    from catalyst.bot.discord import WebhookSender
    from catalyst.bot.lane import Lane

    take, taken, chosen, post = Desk.take, Desk.taken, Lane._post, WebhookSender.post

    def write(step: str, *subjects: str) -> None:
        out.writelines(f"{step} {subject} {time.time():.6f}\n" for subject in subjects)

    async def taking(self: Any, message: Any) -> Any:
        write("received", f"{message.alert.filing_id}/{message.alert.version}")
        return await take(self, message)

    def committed(self: Any, message: Any) -> None:
        write("committed", f"{message.alert.filing_id}/{message.alert.version}")
        taken(self, message)

    async def choosing(self: Any, batch: Any) -> None:
        write("chosen", *(row.subject for row in batch.rows))
        await chosen(self, batch)

    async def posting(self: Any, delivery: Any) -> Any:
        write("sent", *(alert.filing_id for alert in delivery.alerts))
        return await post(self, delivery)

    Desk.take, Desk.taken, WebhookSender.post = taking, committed, posting  # type: ignore[method-assign]
    Lane._post = choosing  # type: ignore[method-assign]


class Set:
    """A service, a Discord with its real limits, and the bot in a process."""

    def __init__(self, folder: Path, channels: int, scenario: str) -> None:
        self.folder, self.channels, self.scenario = folder, channels, scenario
        self.times = folder / "times"
        self.process: Any = None

    async def open(self) -> None:
        self.service = Service(self.folder / "log.db", QUICK)
        await self.service.start()
        self.discord = await FakeDiscord().start()
        self.hooks = [self.discord.webhook() for _ in range(self.channels)]
        self.environ = {"SEC_DIGESTER_URL": self.service.ws, "DISCORD_WEBHOOK_URL": ",".join(self.hooks)}
        await self._spread()

    async def _spread(self) -> None:
        """Channel n hears of ticker Tn alone."""
        db = Database(self.folder / "bot.db")
        store = PreferenceStore(db)
        for number, hook in enumerate(self.hooks):
            mutes = {f"T{other}": FOREVER for other in range(self.channels) if other != number}
            for owner in (f"webhook:{hook.split('/')[-2]}", f"channel:8{hook.split('/')[-2][1:]}"):
                await store.put(owner, Preferences(mutes=mutes))
        db.close()

    async def start(self) -> None:
        self.process = _CONTEXT.Process(
            target=_child, args=(self.folder, self.environ, self.times, self.scenario), daemon=True
        )
        self.process.start()
        if not await until(lambda: self.service.app.state.fanout.clients > 0, 30):
            raise SystemExit("the bot did not come up")
        await asyncio.sleep(0.5)

    async def end(self, number: int) -> None:
        os.kill(self.process.pid, number)
        await until(lambda: not self.process.is_alive(), 10)

    async def close(self) -> None:
        if self.process is not None and self.process.is_alive():
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.join()
        await self.service.stop()
        await self.discord.close()

    async def tell(self, number: int, **fields: Any) -> None:
        alert = told(Clocked(), number, ticker=f"T{number % self.channels}", **fields)
        await self.service.log.append([alert])

    def moments(self, kind: str) -> dict[str, float]:
        """By filing, the first of its kind."""
        found: dict[str, float] = {}
        for line in self.times.read_text().splitlines():
            what, subject, moment = line.split()
            filing, _, version = subject.partition("/")
            if what == kind and version in ("", "1"):
                found.setdefault(filing, float(moment))
        return found

    def accepted(self) -> dict[str, float]:
        """When Discord took each filing, alone or in a digest."""
        found: dict[str, float] = {}
        for message in self.discord.messages.values():
            text = f"{message.embed.get('title')} {message.embed.get('description')} {message.embed['footer']['text']}"
            for number in _numbers(text):
                found.setdefault(number, message.at)
        return found

    def avoidable(self) -> int:
        """429s that its headers, or the reported limit of a channel, would have told us of: here, all."""
        if self.discord.limited:
            say(f"429: {Counter((kind, verdict.scope) for kind, verdict in self.discord.limited)}")
        return len(self.discord.limited)


def _numbers(text: str) -> set[str]:
    named = {f"0009999999-25-{int(each):06}" for each in re.findall(r"number (\d+)", text)}
    return named | set(re.findall(r"0009999999-25-\d{6}", text))


@contextlib.asynccontextmanager
async def stage(channels: int, scenario: str) -> AsyncIterator[Set]:
    with tempfile.TemporaryDirectory() as folder:
        made = Set(Path(folder), channels, scenario)
        await made.open()
        try:
            await made.start()
            yield made
        finally:
            await made.close()
