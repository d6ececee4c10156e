"""The page for those who see little or nothing, and for those without a mouse: contrast, names, live regions, focus."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from playwright.async_api import expect

from catalyst.stream.types import Fact
from tests.web.browser import NARROW, WIDE, Window, chromium, filing, reading
from tests.web.service import Service

pytestmark = pytest.mark.slow

PALE = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (text) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255]; };
  const over = (top, below) => top.slice(0, 3).map((part, at) => part * top[3] + below[at] * (1 - top[3]));
  const ground = (node) => { if (!node) return [255, 255, 255];
    const own = rgba(getComputedStyle(node).backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, ground(node.parentElement)); };
  const light = (colour) => { const [r, g, b] = colour.map((part) => { const c = part / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const found = [];
  for (const node of document.querySelectorAll("body *")) {
    if (![...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim())) continue;
    if (node.closest(".unseen, svg, noscript") || !node.checkVisibility({ visibilityProperty: true })) continue;
    const below = ground(node);
    const one = light(over(rgba(getComputedStyle(node).color), below)), other = light(below);
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) found.push([node.className || node.tagName, node.textContent.slice(0, 30), ratio]);
  }
  return found;
}"""
"""Elements with text of their own whose contrast to what lies below is under WCAG's 4.5 to 1."""


def varied() -> list[Any]:
    """Filings of every mood and priority, one read with facts and one that is still being read."""
    found = Fact(name="revenue", value=Decimal(3140882), unit="USD", quote="revenue was $3,140,882", verified=True)
    missing = Fact(name="eps", value=Decimal(-2), unit="USD/share", quote="a loss of 2", verified=False)
    read = reading("bullish", "high", 0.9, facts=[found, missing], risks=["One customer."])
    return [
        filing(1, analysis=reading("bearish", "low", 0.5)),
        filing(2, analysis=reading("neutral", "none", 0.1), ticker="", tickers=[]),
        filing(3, final=False),
        filing(4, items=["2.02"], analysis=read),
    ]


@pytest.mark.parametrize(("scheme", "size"), [("light", WIDE), ("dark", NARROW)])
async def test_every_text_stands_out_from_what_lies_below(service: Service, scheme: Any, size: tuple[int, int]):
    await service.log.append(varied())
    async with chromium(size) as window:
        await window.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        await window.open(service.http)
        await window.live()
        assert await window.page.evaluate(PALE) == []
        await window.row("Filing number 4").click()
        await expect(window.page.locator("#detail")).to_contain_text("revenue was")
        assert await window.page.evaluate(PALE) == []
        await window.open(f"{service.http}/?tickers=NONE")
        await expect(window.page.locator("#empty")).to_be_visible()
        assert await window.page.evaluate(PALE) == []
        await service.stop()
        await expect(window.page.locator("#notice")).to_be_visible()
        assert await window.page.evaluate(PALE) == []
        await window.page.evaluate("document.documentElement.style.setProperty('--quiet', '#777')")
        assert await window.page.evaluate(PALE) != [], "the measure sees what is pale"


async def tree(window: Window) -> list[tuple[str, str]]:
    """(role, name) of all that a screen reader is offered."""
    session = await window.page.context.new_cdp_session(window.page)
    nodes = (await session.send("Accessibility.getFullAXTree"))["nodes"]
    return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node.get("ignored")]


async def test_whatever_can_be_used_has_a_name_and_rows_read_as_sentences(service: Service):
    await service.log.append(varied())
    async with chromium() as window:
        await window.open(service.http)
        await window.live()
        await window.row("Filing number 4").click()
        await expect(window.page.locator("#detail")).to_contain_text("revenue was")
        offered = await tree(window)
    used = {"button", "link", "textbox", "searchbox", "combobox", "tab", "grid", "search", "tablist", "region", "main"}
    assert [role for role, name in offered if role in used - {"main"} and not name.strip()] == []
    assert {"grid", "row", "gridcell", "columnheader", "tab", "search", "main", "status"} <= {
        role for role, _ in offered
    }
    rows = [name for role, name in offered if role == "row" and "Filing number 4" in name]
    assert len(rows) == 1
    assert "high priority" in rows[0]
    assert "bullish" in rows[0]
    assert "▲" not in rows[0]  # a shape for the eye; the word says it


async def test_news_are_told_politely_once_and_trouble_at_once(service: Service):
    await service.log.append([filing(1)])
    async with chromium() as window:
        await window.page.clock.install()
        await window.open(service.http)
        await window.live()
        says, page = window.page.locator("#says"), window.page
        assert await says.get_attribute("aria-live") == "polite"
        assert await page.locator("#notice").get_attribute("role") == "status"
        assert await page.locator("#problem").get_attribute("role") == "alert"
        assert await page.locator("#rows").get_attribute("aria-live") is None
        await service.log.append([filing(n) for n in range(2, 30)])
        await expect(window.rows).to_have_count(29)
        assert await says.inner_text() == ""
        await page.clock.run_for(5000)
        await expect(says).to_have_text("28 messages, the latest: Filing number 29")


async def test_the_tab_key_passes_through_everything_and_is_never_caught(service: Service):
    await service.log.append([filing(n) for n in range(1, 40)])
    async with chromium() as window:
        await window.open(service.http)
        await window.live()
        seen = []
        for _ in range(40):
            await window.page.keyboard.press("Tab")
            seen.append(await window.page.evaluate("document.activeElement.id || document.activeElement.className"))
            if len(seen) > 5 and seen[-1] == seen[0]:
                break
        assert {"tab-filings", "tickers", "forms", "priority", "pause", "keys"} <= set(seen)
        assert sum("row" in each.split() for each in seen) == 1  # one stop for the list; the arrows and j, k walk it
        shown = "getComputedStyle(document.activeElement).outlineStyle"
        await window.page.focus("#tickers")
        await window.page.keyboard.press("Tab")
        assert await window.page.evaluate(shown) == "solid"


async def test_a_dialog_keeps_the_focus_and_gives_it_back(service: Service):
    await service.log.append([filing(1)])
    async with chromium() as window:
        await window.open(service.http)
        await window.live()
        await window.page.focus("#keys")
        await window.page.keyboard.press("Enter")
        await expect(window.page.locator("#help")).to_be_visible()
        for _ in range(4):
            await window.page.keyboard.press("Tab")
            inside = "!document.querySelector('main').contains(document.activeElement)"
            assert await window.page.evaluate(inside)
        await window.page.keyboard.press("Escape")
        await expect(window.page.locator("#help")).to_be_hidden()
        await expect(window.page.locator("#keys")).to_be_focused()
