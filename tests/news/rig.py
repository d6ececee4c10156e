"""A wire on loopback that speaks RSS or Atom as real ones do, and a desk over a real log; what the room's tests use."""

from __future__ import annotations

import asyncio
import contextlib
import html
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from catalyst.clock import Clock, SystemClock
from catalyst.companies import Companies, Listing
from catalyst.db import Database
from catalyst.http import Http
from catalyst.news.classify import Classifier
from catalyst.news.desk import NewsDesk
from catalyst.news.settings import NewsSettings
from catalyst.news.source import Feed
from catalyst.news.stories import Stories
from catalyst.news.tickers import TickerFinder
from catalyst.sentiment import Scorer
from catalyst.stream.sqlite import SqliteLog

LISTINGS = [
    Listing("0009000001", "ELMR", "Nasdaq", "Elm Robotics Inc"),
    Listing("0009000002", "BRKS", "NYSE", "Brook Securities Corp"),
    Listing("0009000003", "TGT", "NYSE", "Target Corp"),
    Listing("0009000004", "TWIA", "NYSE", "Twinfield Partners"),
    Listing("0009000005", "TWIB", "NYSE", "Twinfield Partners"),
    Listing("0009000006", "QUOX", "Nasdaq", "Quoxley Inc"),
]


def companies() -> Companies:
    return Companies(LISTINGS)


def rss(items: Sequence[tuple[str, datetime | None]], title: str = "Loopback Wire") -> bytes:
    """A feed of (title, published)."""
    rows = "".join(
        f"<item><title>{html.escape(text)}</title><link>https://wire.test/{number}</link>"
        f"<guid>{abs(hash(text))}</guid>" + (f"<pubDate>{format_datetime(when)}</pubDate>" if when else "") + "</item>"
        for number, (text, when) in enumerate(items)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>{title}</title>{rows}</channel></rss>'.encode()


@dataclass
class Wire:
    """One feed's server: `put` publishes; every request is kept."""

    items: list[tuple[str, datetime | None]] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    validators: bool = True
    url: str = ""

    def put(self, *titles: str, at: datetime | None = None) -> None:
        self.items = [(title, at or datetime.now(UTC)) for title in titles] + self.items

    def body(self) -> bytes:
        return self.raw if self.raw is not None else rss(self.items)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.requests.append({name.lower(): value for name, value in request.headers.items()})
        body = self.body()
        tag = f'"{hash(body)}"'
        if self.status != 200:
            return web.Response(status=self.status, headers=self.headers)
        if self.validators and request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={"ETag": tag})
        headers = {"ETag": tag, "Last-Modified": "Fri, 12 Dec 2025 14:00:00 GMT"} if self.validators else {}
        return web.Response(body=body, headers=headers | self.headers, content_type="application/rss+xml")


@contextlib.asynccontextmanager
async def serving(*wires: Wire) -> AsyncIterator[None]:
    app = web.Application()
    for number, wire in enumerate(wires):
        app.router.add_get(f"/{number}.xml", wire.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    for number, wire in enumerate(wires):
        wire.url = f"http://127.0.0.1:{runner.addresses[0][1]}/{number}.xml"
    try:
        yield
    finally:
        await runner.cleanup()


@dataclass
class Desk:
    """A running desk and what it wrote."""

    desk: NewsDesk
    log: SqliteLog
    stories: Stories

    async def messages(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        offset = 0
        while batch := await self.log.read(offset, 1000):
            rows += [orjson.loads(record.body) for record in batch]
            offset = batch[-1].offset
        return rows

    async def until(self, count: int, seconds: float = 10) -> list[dict[str, Any]]:
        """The messages, once there are so many."""
        async with asyncio.timeout(seconds):
            await self.log.wait(count - 1)
        return await self.messages()


@contextlib.asynccontextmanager
async def desk(
    folder: Path,
    *wires: Wire,
    clock: Clock | None = None,
    settings: NewsSettings | None = None,
    hub: Any = None,
    prompts: Any = None,
    running: bool = True,
    scorer: Scorer | None = None,
) -> AsyncIterator[Desk]:
    """A desk that follows the wires; stopped at the end, its database closed."""
    clock = clock or SystemClock()
    settings = settings or NewsSettings(poll_seconds=0.05, batch_delay=0.0)
    db = Database(folder / "stream.db", synchronous="NORMAL")
    log, stories = SqliteLog(db), Stories(db)
    async with Http(clock) as http:
        news = NewsDesk(
            [Feed(wire.url, http, clock) for wire in wires],
            stories,
            log,
            Classifier(scorer or Scorer(), clock, settings, hub, prompts),
            TickerFinder(companies()),
            clock,
            settings,
            jitter=lambda: 0.5,
        )
        task = asyncio.create_task(news.run()) if running else None
        try:
            yield Desk(news, log, stories)
        finally:
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            db.close()
