"""A strict Discord, an outbox on disk and lanes between them, on a simulated clock: what the bot's tests stand on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from catalyst.bot.beside import Beside
from catalyst.bot.desk import Desk
from catalyst.bot.discord import BotSender, WebhookSender
from catalyst.bot.entry import Message
from catalyst.bot.lane import Lane, LaneParts
from catalyst.bot.outbox import Outbox, State
from catalyst.bot.pace import Globe, Pace
from catalyst.bot.places import Webhook
from catalyst.bot.preferences import PreferenceStore
from catalyst.bot.prices import Screen
from catalyst.bot.quotes import Bar, NoQuotes, Quote
from catalyst.bot.senders import Sender
from catalyst.bot.stamps import Stamps
from catalyst.clock import SimClock
from catalyst.db import Database
from catalyst.http import Http
from catalyst.stream.types import Alert, AlertType, Analysis, Fact
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.server import TOKEN

SECONDS = 0.4
"""For one request: a test that hangs does so in real time."""
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def told(
    clock: Any,
    number: int = 1,
    *,
    version: int = 1,
    final: bool = False,
    high: bool = True,
    kind: AlertType | None = None,
    ticker: str = "ACME",
    **analysis: Any,
) -> Alert:
    """Message `version` of invented filing `number`; final ones come from a model."""
    source = "llm" if final else "rules"
    score = 0.9 if high else 0.3
    fields = {"sentiment": 0.42, "label": "bullish", "keywords": ["guidance"], "priority": "high" if high else "none"}
    return Alert(
        type=kind or (AlertType.FILING_ALERT if version == 1 else AlertType.FILING_UPDATE),
        filing_id=f"0009999999-25-{number:06}",
        ticker=ticker,
        tickers=[ticker] if ticker else [],
        company="Acme Widgets, Inc.",
        filing_type="8-K",
        items=["2.02", "9.01"],
        timestamp=clock.now(),
        accepted_at=clock.now() - timedelta(seconds=2),
        version=version,
        final=final,
        headline=f"{ticker} (Acme Widgets): results (8-K 2.02), number {number}",
        analysis=Analysis(**{**fields, "priority_score": score, "source": source, "model": "m", **analysis}),
        url="https://www.sec.gov/Archives/edgar/data/1/a-index.htm",
    )


def fact(name: str, value: str, *, verified: bool) -> Fact:
    return Fact(name=name, value=Decimal(value), unit="USD", period="2025-Q3", scope="current", verified=verified)


class Prices:
    """A price source that says what a test tells it to."""

    def __init__(self, clock: SimClock) -> None:
        self.clock = clock
        self.known: dict[str, Quote] = {}
        self.hang = False
        self.error: Exception | None = None
        self.asked = 0
        self.bar: list[Bar] = []

    def set(self, ticker: str, price: object, before: object = None, **fields: Any) -> None:
        self.known[ticker] = Quote.of(price, before, self.clock.now(), **fields)

    async def quotes(self, symbols: Sequence[str], deadline: float) -> dict[str, Quote]:
        self.asked += 1
        if self.hang:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        return {name: self.known[name] for name in symbols if name in self.known}

    async def bars(self, symbol: str, interval: str) -> list[Bar]:
        return self.bar


class Rig:
    """One process's worth of bot: `restart` makes the next one over the same file and the same Discord."""

    def __init__(self, clock: SimClock, folder: Path, discord: FakeDiscord, http: Http) -> None:
        self.clock, self.folder, self.discord, self.http = clock, folder, discord, http
        self.prices: Any = NoQuotes()
        self.chart: Callable[..., Any] | None = None
        self.progressive = True
        self.screen = Screen()
        self._running: list[asyncio.Task[None]] = []
        self._targets: list[tuple[str, str]] = []
        clock.hold()
        self.boot()

    async def sleep(self, seconds: float) -> None:
        """Let simulated time pass."""
        self.clock.release()
        await self.clock.sleep(seconds)
        self.clock.hold()

    def boot(self) -> None:
        self.db = Database(self.folder / "bot.db")
        self.outbox = Outbox(self.db)
        self.preferences = PreferenceStore(self.db)
        self.stamps = Stamps(self.clock)
        self.globe = Globe(self.clock)
        self.desk = Desk(self.outbox, self.preferences, self.stamps)
        self.beside = Beside(self.prices, self.chart, self.clock)

    def webhook(self, url: str = "") -> str:
        """A lane over a new webhook; its address."""
        url = url or self.discord.webhook()
        hook = Webhook.of(url)
        pace = Pace(self.globe, self.globe.channel(hook.key))
        self._add(hook.key, WebhookSender(hook, self.http, pace, seconds=SECONDS), pace)
        self._targets.append(("webhook", url))
        return url

    def bot(self, channel: str = "") -> str:
        """A lane over a bot's new channel; its id."""
        channel = channel or self.discord.channel()
        pace = Pace(self.globe, self.globe.channel(channel))
        self._add(f"channel:{channel}", self._bot_sender(channel, pace), pace)
        self._targets.append(("bot", channel))
        return channel

    def direct(self, owner: str) -> None:
        """A lane to `user:ID`."""
        pace = Pace(self.globe, self.globe.channel(owner))
        self._add(owner, self._bot_sender("", pace, owner.removeprefix("user:")), pace)
        self._targets.append(("direct", owner))

    def _bot_sender(self, channel: str, pace: Pace, user: str = "") -> BotSender:
        return BotSender(TOKEN, channel, self.http, pace, api=self.discord.api, user=user, seconds=SECONDS)

    def sender(self, target: str, sender: Sender) -> Lane:
        return self._add(target, sender, None)

    def _add(self, target: str, sender: Sender, pace: Pace | None) -> Lane:
        parts = LaneParts(self.outbox, self.beside, self.stamps, self.progressive, screen=self.screen, draw=lambda: 1.0)
        lane = Lane(target, sender, parts, pace)
        self.desk.add(lane)
        return lane

    @property
    def lane(self) -> Lane:
        return next(iter(self.desk.lanes.values()))

    def run(self) -> None:
        self._running = [asyncio.create_task(lane.run()) for lane in self.desk.lanes.values()]

    async def stop(self) -> None:
        """As a kill does: nobody gets a last word."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._running = []
        await self.beside.close()

    async def restart(self) -> None:
        await self.stop()
        self.db.close()
        self.boot()
        targets, self._targets = self._targets, []
        for kind, place in targets:
            again: dict[str, Callable[[str], object]]
            again = {"webhook": self.webhook, "bot": self.bot, "direct": self.direct}
            again[kind](place)
        self.run()

    async def take(self, *alerts: Alert) -> None:
        """As the client does: decide, commit, wake."""
        writing = []
        for alert in alerts:
            message = Message(1, alert, False, {})
            work = await self.desk.take(message)
            if work is not None:
                writing.append((message, asyncio.create_task(self.db.write(work))))
                await asyncio.sleep(0)
        for message, task in writing:
            await task
            self.desk.taken(message)

    async def until(self, met: Callable[[], object], *, leap: bool = False) -> None:
        """Until it holds; real seconds bound a failing test. Only with `leap` does simulated time run ahead."""
        with contextlib.ExitStack() as stack:
            if leap:
                self.clock.release()
                stack.callback(self.clock.hold)
            async with asyncio.timeout(30):
                while not met():
                    await asyncio.sleep(0.002)

    async def states(self) -> dict[str, int]:
        return await self.outbox.counts()

    async def until_states(self, *, leap: bool = False, **wanted: int) -> None:
        with contextlib.ExitStack() as stack:
            if leap:
                self.clock.release()
                stack.callback(self.clock.hold)
            async with asyncio.timeout(30):
                while True:
                    found = await self.states()
                    if all(found[state] == count for state, count in wanted.items()):
                        return
                    await asyncio.sleep(0.002)


@contextlib.asynccontextmanager
async def rigged(clock: SimClock, folder: Path, **limits: Any) -> AsyncIterator[Rig]:
    discord = await FakeDiscord(lambda: clock.now().timestamp(), **limits).start()
    async with Http(clock) as http:
        rig = Rig(clock, folder, discord, http)
        try:
            yield rig
        finally:
            await rig.stop()
            rig.db.close()
            await discord.close()


__all__ = ["PNG", "Prices", "Rig", "State", "fact", "rigged", "told"]
