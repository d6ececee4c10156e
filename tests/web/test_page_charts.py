"""The charts tab in a real Chromium: what is drawn is what REST says, in words and in a table; and empty states."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from tests.llm.hub import hub_of, settings_of
from tests.web.browser import NARROW, Window, chromium, filing
from tests.web.service import Service
from tests.web.test_usage import row

pytestmark = pytest.mark.slow

NAMES = [
    "Spend by day and model",
    "From acceptance to alert",
    "Alerts by the minute",
    "Cache hits by level",
    "Providers",
]


@pytest.fixture
async def window():
    async with chromium() as opened:
        yield opened


@pytest.fixture
async def hub(wire, tmp_path: Path):
    async with hub_of(settings_of(wire, tmp_path), tmp_path / "hub") as hub:
        ledger = hub._parts.attempts.ledger
        for number in range(10):
            ledger.record(row(number, outcome="timeout" if number == 9 else "ok", model=f"m{number % 2}"))
        await ledger.flush()
        yield hub


def told(number: int, seconds: float):
    accepted = datetime.now(UTC) - timedelta(minutes=5)
    return filing(number, accepted_at=accepted, timestamp=accepted + timedelta(seconds=seconds))


def chart(window: Window, name: str):
    return window.page.locator("figure").filter(has=window.page.get_by_role("heading", name=name))


async def test_every_figure_says_in_words_and_in_a_table_what_it_draws(start, hub, window: Window):
    service: Service = await start(hub=hub)
    await service.log.append([told(1, 0.4), told(2, 1.5), told(3, 40)])
    await window.open(service.http)
    await window.live()
    await window.page.keyboard.press("c")
    await expect(window.page.get_by_role("heading", level=2).filter(visible=True)).to_have_text(NAMES)
    spend = chart(window, NAMES[0])
    await expect(spend.locator(".told")).to_contain_text(
        "$10.00 in 30 days; the cache saved $0.00, failed attempts wasted $1.00"
    )
    await expect(spend.locator("rect")).to_have_count(2)
    await expect(spend.locator(".limit-text")).to_have_text("alarm at $30.00")
    latency = chart(window, NAMES[1])
    await expect(latency.locator(".told")).to_contain_text("half came within 1.5 s")
    await expect(latency.locator("rect")).to_have_count(3)
    await expect(latency.locator(".mark-text")).to_have_text(["p50 1.5 s", "p95 40.0 s"])
    await expect(chart(window, NAMES[2]).locator(".told")).to_contain_text("3 alerts in the hour to")
    await expect(chart(window, NAMES[3])).to_contain_text("No answer cache")
    providers = chart(window, NAMES[4])
    await providers.locator("summary").click()
    await expect(providers.locator("tbody tr")).to_have_text("openai109100$10.00")
    assert window.complaints == []


async def test_a_drawing_has_a_name_that_tells_it_to_a_screen_reader(start, hub, window: Window):
    service: Service = await start(hub=hub)
    await window.open(f"{service.http}/#charts")
    drawn = chart(window, NAMES[0]).get_by_role("img")
    await expect(drawn).to_have_accessible_name(
        "Spend by day and model. $10.00 in 30 days; the cache saved $0.00, failed attempts wasted $1.00."
        " $0.00 of $1000.00 this month. An alarm goes out at $30.00 a day."
    )
    await window.page.get_by_label("Days of the spend chart").select_option("7")
    await expect(chart(window, NAMES[0]).locator(".told")).to_contain_text("in 7 days")


async def test_the_tabs_are_walked_by_keyboard_and_kept_in_the_address(service: Service, window: Window):
    await service.log.append([filing(1)])
    await window.open(f"{service.http}/?forms=8-K")
    await window.live()
    await window.page.get_by_role("tab", name="Filings").focus()
    await window.page.keyboard.press("ArrowRight")
    await expect(window.page.get_by_role("tab", name="Charts")).to_be_focused()
    await expect(window.page.locator("#charts")).to_be_visible()
    await expect(window.page.locator("#filings")).to_be_hidden()
    assert window.page.url == f"{service.http}/?forms=8-K#charts"
    await window.page.reload()
    await expect(window.page.get_by_role("tab", name="Charts")).to_have_attribute("aria-selected", "true")
    await window.page.keyboard.press("j")
    await window.page.keyboard.press("f")
    await expect(window.rows).to_have_count(1)
    await expect(window.rows.first).to_have_attribute("aria-selected", "false")
    assert window.page.url == f"{service.http}/?forms=8-K"


async def test_without_alerts_or_models_each_figure_says_why_it_is_empty(service: Service, window: Window):
    await window.open(f"{service.http}/#charts")
    await expect(chart(window, NAMES[0])).to_contain_text("No model is configured: filings are read by rules")
    await expect(chart(window, NAMES[1])).to_contain_text("No alert yet.")
    assert await window.page.locator("figure details").filter(visible=True).count() == 0
    assert window.complaints == []


async def test_figures_that_cannot_be_loaded_say_so_and_can_be_asked_for_again(service: Service, window: Window):
    async def fail(route: Route) -> None:
        await route.fulfill(status=503, json={"detail": "the ledger cannot be read now"})

    await window.page.route("**/api/usage*", fail)
    await window.open(f"{service.http}/#charts")
    problem = window.page.locator("#charts > .problem")
    await expect(problem).to_contain_text("the ledger cannot be read now")
    await window.page.unroute("**/api/usage*")
    await problem.get_by_role("button", name="Try again").click()
    await expect(problem).to_be_hidden()
    await expect(chart(window, NAMES[1])).to_contain_text("No alert yet.")


async def test_on_a_narrow_screen_nothing_lies_beside_the_page(start, hub):
    service: Service = await start(hub=hub)
    await service.log.append([told(1, 0.4), told(2, 1.5)])
    async with chromium(NARROW) as window:
        await window.open(f"{service.http}/#charts")
        await expect(chart(window, NAMES[4]).locator("svg")).to_be_visible()
        assert await window.page.evaluate("document.querySelector('#charts').scrollWidth <= innerWidth")
