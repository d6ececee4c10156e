"""A day of filings and headlines through the bot's desk, outbox and one lane, on a simulated clock: does anything grow?

The strict Discord is a process of its own, so that what it remembers is not counted as ours; its windows are wide open,
as its clock is not ours: what holds the bot back is what it counts itself, thirty messages a minute in a channel.
Filings come as on the recorded Friday (a quarter of them from 16:00 to 16:30), one in ten never gets its final word.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import random
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from tests.bot.rig import PNG, told
from tests.fakes.discord import FakeDiscord

from bench.common import say
from catalyst.bot.beside import Beside
from catalyst.bot.checkpoint import Place, SqliteCheckpoint
from catalyst.bot.desk import Desk
from catalyst.bot.discord import WebhookSender
from catalyst.bot.entry import Entry, Message
from catalyst.bot.lane import Lane, LaneParts
from catalyst.bot.outbox import KEPT_S, Outbox
from catalyst.bot.pace import Globe, Pace
from catalyst.bot.places import Webhook
from catalyst.bot.preferences import PreferenceStore
from catalyst.bot.quotes import Bar, Quote
from catalyst.bot.stamps import Stamps
from catalyst.clock import SimClock
from catalyst.db import Database
from catalyst.http import Http
from catalyst.stream.types import Alert, AlertType

FILINGS, HEADLINES = 2_454, 1_500
"""Of a day; the recorded Friday's accessions, and a generous day of press releases."""
_START = datetime(2025, 12, 12, 11, 0, tzinfo=UTC)
_HOURS = 16
_CLOSE_S, _AFTER_CLOSE_S = 10 * 3600.0, 1800.0
_CLOSE_SHARE, _HIGH_SHARE, _SILENT_SHARE = 0.24, 0.1, 0.1
_TICKERS = 6_000


@dataclass(frozen=True, slots=True)
class Event:
    """Message `version` of item `number`, so many seconds into the day."""

    at: float
    number: int
    version: int
    headline: bool


def events(volume: int, seed: int = 5) -> list[Event]:
    """The day's messages in their order."""
    draw, found = random.Random(seed), []
    for number in range((FILINGS + HEADLINES) * volume):
        headline = number >= FILINGS * volume
        closing = not headline and draw.random() < _CLOSE_SHARE
        at = _CLOSE_S + draw.random() * _AFTER_CLOSE_S if closing else draw.random() * _HOURS * 3600
        found.append(Event(at, number, 1, headline))
        if draw.random() >= _SILENT_SHARE:
            found.append(Event(at + draw.uniform(0.5, 8.0), number, 2, headline))
    return sorted(found, key=lambda event: event.at)


class Prices:
    """Every other share has a price, one in ten bars to draw."""

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock

    async def quotes(self, symbols: Sequence[str], deadline: float) -> dict[str, Quote]:
        return {name: Quote.of(12.5, 12.0, self._clock.now()) for name in symbols if int(name[1:]) % 2}

    async def bars(self, symbol: str, interval: str) -> list[Bar]:
        return [] if int(symbol[1:]) % 10 else [Bar(self._clock.now(), 1, 2, 0.5, 1.5, 100)]


def _discord(pipe: Any) -> None:
    """The strict Discord until killed: its webhook's address, then its figures as often as they are asked for."""

    async def serve() -> None:
        fake = await FakeDiscord(posts=(10**6, 1.0), edits=(10**6, 1.0), channel=10**6, per_second=10**6).start()
        pipe.send(fake.webhook())
        while True:
            await asyncio.to_thread(pipe.recv)
            edits = sum(len(message.edits) for message in fake.messages.values())
            pipe.send((len(fake.messages), edits, len(fake.refused), len(fake.limited)))

    asyncio.run(serve())


class Desktop:
    """The bot's parts over one file and one webhook."""

    def __init__(self, clock: SimClock, db: Database, http: Http, url: str) -> None:
        self.clock, self.outbox = clock, Outbox(db)
        self.stamps, globe = Stamps(clock), Globe(clock)
        self.beside = Beside(Prices(clock), lambda *_: PNG, clock)
        desk = Desk(self.outbox, PreferenceStore(db), self.stamps)
        hook = Webhook.of(url)
        pace = Pace(globe, globe.channel(hook.key))
        parts = LaneParts(self.outbox, self.beside, self.stamps)
        self.lane = Lane(hook.key, WebhookSender(hook, http, pace), parts, pace)
        desk.add(self.lane)
        self.entry = Entry("alerts", desk.take, desk.taken, SqliteCheckpoint(db))
        self._place: Place | None = None

    async def take(self, number: int, event: Event) -> None:
        """As the client does; time stands still until it is written."""
        alert = _alert(self.clock, event)
        after = Place("day", number, number)
        with self.clock.working():
            key = f"{alert.filing_id}/{alert.version}"
            await self.entry.take(key, Message(number, alert, False, {}), self._place, after)
            await self.entry.written()
        self._place = after

    async def keep(self) -> None:
        """As the room does each hour."""
        while True:
            await self.outbox.retain(self.stamps.now())
            await self.clock.sleep(3600)


def _alert(clock: SimClock, event: Event) -> Alert:
    kind = None
    if event.headline:
        kind = AlertType.HEADLINE_ALERT if event.version == 1 else AlertType.HEADLINE_UPDATE
    high = event.number % round(1 / _HIGH_SHARE) == 0
    ticker = f"T{event.number % _TICKERS}"
    return told(
        clock, event.number, version=event.version, final=event.version == 2, high=high, kind=kind, ticker=ticker
    )


@asynccontextmanager
async def _desktop(folder: Path) -> AsyncIterator[tuple[Desktop, Any]]:
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe()
    process = context.Process(target=_discord, args=(theirs,), daemon=True)
    process.start()
    async with AsyncExitStack() as stack:
        stack.callback(process.kill)
        clock = SimClock(_START, float("inf"))
        db = Database(folder / "bot.db", synchronous="NORMAL")
        stack.callback(db.close)
        http = await stack.enter_async_context(Http(clock))
        made = Desktop(clock, db, http, await asyncio.to_thread(ours.recv))
        stack.push_async_callback(made.beside.close)
        yield made, ours


def _now() -> tuple[float, int]:
    """Resident memory in MiB, and tasks."""
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20, len(asyncio.all_tasks())


async def day(volume: int = 10) -> dict[str, Any]:
    """Memory and tasks after the first tenth and at the end, and what became of every alert."""
    with tempfile.TemporaryDirectory() as folder:
        async with _desktop(Path(folder)) as (made, pipe):
            found = await _day(made, events(volume))
            pipe.send("figures")
            messages, edits, refused, limited = await asyncio.to_thread(pipe.recv)
            found |= {"day_volume": volume, "day_messages": messages, "day_edits": edits}
            found |= {"day_rejected": refused, "day_429": limited}
            await made.outbox.retain(made.stamps.now() + KEPT_S + 60)
            found["day_rows_after_a_week"] = sum((await made.outbox.counts()).values())
            return found


async def _day(made: Desktop, told_: list[Event]) -> dict[str, Any]:
    begun, tenth = time.monotonic(), (0.0, 0)
    running = [asyncio.create_task(made.lane.run()), asyncio.create_task(made.keep())]
    start = made.clock.monotonic()
    for number, event in enumerate(told_, 1):
        if (wait := start + event.at - made.clock.monotonic()) > 0:
            await made.clock.sleep(wait)
        await made.take(number, event)
        if number == len(told_) // 10:
            tenth = _now()
        if number % (len(told_) // 10) == 0:
            say(f"day: {number} of {len(told_)} after {time.monotonic() - begun:.0f} s, {_now()[0]:.0f} MiB")
    while (counts := await made.outbox.counts())["detected"] + counts["posted"]:
        await made.clock.sleep(5)
    await made.clock.sleep(60)
    end = _now()
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return {
        "day_alerts": counts["enriched"] + counts["timed_out"] + counts["gone"],
        "day_untold": len({event.number for event in told_}) - counts["enriched"] - counts["timed_out"],
        "day_rss_tenth_mib": round(tenth[0], 1),
        "day_rss_end_mib": round(end[0], 1),
        "day_tasks_tenth": tenth[1],
        "day_tasks_end": end[1],
    }
