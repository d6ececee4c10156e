"""The company map against a real server on loopback and real files."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from catalyst.companies import Companies, Listing, normal_cik, normal_ticker, parse_listings, shipped
from catalyst.errors import ParseError
from catalyst.http import Http


def plain(*rows: tuple[int, str, str]) -> bytes:
    return json.dumps(
        {str(n): {"cik_str": cik, "ticker": ticker, "title": name} for n, (cik, ticker, name) in enumerate(rows)}
    ).encode()


def with_exchange(*rows: tuple[int, str, str, str]) -> bytes:
    return json.dumps({"fields": ["cik", "name", "ticker", "exchange"], "data": [list(row) for row in rows]}).encode()


ACME = Listing("0000000101", "ACME", "NYSE", "Acme Corp")
ACME_B = Listing("0000000101", "ACME-B", "NYSE", "Acme Corp")
BOLT = Listing("0000000202", "BOLT", "Nasdaq", "Bolt Inc.")


class Secs:
    """A server that answers as the test says and remembers what it was asked."""

    def __init__(self) -> None:
        self.body = b""
        self.status = 200
        self.headers: dict[str, str] = {}
        self.asked: list[dict[str, str]] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.headers))
        if self.headers.get("ETag") and request.headers.get("If-None-Match") == self.headers["ETag"]:
            return web.Response(status=304)
        return web.Response(status=self.status, body=self.body, headers=self.headers)


@pytest.fixture
async def sec() -> AsyncIterator[Secs]:
    served = Secs()
    app = web.Application()
    app.router.add_get("/tickers.json", served.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}/tickers.json"
    yield served
    await runner.cleanup()


def test_all_tickers_come_in_the_lists_own_order() -> None:
    companies = Companies([ACME_B, BOLT, ACME])
    assert companies.tickers("0000000101") == ("ACME-B", "ACME")
    assert companies.tickers("101") == ("ACME-B", "ACME")
    assert companies.name("0000000202") == "Bolt Inc."
    assert companies.exchange("bolt") == "Nasdaq"


def test_an_unknown_company_has_no_ticker_and_no_name() -> None:
    companies = Companies([ACME])
    assert companies.tickers("0000000999") == ()
    assert companies.name("not a cik") == ""
    assert companies.by_ticker("NOPE") is None
    assert companies.exchange("NOPE") == ""


def test_a_class_of_shares_is_found_under_either_spelling() -> None:
    companies = Companies([ACME_B])
    assert companies.by_ticker("acme.b") == companies.by_ticker("ACME-B") == "0000000101"
    assert normal_ticker(" brk/b ") == "BRK-B"


def test_both_of_the_secs_lists_are_read() -> None:
    assert parse_listings(plain((101, "acme", "Acme Corp"))) == [ACME._replace(exchange="")]
    assert parse_listings(with_exchange((101, "Acme Corp", "ACME", "NYSE"))) == [ACME]


def test_rows_that_make_no_sense_are_left_out() -> None:
    body = json.dumps(
        {
            "fields": ["cik", "name", "ticker", "exchange"],
            "data": [
                [101, "Acme Corp", "ACME", "NYSE"],
                [102, "No ticker", None, "NYSE"],
                ["x", "No cik", "XX", "NYSE"],
                [103, "Long", "T" * 40, "NYSE"],
                [104, "Short row"],
                "text",
                [202, "Bolt Inc.", "BOLT", None],
            ],
        }
    ).encode()
    assert [listing.ticker for listing in parse_listings(body)] == ["ACME", "BOLT"]


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"a": 1}', b'{"fields": ["x"], "data": [[1]]}', plain((1, "A", "b"))[:-4]],
)
def test_what_is_no_list_is_a_parse_error(body: bytes) -> None:
    with pytest.raises(ParseError, match="fetch it again"):
        parse_listings(body)


@pytest.mark.parametrize(("given", "cik"), [(320193, "0000320193"), ("320193", "0000320193"), ("12a", ""), ("", "")])
def test_a_cik_is_ten_digits(given: object, cik: str) -> None:
    assert normal_cik(given) == cik


def test_a_merge_replaces_the_same_companies_and_keeps_the_others() -> None:
    companies = Companies([ACME, ACME_B, BOLT])
    companies.merge([ACME._replace(exchange="", name="Acme Renamed")])
    assert companies.tickers("0000000101") == ("ACME",)
    assert companies.by_ticker("ACME-B") is None
    assert companies.exchange("ACME") == "NYSE", "an exchange once known stays when a list names none"
    assert companies.name("0000000101") == "Acme Renamed"
    assert companies.tickers("0000000202") == ("BOLT",)


def test_a_ticker_that_moved_belongs_to_its_new_company_only() -> None:
    companies = Companies([ACME, ACME_B])
    companies.merge([Listing("0000000303", "ACME", "Nasdaq", "Newcomer")])
    assert companies.by_ticker("ACME") == "0000000303"
    assert companies.tickers("0000000101") == ("ACME-B",)


async def test_a_refresh_brings_the_list_and_asks_only_for_changes_next_time(sec: Secs, tmp_path: Path) -> None:
    cache = tmp_path / "companies.json"
    sec.body = plain((101, "ACME", "Acme Corp"), (101, "ACME-B", "Acme Corp"))
    sec.headers = {"ETag": '"v1"', "Last-Modified": "Fri, 12 Dec 2025 10:00:00 GMT"}
    companies = Companies(cache=cache)
    async with Http() as http:
        assert await companies.refresh(http, sec.url)
        assert companies.tickers("101") == ("ACME", "ACME-B")
        again = Companies.load(cache)
        assert again.tickers("101") == ("ACME", "ACME-B")
        assert not await again.refresh(http, sec.url)
    assert sec.asked[1]["If-None-Match"] == '"v1"'
    assert sec.asked[1]["If-Modified-Since"] == "Fri, 12 Dec 2025 10:00:00 GMT"
    assert again.tickers("101") == ("ACME", "ACME-B")
    assert [path.name for path in tmp_path.iterdir()] == ["companies.json"], "no draft is left behind"


@pytest.mark.parametrize(("status", "body"), [(500, b"x"), (403, b"no"), (200, b"<html>busy</html>"), (200, b"{}")])
async def test_a_bad_answer_keeps_the_old_map(sec: Secs, tmp_path: Path, status: int, body: bytes) -> None:
    sec.status, sec.body = status, body
    companies = Companies([ACME], cache=tmp_path / "c.json")
    async with Http() as http:
        assert not await companies.refresh(http, sec.url)
    assert companies.tickers("101") == ("ACME",)
    assert not (tmp_path / "c.json").exists()


async def test_a_server_that_is_not_there_keeps_the_old_map() -> None:
    companies = Companies([ACME])
    async with Http() as http:
        assert not await companies.refresh(http, "http://127.0.0.1:9/tickers.json")
    assert companies.by_ticker("ACME") == "0000000101"


async def test_a_whole_list_drops_what_it_no_longer_names_and_a_small_one_does_not(sec: Secs) -> None:
    companies = Companies([ACME, BOLT, Listing("0000000404", "GONE", "NYSE", "Gone Ltd")])
    async with Http() as http:
        sec.body = plain((505, "NEW", "New Ltd"))
        assert await companies.refresh(http, sec.url)
        assert companies.tickers("404") == ("GONE",)
        sec.body = plain((101, "ACME", "Acme Corp"), (202, "BOLT", "Bolt"), (505, "NEW", "New Ltd"))
        assert await companies.refresh(http, sec.url)
    assert companies.tickers("404") == ()
    assert companies.by_ticker("GONE") is None
    assert companies.exchange("ACME") == "NYSE"


def test_a_broken_cache_file_falls_back_to_the_shipped_list(tmp_path: Path) -> None:
    cache = tmp_path / "companies.json"
    for body in (b"garbage", b"[]", b'{"rows": [[1]], "validators": {}}', b'{"rows": 3}'):
        cache.write_bytes(body)
        assert Companies.load(cache).by_ticker("AAPL") == "0000320193"


async def test_a_cache_that_cannot_be_written_does_not_lose_the_new_list(sec: Secs, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    sec.body = plain((101, "ACME", "Acme Corp"))
    companies = Companies(cache=tmp_path / "file" / "companies.json")
    async with Http() as http:
        assert await companies.refresh(http, sec.url)
    assert companies.by_ticker("ACME") == "0000000101"


def test_the_shipped_list_is_sound() -> None:
    listings = shipped()
    assert len({listing.cik for listing in listings}) >= 60
    assert len({listing.ticker for listing in listings}) == len(listings)
    assert all(len(listing.cik) == 10 and listing.exchange and listing.name for listing in listings)
    assert Companies.load().tickers("1652044") == ("GOOGL", "GOOG")


@pytest.mark.corpus
def test_the_shipped_list_agrees_with_the_secs(corpus: Path) -> None:
    place = corpus / "edgar" / "metadata" / "company_tickers_exchange"
    lists = [parse_listings(path.read_bytes()) for path in sorted(place.glob("*__company_tickers_exchange_*.json"))]
    known = {(listing.cik, listing.ticker) for listings in lists for listing in listings}
    assert [listing for listing in shipped() if (listing.cik, listing.ticker) not in known] == []


@pytest.mark.corpus
def test_ten_thousand_companies_load_within_200_ms_of_cpu_on_a_busy_machine(corpus: Path) -> None:
    if sys.gettrace() is not None:
        pytest.skip("under coverage every line costs more")
    path = next((corpus / "edgar" / "metadata" / "company_tickers").glob("*company_tickers_e0*.json"))
    body = path.read_bytes()
    taken = []
    for _ in range(3):
        start = time.process_time()
        companies = Companies(parse_listings(body))
        taken.append(time.process_time() - start)
    assert len(companies) > 7000
    assert min(taken) < 0.2  # 30 ms on a quiet one
