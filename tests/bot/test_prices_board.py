"""The board over real servers: order, hedge, cache, limits, breaker, deadline; and what is marked or never shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from catalyst.bot.cards import price as shown_price
from catalyst.bot.prices import Board, Screen, Source
from catalyst.bot.prices.gate import FAILURES, Gate, Limit
from catalyst.bot.prices.session import session_at, session_of
from catalyst.bot.quotes import Bar, Quote
from catalyst.clock import SimClock
from catalyst.http import Http
from catalyst.stream.types import Alert
from tests.bot.test_prices_sources import BARS, NOW, source
from tests.fakes.quotes import FakeMarket

SOON_S = 5.0
"""Long enough for any answer on loopback."""


class Place:
    """A market, a held simulated clock (real time), and boards over it."""

    def __init__(self, market: FakeMarket, http: Http, clock: SimClock) -> None:
        self.market, self.http, self.clock = market, http, clock
        self.boards: list[Board] = []

    def board(self, *vendors: str, hedge_s: float = 5.0, keys: Mapping[str, str] | None = None) -> Board:
        sources = [source(vendor, self.market, self.http, (keys or {}).get(vendor, "")) for vendor in vendors]
        return self.over(*sources, hedge_s=hedge_s)

    def over(self, *sources: Source, hedge_s: float = 5.0) -> Board:
        made = Board(sources, self.clock, hedge_s=hedge_s)
        self.boards.append(made)
        return made

    async def later(self, seconds: float) -> None:
        self.clock.release()
        await self.clock.sleep(seconds)
        self.clock.hold()


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    clock = SimClock(NOW, speed=float("inf"))
    clock.hold()
    market = await FakeMarket().start()
    async with Http(clock) as http:
        made = Place(market, http, clock)
        yield made
        for board in made.boards:
            await board.close()
    await market.close()


async def test_the_first_source_answers_and_no_other_is_asked(place: Place):
    place.market.set("ACME", 12.0, 11.0, NOW)
    found = await place.board("finnhub", "tiingo").quotes(["ACME"], SOON_S)
    assert found["ACME"].provider == "finnhub"
    assert [name for name, _ in place.market.asked] == ["finnhub"]


@pytest.mark.parametrize("status", [500, 503, 429, 401, 403, 302])
async def test_a_source_that_fails_is_followed_by_the_next(status: int, place: Place):
    place.market.set("ACME", 12.0, 11.0, NOW)
    place.market.fails("finnhub", status)
    board = place.board("finnhub", "tiingo")
    assert (await board.quotes(["ACME"], SOON_S))["ACME"].provider == "tiingo"
    assert "finnhub" in board.troubles()


async def test_a_source_that_does_not_answer_soon_gets_company(place: Place):
    place.market.set("ACME", 12.0, 11.0, NOW)
    place.market.hangs("finnhub")
    found = await place.board("finnhub", "tiingo", hedge_s=0.02).quotes(["ACME"], SOON_S)
    assert found["ACME"].provider == "tiingo"


async def test_who_asks_waits_until_the_deadline_and_no_longer_though_all_hang(place: Place):
    place.market.hangs("finnhub")
    place.market.hangs("tiingo")
    board = place.board("finnhub", "tiingo", hedge_s=0.01)
    assert await board.quotes(["ACME"], 0.04) == {}
    assert under_way()  # the requests go on, nobody waits for them


async def test_an_answer_that_comes_after_the_deadline_serves_the_next_who_asks(place: Place):
    place.market.set("ACME", 12.0, 11.0, NOW)
    board = place.board("finnhub")
    assert await board.quotes(["ACME"], 0.0) == {}
    assert (await board.quotes(["ACME"], SOON_S))["ACME"].price == 12
    assert len(place.market.asked) == 1


async def test_equal_questions_at_once_are_one_request_and_different_ones_one_batch(place: Place):
    for name in ("AAA", "BBB", "CCC"):
        place.market.set(name, 12.0, 11.0, NOW)
    board = place.board("alpaca")
    asked = [["AAA"], ["AAA"], ["BBB", "aaa"], ["CCC"], ["$BBB"]]
    found = await asyncio.gather(*(board.quotes(names, SOON_S) for names in asked))
    assert [sorted(each) for each in found] == [["AAA"], ["AAA"], ["BBB", "aaa"], ["CCC"], ["$BBB"]]
    assert place.market.asked_of("alpaca") == [["AAA", "BBB", "CCC"]]


async def test_an_answer_serves_for_thirty_seconds(place: Place):
    place.market.set("ACME", 12.0, 11.0, NOW)
    board = place.board("finnhub")
    await board.quotes(["ACME"], SOON_S)
    await place.later(29)
    await board.quotes(["ACME"], SOON_S)
    assert len(place.market.asked) == 1
    await place.later(2)
    await board.quotes(["ACME"], SOON_S)
    assert len(place.market.asked) == 2


async def test_a_symbol_nobody_knows_is_not_asked_for_again_at_once(place: Place):
    board = place.board("finnhub", "tiingo")
    for _ in range(3):
        assert await board.quotes(["NOPE"], SOON_S) == {}
    assert len(place.market.asked) == 2


async def test_what_is_missing_at_the_first_is_asked_of_the_second(place: Place):
    place.market.set("AAA", 12.0, 11.0, NOW)
    place.market.set("BBB", 7.0, 7.0, NOW, vendor="tiingo")
    found = await place.board("alpaca", "tiingo").quotes(["AAA", "BBB"], SOON_S)
    assert {name: quote.provider for name, quote in found.items()} == {"AAA": "alpaca", "BBB": "tiingo"}
    assert place.market.asked_of("tiingo") == [["BBB"]]


async def test_a_free_tier_is_never_exceeded(place: Place):
    names = [f"{a}{b}" for a in "ABCDEFGH" for b in "ABCDEFGHIJ"]
    for name in names:
        place.market.set(name, 12.0, 11.0, place.clock.now())
    board = place.board("finnhub")
    await board.quotes(names, SOON_S)
    assert place.market.counts["finnhub"] <= 30  # a second's
    await place.later(1.1)
    await board.quotes(names, SOON_S)
    assert place.market.counts["finnhub"] <= 60
    await board.quotes(names, SOON_S)
    assert not board.troubles()
    assert place.market.counts["finnhub"] <= 60


async def test_a_source_that_said_too_many_rests_as_long_as_it_asked(place: Place):
    place.market.set("ACME", 12.0, 11.0, NOW)
    place.market.fails("finnhub", 429, headers={"Retry-After": "40"})
    board = place.board("finnhub")
    await board.quotes(["ACME"], SOON_S)
    place.market.recovers("finnhub")
    await place.later(38)
    assert await board.quotes(["ACME"], SOON_S) == {}
    assert len(place.market.asked) == 1
    await place.later(3)
    assert "ACME" in await board.quotes(["ACME"], SOON_S)


async def test_a_dead_source_is_left_alone_then_tried_again(place: Place):
    place.market.fails("finnhub", 500)
    board = place.board("finnhub")
    for number in range(10):
        await board.quotes([f"A{chr(65 + number)}"], SOON_S)
    assert len(place.market.asked) == FAILURES
    place.market.recovers("finnhub")
    place.market.set("ACME", 12.0, 11.0, NOW)
    await place.later(16)
    assert "ACME" in await board.quotes(["ACME"], SOON_S)


async def test_a_stale_price_is_no_price(place: Place):
    place.market.set("ACME", 12.0, 11.0, NOW - timedelta(hours=1))
    assert await place.board("finnhub").quotes(["ACME"], SOON_S) == {}


async def test_a_stale_price_is_followed_by_a_fresh_one_of_the_next(place: Place):
    place.market.set("ACME", 12.0, 11.0, NOW - timedelta(hours=1), vendor="alpaca")
    place.market.set("ACME", 14.0, 11.0, NOW)
    assert (await place.board("alpaca", "tiingo").quotes(["ACME"], SOON_S))["ACME"].price == 14


async def test_two_sources_that_disagree_on_the_same_moment_are_marked(place: Place):
    place.market.set("ACME", 120.0, 119.0, NOW, vendor="finnhub")
    place.market.set("ACME", 12.0, 11.9, NOW)
    board = place.board("finnhub", "tiingo")
    with structlog.testing.capture_logs() as logs:
        assert not (await board.quotes(["ACME"], SOON_S))["ACME"].doubtful
        await place.later(31)
        place.market.fails("finnhub", 500)
        found = (await board.quotes(["ACME"], SOON_S))["ACME"]
    assert (str(found.price), found.doubtful) == ("12.0", True)
    assert [each["prices"] for each in logs if each["event"] == "prices.apart"]
    assert "sources disagree" in shown_price(found, place.clock.now())


async def test_a_price_that_moved_in_an_hour_is_not_marked(place: Place):
    place.market.set("ACME", 120.0, 119.0, NOW, vendor="finnhub")
    board = place.board("finnhub", "tiingo")
    await board.quotes(["ACME"], SOON_S)
    await place.later(600)
    place.market.fails("finnhub", 500)
    place.market.set("ACME", 60.0, 119.0, place.clock.now(), vendor="tiingo")
    assert not (await board.quotes(["ACME"], SOON_S))["ACME"].doubtful


async def test_a_wide_change_is_asked_of_a_second_source(place: Place):
    """On the day of a split one vendor's previous close may be the old share's."""
    place.market.set("HALF", 50.0, 100.0, NOW, vendor="finnhub")
    place.market.set("HALF", 50.0, 50.5, NOW, vendor="tiingo")
    place.market.set("FELL", 50.0, 100.0, NOW)
    place.market.set("CALM", 50.0, 51.0, NOW)
    found = await place.board("finnhub", "tiingo").quotes(["HALF", "FELL", "CALM"], SOON_S)
    assert {name: quote.doubtful for name, quote in found.items()} == {"HALF": True, "FELL": False, "CALM": False}
    assert place.market.asked_of("tiingo") == [["HALF", "FELL"]]


async def test_a_wide_change_that_no_other_source_knows_is_told(place: Place):
    place.market.set("FELL", 50.0, 100.0, NOW, vendor="finnhub")
    quote = (await place.board("finnhub", "tiingo").quotes(["FELL"], SOON_S))["FELL"]
    assert (str(quote.price), quote.doubtful) == ("50.0", False)


def under_way() -> int:
    return sum("Board._" in repr(task) for task in asyncio.all_tasks())


class Broken:
    """A source with a fault of ours in it."""

    name, batch, has_bars = "broken", 10, True
    limits: Sequence[Limit] = ()

    async def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        raise RuntimeError("boom")

    async def bars(self, symbol: str, interval: str) -> Sequence[Bar]:
        raise RuntimeError("boom")


async def test_a_fault_in_one_adapter_leaves_the_others(place: Place):
    place.market.set("ACME", 12.0, 11.0, NOW, bars=BARS)
    tiingo = source("tiingo", place.market, place.http)
    board = place.over(Broken(), tiingo)
    assert "ACME" in await board.quotes(["ACME"], SOON_S)
    assert len(await board.bars("ACME", "5m")) == len(BARS)
    assert "RuntimeError" in board.troubles()["broken"]


async def test_bars_skip_a_source_without_them_and_serve_for_a_minute(place: Place):
    place.market.set("ACME", 12.0, 11.0, NOW, bars=BARS)
    board = place.board("finnhub", "tiingo")
    both = await asyncio.gather(board.bars("ACME", "5m"), board.bars("acme", "5m"))
    assert [len(each) for each in both] == [len(BARS)] * 2
    assert [name for name, _ in place.market.asked] == ["tiingo"]


@pytest.mark.parametrize(("symbol", "interval"), [("A/../B", "5m"), ("ACME", "7m"), ("", "5m")])
async def test_senseless_questions_reach_nobody(symbol: str, interval: str, place: Place):
    assert await place.board("tiingo").bars(symbol, interval) == ()
    assert await place.board("tiingo").quotes(["A/../B", ""], SOON_S) == {}
    assert place.market.asked == []


async def test_closing_ends_what_is_under_way(place: Place):
    place.market.hangs("finnhub")
    board = place.board("finnhub")
    await board.quotes(["ACME"], 0.02)
    assert under_way()
    await board.close()
    assert not under_way()


@given(st.lists(st.tuples(st.sampled_from(["ask", "wait"]), st.floats(0.0, 30.0)), max_size=200))
def test_a_gate_never_lets_more_through_than_any_window_allows(steps: list[tuple[str, float]]):
    now = 0.0
    gate = Gate("x", (Limit(3, 10.0), Limit(5, 60.0)), lambda: now)
    taken: list[float] = []
    for kind, seconds in steps:
        if kind == "wait":
            now += seconds
        elif gate.room() > 0:
            gate.take()
            taken.append(now)
    for limit, window in ((3, 10.0), (5, 60.0)):
        assert all(sum(at - window < other <= at for other in taken) <= limit for at in taken)


def alert(**fields: Any) -> Alert:
    return Alert(**{"filing_id": "1", "ticker": "ACME", "timestamp": NOW, **fields})


def quote(price: str, **fields: Any) -> Quote:
    return Quote(Decimal(price), None, NOW, **fields)


@pytest.mark.parametrize(
    ("told", "known", "reason"),
    [
        (alert(), quote("0.99"), "price_floor"),
        (alert(), quote("1"), ""),
        (alert(), quote("50"), ""),
        (alert(), quote("50.01"), "price_ceiling"),
        (alert(), None, ""),
        (alert(), quote("0.5", doubtful=True), ""),
        (alert(), Quote(Decimal("0.5"), None, NOW - timedelta(days=1)), ""),
        (alert(), quote("5", market="otc"), "otc"),
        (alert(tags=["otc"]), None, "otc"),
        (alert(headline="Acme (OTCQB: ACME) signs"), None, "otc"),
        (alert(headline="Acme (OTCQB: ACME) signs"), quote("5", market="listed"), ""),
        (alert(headline="Acme buys Other (OTC Pink: OTHR)"), None, ""),
    ],
)
def test_the_screen_keeps_back_only_what_is_known_to_lie_outside(told: Alert, known: Quote | None, reason: str):
    screen = Screen(Decimal("1"), Decimal("50"), skip_otc=True)
    assert bool(screen.skips(told, known, NOW)) is bool(reason)
    assert screen.counts() == ({reason: 1} if reason else {})


def test_over_the_counter_is_told_unless_asked_otherwise():
    assert not Screen().skips(alert(tags=["otc"]), quote("0.01", market="otc"), NOW)


@pytest.mark.parametrize(
    ("moment", "session"),
    [
        ("2025-12-12T08:59", "closed"), ("2025-12-12T09:00", "pre"), ("2025-12-12T14:29", "pre"),
        ("2025-12-12T14:30", "regular"), ("2025-12-12T20:59", "regular"), ("2025-12-12T21:00", "post"),
        ("2025-12-13T01:00", "closed"), ("2025-12-13T16:00", "closed"), ("2025-11-27T16:00", "closed"),
        ("2025-11-28T17:59", "regular"), ("2025-11-28T18:00", "post"), ("2025-11-28T22:00", "closed"),
        ("2025-07-03T17:00", "post"), ("2025-07-04T15:00", "closed"), ("2026-07-03T15:00", "closed"),
        ("2025-04-18T15:00", "closed"), ("2026-04-03T15:00", "closed"), ("2025-01-20T15:00", "closed"),
        ("2025-05-26T15:00", "closed"), ("2025-06-19T15:00", "closed"), ("2025-09-01T15:00", "closed"),
        ("2021-12-31T16:00", "regular"), ("2023-01-02T16:00", "closed"), ("2025-07-11T13:30", "regular"),
        ("2024-12-24T18:30", "post"), ("2026-12-24T17:59", "regular"), ("2026-11-27T18:30", "post"),
    ],
)  # fmt: skip
def test_the_session_is_new_yorks(moment: str, session: str):
    assert session_at(datetime.fromisoformat(moment).replace(tzinfo=UTC)) == session


@pytest.mark.parametrize(
    ("as_of", "now", "session"),
    [
        ("2025-12-12T15:00", "2025-12-12T15:01", "regular"),
        ("2025-12-11T21:00", "2025-12-12T15:00", "regular"),  # and stale: yesterday's is no price of a running session
        ("2025-12-11T21:00", "2025-12-12T12:00", "closed"),  # the last price, said to be of a closed market
        ("2025-12-12T11:58", "2025-12-12T12:00", "pre"),
        ("2025-12-12T20:59", "2025-12-12T22:00", "closed"),
        ("2025-12-12T21:50", "2025-12-12T22:00", "post"),
        ("2025-12-12T21:00", "2025-12-14T22:00", "closed"),
    ],
)
def test_a_price_is_called_by_the_session_it_was_made_in(as_of: str, now: str, session: str):
    moments = [datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (as_of, now)]
    assert session_of(*moments) == session
