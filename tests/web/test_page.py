"""The page at `/` in a real Chromium: the live list, filters, resume, states, and text that was filed to do harm."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from playwright.async_api import Route, expect

from catalyst.stream.types import Analysis
from tests.web.browser import Window, chromium, filing, reading
from tests.web.service import QUICK, Service

pytestmark = pytest.mark.slow

FEED = Analysis(priority="medium", priority_score=0.7, source="feed")


@pytest.fixture
async def window():
    async with chromium() as opened:
        yield opened


async def test_the_past_is_shown_newest_on_top_and_nothing_else_is_asked_for(service: Service, window: Window):
    await service.log.append([filing(n) for n in range(1, 4)])
    await window.open(service.http)
    await window.live()
    assert await window.headlines() == ["Filing number 3", "Filing number 2", "Filing number 1"]
    await expect(window.rows.first).to_contain_text("■ neutral")
    await expect(window.page.locator("#unread")).to_be_hidden()
    origins = {re.sub(r"^ws", "http", url)[: len(service.http) + 1] for url in window.requests}
    assert origins == {f"{service.http}/"}
    assert window.complaints == []


async def test_a_live_alert_is_checking_until_its_update_lands_in_the_same_row(service: Service, window: Window):
    await service.log.append([filing(1)])
    await window.open(service.http)
    await window.live()
    await service.log.append([filing(2, final=False, analysis=FEED)])
    row = window.row("Filing number 2")
    await expect(row).to_contain_text("checking…")
    await service.log.append([filing(3)])
    await expect(window.rows).to_have_count(3)
    await row.evaluate("row => { row.mine = true; }")
    better = reading("bullish", sentiment=0.6)
    await service.log.append([filing(2, "Filing number 2, read", version=2, analysis=better)])
    await expect(row).to_contain_text("▲ bullish")
    await expect(row).not_to_contain_text("checking…")
    assert await row.evaluate("row => row.mine")
    assert await window.headlines() == ["Filing number 3", "Filing number 2, read", "Filing number 1"]
    await expect(window.page).to_have_title("(2) Catalyst")
    assert window.complaints == []


async def test_a_filter_is_kept_in_the_address_and_holds_for_past_and_live(service: Service, window: Window):
    other: dict[str, Any] = {"ticker": "OTHR", "tickers": ["OTHR"], "company": "Other"}
    low: dict[str, Any] = {"analysis": reading(score=0.3, priority="none")}
    await service.log.append([filing(1), filing(2, **other), filing(3, filing_type="10-Q"), filing(4, **low)])
    await window.open(service.http)
    await window.live()
    await expect(window.rows).to_have_count(4)
    await window.page.fill("#tickers", "acme, $brk.b")
    await window.page.fill("#forms", "8-K")
    await window.page.select_option("#priority", "0.6")
    await expect(window.rows).to_have_count(1)
    assert window.page.url == f"{service.http}/?tickers=ACME%2CBRK-B&forms=8-K&min_priority=0.6"
    await service.log.append([filing(5, **other), filing(6)])
    await expect(window.row("Filing number 6")).to_have_count(1)
    await window.open(window.page.url)
    await window.live()
    assert await window.headlines() == ["Filing number 6", "Filing number 1"]
    assert await window.page.input_value("#tickers") == "ACME, BRK-B"
    await window.page.click("#clear")
    await expect(window.rows).to_have_count(6)
    assert window.page.url == f"{service.http}/"
    assert window.complaints == []


async def test_after_a_restart_the_page_goes_on_where_it_was(start, window: Window):
    edgar = {"state": "live", "reason": "", "last_poll": None, "lag_s": 0.5}
    service = await start(status=lambda: {"edgar": edgar})
    await service.log.append([filing(1)])
    await window.open(service.http)
    await window.live()
    await expect(window.chip("EDGAR")).to_have_text("EDGAR live")
    await service.stop()
    await expect(window.page.locator("#notice")).to_contain_text(re.compile(r"resuming from \d\d:\d\d:\d\d…"))
    await expect(window.chip("stream")).to_contain_text("disconnected")
    await expect(window.chip("EDGAR")).to_contain_text("unknown")
    await expect(window.rows).to_have_count(1)
    await service.start()
    await service.log.append([filing(2), filing(1, "Filing number 1, read", version=2)])
    await expect(window.rows).to_have_count(2, timeout=15_000)
    await expect(window.page.locator("#notice")).to_be_hidden()
    await service.log.append([filing(3)])
    await expect(window.rows).to_have_count(3)
    assert await window.headlines() == ["Filing number 3", "Filing number 2", "Filing number 1, read"]


async def test_another_log_behind_the_same_address_is_loaded_anew(service: Service, window: Window):
    await service.log.append([filing(1)])
    await window.open(service.http)
    await window.live()
    await service.stop()
    service.path = service.path.with_name("another.db")
    await service.start()
    await service.log.append([filing(7), filing(8)])
    await expect(window.rows).to_have_count(2, timeout=15_000)
    assert await window.headlines() == ["Filing number 8", "Filing number 7"]


async def test_no_filings_yet_says_what_is_awaited(start, window: Window):
    edgar = {"state": "closed", "reason": "", "last_poll": None, "lag_s": None}
    service = await start(status=lambda: {"edgar": edgar})
    await window.open(service.http)
    await expect(window.page.locator("#empty")).to_contain_text("No filings yet.EDGAR is closed")
    await service.log.append([filing(1)])
    await expect(window.page.locator("#empty")).to_be_hidden()
    assert window.complaints == []


async def test_a_filter_without_a_match_can_be_cleared_from_there(service: Service, window: Window):
    await service.log.append([filing(1)])
    await window.open(f"{service.http}/?tickers=NONE&forms=10-K")
    await expect(window.page.locator("#empty")).to_contain_text("No filing matches NONE, form 10-K.")
    await window.page.locator("#empty").get_by_role("button", name="Clear filter").click()
    await expect(window.rows).to_have_count(1)
    await expect(window.page.locator("#empty")).to_be_hidden()


async def test_a_filter_too_wide_for_one_question_finds_what_lies_far_down(service: Service, window: Window):
    """More tickers than are asked for one by one are looked for among all filings: the newest hundred may have none."""
    other: dict[str, Any] = {"ticker": "OTHR", "tickers": ["OTHR"], "company": "Other"}
    await service.log.append([filing(1), *(filing(n, **other) for n in range(2, 350))])
    many = ",".join(["ACME", *(f"T{n}" for n in range(20))])
    await window.open(f"{service.http}/?tickers={many}")
    await window.live()
    assert await window.headlines() == ["Filing number 1"]
    await window.open(f"{service.http}/?tickers={many.replace('ACME', 'NONE')}")
    await expect(window.page.locator("#empty")).to_contain_text(
        "No filing matches NONE, T0, T1, T2, T3, T4, T5, T6 and 13 more."
    )


async def test_a_past_that_cannot_be_loaded_says_so_and_can_be_asked_for_again(service: Service, window: Window):
    await service.log.append([filing(1)])

    async def fail(route: Route) -> None:
        await route.fulfill(status=503, json={"detail": "the log cannot be read now: try again later"})

    await window.page.route("**/api/filings/**", fail)
    await window.open(service.http)
    problem = window.page.locator("#problem")
    await expect(problem).to_contain_text("the log cannot be read now")
    await service.log.append([filing(2)])
    await expect(window.rows).to_have_count(1)
    await window.page.unroute("**/api/filings/**")
    await problem.get_by_role("button", name="Try again").click()
    await expect(window.rows).to_have_count(2)
    await expect(problem).to_be_hidden()


async def test_a_service_with_keys_asks_for_one(start, window: Window):
    service = await start(dataclasses.replace(QUICK, api_keys=("right",)))
    await service.log.append([filing(1)])
    await window.open(service.http)
    await expect(window.page.locator("#api-key")).to_be_focused()
    await window.page.keyboard.type("wrong\n")
    await expect(window.page.locator("#key-problem")).to_contain_text("refused")
    await window.page.fill("#api-key", "right")
    await window.page.keyboard.press("Enter")
    await expect(window.rows).to_have_count(1)
    await expect(window.page.locator("#key")).to_be_hidden()
    assert not any("right" in url for url in window.requests)


HOSTILE = (
    "<script>window.harmed = 1</script><img src=x onerror='window.harmed = 1'>"
    " \u202egnp.exe\u2066 &amp; \u0000 </div><style>body{display:none}</style>"
)


async def test_text_that_was_filed_to_do_harm_is_text(service: Service, window: Window):
    risk = reading(summary=HOSTILE, risks=[HOSTILE], rules=[HOSTILE])
    bad = filing(1, HOSTILE, company=HOSTILE, analysis=risk, url="javascript:window.harmed=1", tags=[HOSTILE])
    await service.log.append([bad])
    await window.open(service.http)
    await window.live()
    await window.rows.first.click()
    detail = window.page.locator("#detail")
    await expect(detail.locator(".summary")).to_contain_text("<script>window.harmed = 1</script>")
    await expect(detail.locator("a")).to_have_count(0)
    shown = await window.page.evaluate("document.querySelector('main').textContent")
    assert "</style>" in shown
    assert not set("\u202e\u2066\u0000") & set(shown)
    assert await window.page.locator("main script, main img, main style").count() == 0
    assert await window.page.evaluate("typeof window.harmed") == "undefined"
    assert window.complaints == []


async def test_the_policy_forbids_markup_from_strings_and_scripts_from_elsewhere(service: Service, window: Window):
    await window.open(service.http)
    await window.live()
    markup = "(() => { try { document.body.innerHTML = '<p>'; return 'taken'; } catch { return 'refused'; } })()"
    assert await window.page.evaluate(markup) == "refused"
    elsewhere = "fetch('http://127.0.0.1:1/').then(() => 'sent', () => 'refused')"
    assert await window.page.evaluate(elsewhere) == "refused"
    assert any("Content Security Policy" in text for text in window.complaints)
