"""A fact's quote shown in its place in the filing, in a real Chromium, and headlines in the list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from playwright.async_api import expect

from catalyst.stream.types import Fact, HeadlineAlert
from catalyst.web.documents import documents_router
from tests.web.browser import Window, chromium, filing, reading

pytestmark = pytest.mark.slow

QUOTE = "Revenue was | $3,140,882 | up 12 %"
FACT = Fact(name="revenue", value=Decimal(3140882), unit="USD", quote=QUOTE, verified=True)
INVENTED = Fact(name="net_income", value=Decimal(1), unit="USD", quote="We earned a dollar.")


@dataclass(frozen=True, slots=True)
class Part:
    type: str
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    parts: tuple[Part, ...]
    cut: bool = False


class Held:
    """Texts by accession."""

    def __init__(self, texts: dict[str, Text]) -> None:
        self._texts = texts

    async def get(self, accession: str) -> Text | None:
        return self._texts.get(accession)


@pytest.fixture
async def window():
    async with chromium() as opened:
        yield opened


async def opened(start, window: Window, text: Text | None, **fields):
    alert = filing(1, analysis=reading(facts=[FACT, INVENTED]), **fields)
    service = await start(routers=[documents_router(Held({alert.filing_id: text} if text else {}))])
    await service.log.append([alert])
    await window.open(service.http)
    await window.live()
    await window.rows.first.click()
    return window.page.get_by_role("dialog", name="ACME 8-K, as it was read")


async def test_a_quote_is_shown_marked_in_its_place(start, window: Window):
    filler = "Words that say little.\n" * 3000
    text = Text(
        (Part("8-K", "The cover page."), Part("EX-99.1", f"{filler}Revenue was |  $3,140,882\n| up 12 %\n{filler}"))
    )
    reader = await opened(start, window, text)
    await window.page.get_by_role("button", name=QUOTE).click()
    mark = reader.locator("mark")
    await expect(mark).to_have_text("Revenue was |  $3,140,882\n| up 12 %")
    await expect(mark).to_be_in_viewport()
    await expect(reader.get_by_role("heading", level=3)).to_have_text(["8-K", "EX-99.1"])
    await window.page.keyboard.press("j")
    await window.page.keyboard.press("Escape")
    await expect(reader).to_be_hidden()
    await expect(window.page.get_by_role("button", name=QUOTE)).to_be_focused()
    assert window.complaints == []


async def test_a_quote_that_is_not_in_the_text_says_so(start, window: Window):
    reader = await opened(start, window, Text((Part("8-K", "The cover page."),), cut=True))
    await window.page.get_by_role("button", name="We earned a dollar.").click()
    await expect(reader.get_by_role("status")).to_contain_text("“We earned a dollar.” is not in the text that is held")
    await expect(reader).to_contain_text("The cover page.")


async def test_a_text_that_is_not_held_any_more_says_so_and_names_edgar(start, window: Window):
    reader = await opened(start, window, None)
    await window.page.get_by_role("button", name=QUOTE).click()
    await expect(reader.get_by_role("status")).to_contain_text("The text of this filing is not held here any more")
    await expect(reader.get_by_role("link", name="Open at EDGAR")).to_be_visible()


async def test_a_text_that_was_filed_to_do_harm_is_text(start, window: Window):
    harm = "<script>window.harmed = 1</script><img src=x onerror='window.harmed = 1'>\u202e"
    reader = await opened(start, window, Text((Part(harm, f"{harm}{QUOTE}{harm}"),)))
    await window.page.get_by_role("button", name=QUOTE).click()
    await expect(reader.locator("mark")).to_have_text(QUOTE)
    assert "\u202e" not in await reader.inner_text()
    assert await reader.locator("script, img").count() == 0
    assert await window.page.evaluate("typeof window.harmed") == "undefined"


async def test_a_headline_stands_in_the_list_with_its_wire(start, window: Window):
    service = await start()
    now = datetime.now(UTC)
    await window.open(service.http)
    await window.live()
    headline = HeadlineAlert(
        filing_id="news-1",
        headline_id="news-1",
        title="Acme wins",
        headline="Acme wins a contract",
        source="Example Wire",
        sources=["Example Wire", "Other Wire"],
        ticker="ACME",
        tickers=["ACME"],
        timestamp=now,
        accepted_at=now,
        url="https://news.example/1",
        analysis=reading("bullish"),
        final=True,
    )
    await service.log.append([headline])
    await expect(window.rows.first).to_contain_text("NEWS")
    await window.rows.first.click()
    detail = window.page.locator("#detail")
    await expect(detail.get_by_role("link", name="Read at Example Wire")).to_be_visible()
    await expect(detail).to_contain_text("Example Wire, Other Wire")
    await expect(detail).to_contain_text("published")
    assert window.complaints == []


async def test_the_focus_comes_back_though_the_pane_was_drawn_anew_meanwhile(start, window: Window):
    reader = await opened(start, window, Text((Part("EX-99.1", "Revenue was | $3,140,882 | up 12 %"),)))
    await window.page.get_by_role("button", name=QUOTE).click()
    await expect(reader.locator("mark")).to_be_visible()
    await window.page.evaluate(
        "document.querySelectorAll('#detail button').forEach((one) => one.replaceWith(one.cloneNode(true)))"
    )
    await window.page.keyboard.press("Escape")
    await expect(window.page.get_by_role("button", name=QUOTE)).to_be_focused()
