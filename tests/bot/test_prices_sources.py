"""Each vendor's wire format against a server that speaks it; and what a recording says at which moment."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from catalyst.bot.prices.alpaca import Alpaca
from catalyst.bot.prices.finnhub import Finnhub
from catalyst.bot.prices.recorded import Recorded
from catalyst.bot.prices.source import Source, SourceRefused, bar, moment, plain_symbol
from catalyst.bot.prices.tiingo import Tiingo
from catalyst.bot.prices.yahoo import Yahoo
from catalyst.bot.quotes import BadQuote, Bar
from catalyst.clock import SimClock
from catalyst.errors import BadStatus, ParseError, SettingsError
from catalyst.http import Http
from tests.fakes.quotes import ALPACA_KEY, ALPACA_SECRET, FINNHUB_KEY, TIINGO_KEY, FakeMarket

NOW = datetime(2025, 12, 12, 15, 0, tzinfo=UTC)
"""Ten o'clock in New York, a Friday."""
VENDORS = ("alpaca", "finnhub", "tiingo", "yahoo")
BARS = tuple(Bar(NOW - timedelta(minutes=5 * back), 12.0, 12.2, 11.9, 12.1, 1000.0 + back) for back in range(6, 0, -1))


@pytest.fixture
def clock() -> SimClock:
    made = SimClock(NOW, speed=float("inf"))
    made.hold()
    return made


@pytest.fixture
async def market() -> AsyncIterator[FakeMarket]:
    made = await FakeMarket().start()
    yield made
    await made.close()


@pytest.fixture
async def http(clock: SimClock) -> AsyncIterator[Http]:
    async with Http(clock) as opened:
        yield opened


def source(vendor: str, market: FakeMarket, http: Http, key: str = "") -> Source:
    base = market.url(vendor)
    if vendor == "alpaca":
        return Alpaca(key or ALPACA_KEY, ALPACA_SECRET, http, base=base)
    if vendor == "finnhub":
        return Finnhub(key or FINNHUB_KEY, http, base=base)
    return Tiingo(key or TIINGO_KEY, http, base=base) if vendor == "tiingo" else Yahoo(http, base=base)


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_vendor_tells_price_previous_close_and_when(vendor: str, market: FakeMarket, http: Http):
    market.set("ACME", 12.34, 12.0, NOW - timedelta(seconds=30))
    quote = (await source(vendor, market, http).quotes(["ACME"]))["ACME"]
    assert (quote.price, quote.prev_close, quote.provider) == (Decimal("12.34"), Decimal("12.0"), vendor)
    assert quote.session == "regular"
    assert abs((quote.as_of - (NOW - timedelta(seconds=30))).total_seconds()) < 1


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_symbol_nobody_knows_is_left_out(vendor: str, market: FakeMarket, http: Http):
    assert await source(vendor, market, http).quotes(["NOPE"]) == {}
    assert list(await source(vendor, market, http).bars("NOPE", "5m")) == []


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_class_of_shares_is_written_as_the_vendor_does(vendor: str, market: FakeMarket, http: Http):
    market.set("BRK.B", 500.0, 498.0, NOW)
    assert (await source(vendor, market, http).quotes(["BRK.B"]))["BRK.B"].price == 500
    wanted = "BRK-B" if vendor in ("tiingo", "yahoo") else "BRK.B"
    assert market.asked_of(vendor) == [[wanted]]


@pytest.mark.parametrize("vendor", ["alpaca", "tiingo"])
async def test_many_symbols_are_one_request(vendor: str, market: FakeMarket, http: Http):
    for number in range(50):
        market.set(f"A{chr(65 + number % 26)}{chr(65 + number // 26)}", 10.0 + number, 10.0, NOW)
    found = await source(vendor, market, http).quotes(sorted(market.shares))
    assert len(found) == 50
    assert len(market.asked) == 1


@pytest.mark.parametrize("vendor", ["alpaca", "tiingo", "yahoo"])
async def test_bars_come_oldest_first_without_minutes_that_saw_no_trade(vendor: str, market: FakeMarket, http: Http):
    market.set("ACME", 12.1, 12.0, NOW, bars=BARS)
    found = await source(vendor, market, http).bars("ACME", "5m")
    assert [each.at for each in found][-1] == BARS[-1].at
    assert [round(each.volume) for each in found] == [1006, 1005, 1004, 1003, 1002, 1001]


@pytest.mark.parametrize("vendor", ["alpaca", "finnhub", "tiingo"])
async def test_a_wrong_key_is_said_without_showing_it(vendor: str, market: FakeMarket, http: Http):
    with pytest.raises(SourceRefused) as caught:
        await source(vendor, market, http, "wrong-key").quotes(["ACME"])
    assert caught.value.after == 600
    assert vendor in str(caught.value)
    assert "wrong-key" not in str(caught.value)


@pytest.mark.parametrize("vendor", VENDORS)
async def test_too_many_requests_rest_as_long_as_the_vendor_asks(vendor: str, market: FakeMarket, http: Http):
    market.limits[vendor] = 0
    market.headers = {"Retry-After": "7"}
    with pytest.raises(SourceRefused) as caught:
        await source(vendor, market, http).quotes(["ACME"])
    assert caught.value.after == 7
    market.headers = {"X-RateLimit-Reset": "nonsense"}
    with pytest.raises(SourceRefused) as caught:
        await source(vendor, market, http).quotes(["ACME"])
    assert caught.value.after == 60


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("body", ["<html>", "[]", "{}", "null", '{"ACME": 3}', '[{"ticker": 7}]'])
async def test_a_page_that_is_no_answer_gives_no_price(vendor: str, body: str, market: FakeMarket, http: Http):
    market.fails(vendor, 200, body)
    found: object = {}
    with contextlib.suppress(ParseError):
        found = await source(vendor, market, http).quotes(["ACME"])
    assert found == {}


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_server_error_is_an_error(vendor: str, market: FakeMarket, http: Http):
    market.fails(vendor, 503, "down")
    with pytest.raises(BadStatus):
        await source(vendor, market, http).quotes(["ACME"])


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("price", [0.0, -3.0, 1e12])
async def test_what_is_no_price_is_left_out(vendor: str, price: float, market: FakeMarket, http: Http):
    market.set("ACME", price, 12.0, NOW)
    assert await source(vendor, market, http).quotes(["ACME"]) == {}


async def test_alpaca_answers_the_others_where_one_symbol_is_none(market: FakeMarket, http: Http):
    market.set("ACME", 12.0, 11.0, NOW)
    found = await source("alpaca", market, http).quotes(["ACME", "BADX"])
    assert list(found) == ["ACME"]


async def test_before_the_open_alpacas_daily_bar_is_the_previous_close(market: FakeMarket, http: Http):
    at = datetime(2025, 12, 12, 13, 0, tzinfo=UTC)
    market.set("ACME", 15.0, 12.0, at, daily_at=datetime(2025, 12, 11, 12, tzinfo=UTC))
    assert (await source("alpaca", market, http).quotes(["ACME"]))["ACME"].prev_close == 12


async def test_alpacas_delayed_feed_says_so(market: FakeMarket, http: Http):
    market.set("ACME", 12.0, 11.0, NOW - timedelta(minutes=15))
    made = Alpaca(ALPACA_KEY, ALPACA_SECRET, http, base=market.url("alpaca"), feed="delayed_sip")
    assert (await made.quotes(["ACME"]))["ACME"].delay_s == 900


async def test_yahoo_tells_where_a_share_trades_and_leaves_other_currencies_out(market: FakeMarket, http: Http):
    market.set("OTCX", 2.0, 2.0, NOW, exchange="PNK")
    market.set("LIST", 2.0, 2.0, NOW, exchange="NYQ")
    market.set("EURO", 2.0, 2.0, NOW, currency="EUR")
    yahoo = source("yahoo", market, http)
    assert (await yahoo.quotes(["OTCX"]))["OTCX"].market == "otc"
    assert (await yahoo.quotes(["LIST"]))["LIST"].market == "listed"
    assert await yahoo.quotes(["EURO"]) == {}


async def test_before_the_open_yahoos_newest_bar_is_the_price(market: FakeMarket, http: Http):
    market.set("ACME", 12.0, 12.0, NOW - timedelta(hours=18), bars=BARS)
    assert (await source("yahoo", market, http).quotes(["ACME"]))["ACME"].price == Decimal("12.1")


def test_a_recording_never_tells_what_came_later(tmp_path: Path, clock: SimClock):
    path = tmp_path / "day.jsonl"
    yesterday = {"symbol": "ACME", "at": "2025-12-11T20:55:00+00:00", "open": 9, "high": 9, "low": 9, "close": 9}
    lines = [json.dumps(yesterday), "not json", '{"symbol": "ACME"}', "[]"]
    for minute, close in ((50, 10.0), (55, 11.0), (60, 99.0)):
        at = NOW - timedelta(hours=1) + timedelta(minutes=minute)
        row = {"symbol": "ACME", "at": at.isoformat(), "open": 10, "high": 120, "low": 9, "close": close, "volume": 5}
        lines.append(json.dumps(row))
    path.write_text("\n".join(lines))
    made = Recorded.read(path, clock.now)

    async def ask() -> None:
        quote = (await made.quotes(["ACME", "NONE"]))["ACME"]
        assert (quote.price, quote.prev_close, quote.as_of) == (Decimal("11.0"), Decimal("9.0"), NOW)
        assert [each.close for each in await made.bars("ACME", "5m")] == [10.0, 11.0]

    import asyncio

    asyncio.run(ask())


def test_a_recording_that_cannot_be_used_is_said(tmp_path: Path, clock: SimClock):
    with pytest.raises(SettingsError, match="cannot be read"):
        Recorded.read(tmp_path / "none", clock.now)
    (tmp_path / "empty").write_text("{}\n")
    with pytest.raises(SettingsError, match="holds no bar"):
        Recorded.read(tmp_path / "empty", clock.now)


@pytest.mark.parametrize("text", ["", "A" * 12, "A/B", "A?x=1", "../x", "A B", "Ä", "A.B.C", "1A", "A\n"])
def test_what_is_no_symbol_goes_into_no_address(text: str):
    assert plain_symbol(text) in ("", "A")


@pytest.mark.parametrize("value", [None, "", "2025-12-12T10:00:00", "soon", float("nan"), -5, 1e40, True, {}])
def test_what_is_no_time_is_refused(value: object):
    with pytest.raises(BadQuote):
        moment(value)


@pytest.mark.parametrize(
    "values",
    [
        [None] * 5, ["x", 1, 1, 1, 1], [float("nan"), 1, 1, 1, 1], [0, 0, 0, 0, 0], [1, 0.5, 1, 1, 1],
        [1, 2, 1.5, 1, 1], [1, 2], [-1, 1, -1, 1, 1],
    ],
)  # fmt: skip
def test_a_bar_without_sense_is_none(values: list[object]):
    assert bar(NOW.timestamp(), values) is None
