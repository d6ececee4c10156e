"""The system's Chromium, driven by Playwright: what the tests of the page use. No browser is ever downloaded."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Locator, Page, async_playwright, expect

from catalyst.stream.types import Alert, AlertType, Analysis, Label, Priority

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
WIDE, NARROW = (1440, 900), (420, 900)


class Window:
    """One page of a browser with an empty profile, and what it asked for and complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda said: self._complain(said.type, said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))

    def _complain(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    @property
    def rows(self) -> Locator:
        return self.page.locator("#rows > [role=row]")

    def row(self, text: str) -> Locator:
        return self.rows.filter(has_text=text)

    async def open(self, address: str) -> None:
        await self.page.goto(address)

    async def live(self) -> None:
        """Wait until the stream is live and the past is loaded."""
        await expect(self.chip("stream")).to_contain_text("live")
        await expect(self.page.locator("#list")).to_have_attribute("aria-busy", "false")

    def chip(self, name: str) -> Locator:
        return self.page.locator("#chips li").filter(has_text=name).locator("button")

    async def headlines(self) -> list[str]:
        return await self.rows.locator(".headline .text").all_inner_texts()


@contextlib.asynccontextmanager
async def chromium(size: tuple[int, int] = WIDE) -> AsyncIterator[Window]:
    """A window; skips the test where the system has no Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium: apt-get install chromium (tools/system-packages.sh)")
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=path, args=list(FLAGS))
        page = await browser.new_page(viewport={"width": size[0], "height": size[1]})
        page.set_default_timeout(10_000)
        try:
            yield Window(page)
        finally:
            await browser.close()


def filing(number: int, headline: str = "", **fields: Any) -> Alert:
    """Alert of invented filing `number`, seen a moment ago; `analysis` replaces the whole analysis."""
    now = datetime.now(UTC)
    plain: dict[str, Any] = {
        "filing_id": f"0009999999-26-{number:06}",
        "ticker": "ACME",
        "tickers": ["ACME"],
        "company": "Acme Holdings",
        "filing_type": "8-K",
        "timestamp": now,
        "accepted_at": now - timedelta(seconds=3),
        "seen_at": now - timedelta(seconds=1),
        "final": True,
        "headline": headline or f"Filing number {number}",
        "analysis": reading(),
        "url": "https://www.sec.gov/Archives/edgar/data/1/x-index.htm",
    }
    if fields.get("version", 1) > 1:
        plain["type"] = AlertType.FILING_UPDATE
    return Alert(**(plain | fields))


def reading(label: Label = "neutral", priority: Priority = "medium", score: float = 0.7, **fields: Any) -> Analysis:
    """An analysis by rules."""
    plain: dict[str, Any] = {
        "sentiment": 0.1,
        "confidence": 0.5,
        "summary": "It filed.",
        "rules": ["Form 8-K: urgency 1"],
    }
    return Analysis(label=label, priority=priority, priority_score=score, **(plain | fields))
