"""Prices as an alert shows them: real adapters over a market that fails in every way, through the bot to Discord."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst.bot.beside import Beside
from catalyst.bot.prices import Board, Screen
from catalyst.bot.prices.screen import SCREENED_S, WAIT_S
from catalyst.clock import SimClock, SystemClock
from catalyst.stream.types import AlertType
from tests.bot.rig import Prices, Rig, told
from tests.bot.test_prices_sources import NOW, VENDORS, source
from tests.fakes.quotes import FakeMarket


@pytest.fixture
def clock() -> SimClock:
    """Ten in the morning, New York: what is a fresh price depends on it."""
    return SimClock(NOW, speed=float("inf"))


@pytest.fixture
async def market() -> AsyncIterator[FakeMarket]:
    made = await FakeMarket().start()
    yield made
    await made.close()


@pytest.fixture
async def asking(rig: Rig, market: FakeMarket) -> AsyncIterator[Callable[..., Board]]:
    """Put a board over these vendors into the rig."""
    boards: list[Board] = []

    def put(*vendors: str, screen: Screen | None = None) -> Board:
        rig.prices = Board([source(vendor, market, rig.http) for vendor in vendors], rig.clock)
        rig.screen = screen or Screen()
        boards.append(rig.prices)
        rig.boot()
        return boards[-1]

    yield put
    for board in boards:
        await board.close()


def broken(market: FakeMarket, vendor: str, how: str) -> None:
    """A share that is there, told of in one wrong way."""
    market.set("ACME", 12.0, 11.0, NOW)
    faults: dict[str, Callable[[], object]] = {
        "429": lambda: market.fails(vendor, 429, headers={"Retry-After": "30"}),
        "403": lambda: market.fails(vendor, 403, "no"),
        "500": lambda: market.fails(vendor, 500, "boom"),
        "redirect": lambda: market.fails(vendor, 302, headers={"Location": "http://127.0.0.1:9/"}),
        "html": lambda: market.fails(vendor, 200, "<html>maintenance</html>"),
        "empty": lambda: market.fails(vendor, 200, ""),
        "large": lambda: market.fails(vendor, 200, "[" + "0," * (3 << 20) + "0]"),
        "deep": lambda: market.fails(vendor, 200, "[" * 20_000),
        "stale": lambda: market.set("ACME", 12.0, 11.0, NOW - timedelta(hours=2)),
        "future": lambda: market.set("ACME", 12.0, 11.0, NOW + timedelta(hours=2)),
        "zero": lambda: market.set("ACME", 0.0, 0.0, NOW),
        "negative": lambda: market.set("ACME", -12.0, 11.0, NOW),
        "hang": lambda: market.hangs(vendor),
    }
    faults[how]()


FAULTS = (
    "429",
    "403",
    "500",
    "redirect",
    "html",
    "empty",
    "large",
    "deep",
    "stale",
    "future",
    "zero",
    "negative",
    "hang",
)


@pytest.mark.parametrize("how", FAULTS)
@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_vendor_that_fails_costs_the_price_and_nothing_else(
    rig: Rig, market: FakeMarket, asking: Callable[..., Board], vendor: str, how: str
):
    broken(market, vendor, how)
    asking(vendor, screen=Screen(Decimal(100), skip_otc=True))  # bounds that would keep the true price back
    hook = rig.webhook()
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until_states(posted=1)
    [message] = rig.discord.of(hook)
    assert message.value("Price") == "price unavailable"
    assert market.asked_of(vendor) == [["ACME"]]
    assert rig.discord.refused == []


@pytest.mark.parametrize("how", [each for each in FAULTS if each != "stale"])
async def test_the_next_vendor_tells_the_price_in_its_place(
    rig: Rig, market: FakeMarket, asking: Callable[..., Board], how: str
):
    market.set("ACME", 12.0, 11.9, NOW, vendor="tiingo")
    broken(market, "finnhub", how)
    asking("finnhub", "tiingo", screen=Screen(Decimal("0.01")))  # a bound: the alert waits for its price
    hook = rig.webhook()
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until_states(posted=1)
    assert rig.discord.of(hook)[0].value("Price") == "$12.00 (+0.8 %)"


async def test_bounds_and_market_keep_alerts_back_by_what_vendors_say(
    rig: Rig, market: FakeMarket, asking: Callable[..., Board]
):
    market.set("PNNY", 0.4, 0.4, NOW)
    market.set("DEAR", 900.0, 900.0, NOW)
    market.set("PINK", 5.0, 5.0, NOW, exchange="PNK")
    market.set("GOOD", 5.0, 5.0, NOW)
    asking("yahoo", screen=Screen(Decimal(1), Decimal(500), skip_otc=True))
    hook = rig.webhook()
    rig.run()
    for number, ticker in enumerate(("PNNY", "DEAR", "PINK", "GOOD", "NONE", "TAGD")):
        kind = AlertType.HEADLINE_ALERT if number % 2 else None
        tagged = told(rig.clock, number, ticker=ticker, kind=kind).model_copy(
            update={"tags": ["otc"] if ticker == "TAGD" else []}
        )
        await rig.take(tagged)
    await rig.until_states(posted=2, gone=4)
    assert sorted(each.embed["title"][:4] for each in rig.discord.of(hook)) == ["GOOD", "NONE"]
    assert rig.screen.counts() == {"price_floor": 1, "price_ceiling": 1, "otc": 2}


async def test_a_split_that_one_vendor_has_half_done_is_marked(
    rig: Rig, market: FakeMarket, asking: Callable[..., Board]
):
    """Two new shares for an old one: the first vendor's previous close is still the old share's."""
    market.set("ACME", 50.0, 100.0, NOW, vendor="finnhub")
    market.set("ACME", 50.0, 50.5, NOW, vendor="tiingo")
    asking("finnhub", "tiingo", screen=Screen(Decimal(60)))
    hook = rig.webhook()
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until_states(posted=1)
    assert "sources disagree" in rig.discord.of(hook)[0].value("Price")


class Timed(SystemClock):
    """Notes every wait that is asked of it."""

    def __init__(self) -> None:
        self.asked: list[float | None] = []

    def timeout(self, seconds: float | None) -> Any:
        self.asked.append(seconds)
        return super().timeout(seconds)


@pytest.mark.parametrize(
    ("screen", "longest"),
    [
        (Screen(), WAIT_S),
        (Screen(floor=Decimal(1)), SCREENED_S),
        (Screen(ceiling=Decimal(50)), SCREENED_S),
        (Screen(skip_otc=True), SCREENED_S),
    ],
)
async def test_an_alert_waits_for_its_price_as_documented_twice_and_then_no_more(screen: Screen, longest: float):
    clock, prices = Timed(), Prices(SimClock(NOW))
    prices.hang = True
    beside = Beside(prices, None, clock)
    for ticker in ("AAA", "BBB", "CCC", "DDD"):
        assert await beside.soon(ticker, screen.wait_s) is None
        await asyncio.sleep(0)
    await beside.close()
    sources_own = 2.0
    assert [wait for wait in clock.asked if wait != sources_own] == [longest, longest]
    assert prices.asked == 4
