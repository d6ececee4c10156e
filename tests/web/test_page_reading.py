"""Reading at the page, in a real Chromium: the pane, the keyboard, pausing, bounds, narrow screens, screen readers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.async_api import expect

from catalyst.stream.types import Fact
from tests.web.browser import NARROW, Window, chromium, filing, reading
from tests.web.service import Service

pytestmark = pytest.mark.slow


@pytest.fixture
async def window():
    async with chromium() as opened:
        yield opened


REVENUE = Fact(
    name="revenue",
    value=Decimal(3140882),
    unit="USD",
    period="2025-Q4",
    scope="current",
    quote="Sales were $3,140,882.",
    verified=True,
)
LOSS = Fact(name="eps_diluted", value=Decimal("-1.64"), unit="USD/share", scope="guidance", quote="A loss.")


async def test_the_pane_tells_what_was_found_where_and_by_whom(service: Service, window: Window):
    told = reading("bearish", sentiment=-0.5, facts=[REVENUE, LOSS], risks=["One customer."], grounded_share=0.5)
    by_model = told.model_copy(update={"source": "llm", "model": "fast/small", "cost_usd": Decimal("0.00042")})
    await service.log.append([filing(1, final=False), filing(1, version=2, analysis=by_model, items=["2.02"])])
    await window.open(service.http)
    await window.live()
    await window.rows.first.click()
    detail = window.page.locator("#detail")
    first, second = detail.locator("tbody").all_inner_texts, detail.locator("tbody").nth(1)
    await expect(second).to_contain_text("−$1.64 a share")
    await expect(second).to_contain_text("✗ not found")
    rows = await first()
    assert rows[0].split() == ["Revenue", "$3,140,882", "2025-Q4", "✓", "found", "Sales", "were", "$3,140,882."]
    for text in ("sentiment −0.50", "One customer.", "Form 8-K: urgency 1", "fast/small", "$0.00042", "items 2.02"):
        await expect(detail).to_contain_text(text)
    await expect(detail).to_contain_text("update from a model, checked against the filing +3.")
    link = detail.get_by_role("link", name="Open at EDGAR")
    assert await link.get_attribute("rel") == "noopener noreferrer"
    assert window.complaints == []


async def test_an_update_reaches_the_open_pane_and_the_address_opens_it_again(service: Service, window: Window):
    await service.log.append([filing(1, final=False), filing(2)])
    await window.open(service.http)
    await window.live()
    await window.row("Filing number 1").click()
    await service.log.append([filing(1, version=2, analysis=reading(summary="Now it is read."))])
    summary = window.page.locator("#detail .summary")
    await expect(summary).to_have_text("Now it is read.")
    assert window.page.url.endswith("/#0009999999-26-000001")
    await window.page.reload()
    await expect(summary).to_have_text("Now it is read.")
    await expect(window.row("Filing number 1")).to_have_attribute("aria-selected", "true")
    await window.open(f"{service.http}/#0000000000-00-000000")
    await window.page.reload()
    await expect(window.page.locator("#detail [role=alert]")).to_contain_text(
        "no filing '0000000000-00-000000' is held"
    )


async def test_the_keyboard_walks_reads_filters_pauses_and_marks(service: Service, window: Window):
    await service.log.append([filing(n) for n in range(1, 5)])
    await window.open(service.http)
    await window.live()
    press, selected = window.page.keyboard.press, window.page.locator("#rows [aria-selected=true]")
    await press("j")
    await press("j")
    await expect(selected).to_contain_text("Filing number 3")
    await expect(selected).to_be_focused()
    await press("ArrowDown")
    await press("End")
    await expect(selected).to_contain_text("Filing number 1")
    await press("k")
    await expect(selected).to_contain_text("Filing number 2")
    await expect(window.page.locator("#detail h2")).to_contain_text("ACME")
    await press("Enter")
    await expect(window.page.locator("#detail")).to_be_focused()
    await press("Escape")
    await expect(selected).to_be_focused()
    await press("/")
    await expect(window.page.locator("#tickers")).to_be_focused()
    await window.page.keyboard.type("jmp")
    assert await window.page.input_value("#tickers") == "jmp"
    await press("Escape")
    await expect(window.page.locator("#tickers")).not_to_be_focused()
    await window.page.keyboard.press("?")
    await expect(window.page.get_by_role("dialog", name="Keys")).to_be_visible()
    await press("Escape")
    await expect(window.page.locator("#help")).to_be_hidden()
    assert window.complaints == []


async def test_unread_filings_are_counted_until_they_are_marked(service: Service, window: Window):
    await window.open(service.http)
    await window.live()
    await service.log.append([filing(1), filing(2), filing(3)])
    unread = window.page.locator("#unread")
    await expect(unread).to_have_text("3 unread")
    await window.page.keyboard.press("j")
    await expect(unread).to_have_text("2 unread")
    await window.page.keyboard.press("m")
    await expect(unread).to_be_hidden()
    await expect(window.page).to_have_title("Catalyst")


async def test_while_paused_nothing_moves_and_nothing_is_lost(service: Service, window: Window):
    await service.log.append([filing(1, final=False)])
    await window.open(service.http)
    await window.live()
    await window.page.keyboard.press("p")
    await service.log.append([filing(2, final=False), filing(1, "Filing number 1, read", version=2)])
    await service.log.append([filing(2, "Filing number 2, read", version=2)])
    pause = window.page.locator("#pause")
    await expect(pause).to_have_text("Go on (2 new)")
    assert await window.headlines() == ["Filing number 1"]
    await pause.click()
    await expect(window.rows).to_have_count(2)
    assert await window.headlines() == ["Filing number 2, read", "Filing number 1, read"]


async def test_the_list_is_bounded_and_its_past_comes_page_by_page(service: Service, window: Window):
    for start in range(0, 620, 155):
        await service.log.append([filing(n) for n in range(start, start + 155)])
    await window.open(service.http)
    await window.live()
    await expect(window.rows).to_have_count(100)
    for count in (200, 300, 400, 500):
        await window.page.click("#older")
        await expect(window.rows).to_have_count(count)
    await expect(window.page.locator("#older")).to_be_hidden()
    await expect(window.page.locator("#full")).to_contain_text("The newest 500 are shown")
    await service.log.append([filing(1000)])
    await expect(window.rows.first).to_contain_text("Filing number 1000")
    headlines = await window.headlines()
    assert headlines == ["Filing number 1000"] + [f"Filing number {n}" for n in range(619, 120, -1)]


async def test_too_much_for_a_pause_is_loaded_anew(service: Service, window: Window):
    await service.log.append([filing(1, final=False)])
    await window.open(service.http)
    await window.live()
    await window.page.keyboard.press("p")
    await service.log.append([filing(1, "Filing number 1, read", version=2)])
    await service.log.append([filing(n) for n in range(2, 520)])
    await expect(window.page.locator("#pause")).to_contain_text("more than 500 new")
    await service.log.append([filing(2, "Filing number 2, read", version=2)])
    await window.page.keyboard.press("p")
    await expect(window.rows.first).to_contain_text("Filing number 2, read")
    await expect(window.rows).to_have_count(100)


async def test_the_top_bar_has_words_and_the_reason_on_focus(start, window: Window):
    edgar = {"state": "failing", "reason": "the feed answered 503", "last_poll": None, "lag_s": None}
    rooms = {"edgar": edgar, "model": "models of fast", "alerts": {"model_failures": 2}}
    service = await start(status=lambda: rooms)
    await window.open(service.http)
    chip = window.chip("EDGAR")
    await expect(chip).to_have_text("EDGAR failing")
    tip = window.page.locator("#tip-EDGAR")
    await expect(tip).to_be_hidden()
    await chip.focus()
    await window.page.keyboard.press("Shift+Tab")
    await window.page.keyboard.press("Tab")
    await expect(tip).to_be_visible()
    await expect(tip).to_contain_text("the feed answered 503")
    await expect(window.chip("models")).to_have_text("models some failed")


async def test_on_a_narrow_screen_the_pane_covers_the_list_until_it_is_closed(service: Service):
    async with chromium(NARROW) as window:
        await service.log.append([filing(1), filing(2)])
        await window.open(service.http)
        await window.live()
        await expect(window.page.locator("#detail")).to_be_hidden()
        await window.row("Filing number 1").click()
        await expect(window.page.locator("#detail .summary")).to_be_visible()
        assert await window.page.evaluate("document.querySelector('.listing').inert")
        await window.page.get_by_role("button", name="Close").click()
        await expect(window.page.locator("#detail")).to_be_hidden()
        await expect(window.row("Filing number 1")).to_be_focused()
        assert await window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_screen_reader_finds_a_grid_and_is_told_little(service: Service, window: Window):
    await service.log.append([filing(1)])
    await window.open(service.http)
    await window.live()
    grid = window.page.get_by_role("grid", name="Filings, newest first")
    await expect(grid.get_by_role("columnheader")).to_have_text(
        ["Priority", "Accepted", "Ticker", "Form", "Headline", "Sentiment"]
    )
    await expect(grid.get_by_role("row").nth(1).get_by_role("gridcell").first).to_have_text("medium priority")
    assert await window.page.locator("#rows [tabindex='0']").count() == 1
    said: list[str] = []
    await window.page.expose_function("heard", lambda text: said.append(text))
    await window.page.evaluate(
        "new MutationObserver(() => heard(document.querySelector('#says').textContent))"
        ".observe(document.querySelector('#says'), { childList: true })"
    )
    await service.log.append([filing(n) for n in range(2, 40)])
    await expect(window.page.locator("#says")).to_have_text("38 messages, the latest: Filing number 39", timeout=15_000)
    assert len(said) == 1
