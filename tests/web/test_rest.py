"""REST over a real service: paging, filters, ETag, keys, bounds, and 4xx for whatever makes no sense."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from catalyst.db import Database
from catalyst.errors import SettingsError
from catalyst.filings.watchlist import Watchlist
from catalyst.stream.sqlite import SqliteLog
from catalyst.web.app import Parts, create_app
from catalyst.web.settings import WebSettings
from tests.contracts.log import alert
from tests.web.asking import ask, get
from tests.web.service import QUICK, Service


def numbers(page: dict[str, Any]) -> list[int]:
    return [filing["seq"] for filing in page["filings"]]


async def test_recent_is_each_filing_once_newest_first(service: Service):
    await service.log.append([alert(1), alert(2), alert(3), alert(2, version=2)])
    page = await get(service, "/api/filings/recent")
    assert numbers(page) == [4, 3, 1]
    assert (page["count"], page["next"]) == (3, None)
    newest = page["filings"][0]
    assert (newest["type"], newest["version"], newest["epoch"]) == ("filing_update", 2, service.log.epoch)
    assert "prev" not in newest
    assert "replay" not in newest


async def test_pages_join_without_gap_or_repeat_while_more_arrives(service: Service):
    await service.log.append([alert(n) for n in range(1, 24)])
    seen, cursor = [], ""
    while cursor is not None:
        page = await get(service, f"/api/filings/recent?limit=5&cursor={cursor}")
        seen += numbers(page)
        cursor = page["next"]
        await service.log.append([alert(100 + len(seen))])
    assert seen == list(range(23, 0, -1))


async def test_filters_by_ticker_form_priority_and_time(service: Service):
    await service.log.append([alert(1, tickers=("BRK-B",)), alert(2, form="10-Q", score=0.9), alert(3, score=0.1)])
    assert numbers(await get(service, "/api/filings/brk.b")) == [1]
    assert numbers(await get(service, "/api/filings/NOPE")) == []
    assert numbers(await get(service, "/api/filings/recent?form=10-q")) == [2]
    assert numbers(await get(service, "/api/filings/recent?min_priority=0.5")) == [2, 1]
    assert numbers(await get(service, "/api/filings/recent?since=2020-01-01T00:00:00Z")) == [3, 2, 1]
    assert numbers(await get(service, "/api/filings/recent?since=2100-01-01T00:00:00Z")) == []
    assert numbers(await get(service, "/api/filings/ACME?limit=1")) == [3]


async def test_one_filing_with_its_history(service: Service):
    await service.log.append([alert(1), alert(2), alert(1, version=2)])
    found = await get(service, f"/api/filings/by-id/{alert(1).filing_id}")
    assert found["filing"]["seq"] == 3
    assert [message["seq"] for message in found["messages"]] == [1, 3]
    assert (await ask(service, "/api/filings/by-id/0000000000-00-000000")).status == 404


async def test_an_etag_saves_the_body_until_something_changes(service: Service):
    await service.log.append([alert(1)])
    first = await ask(service, "/api/filings/recent")
    tag = first.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}'):
        again = await ask(service, "/api/filings/recent", If_None_Match=known)
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
    await service.log.append([alert(2)])
    changed = await ask(service, "/api/filings/recent", If_None_Match=tag)
    assert changed.status == 200
    assert changed.headers["ETag"] != tag


@pytest.mark.parametrize(
    "path",
    [
        "/api/filings/recent?limit=0",
        "/api/filings/recent?limit=501",
        "/api/filings/recent?limit=many",
        "/api/filings/recent?min_priority=nan",
        "/api/filings/recent?min_priority=2",
        "/api/filings/recent?since=yesterday",
        "/api/filings/recent?cursor=1",
        "/api/filings/recent?cursor=99999999999999999999.1",
        "/api/filings/recent?form=" + "x" * 33,
        "/api/filings/" + "x" * 33,
        "/api/filings/recent?cursor=%00",
        "/nothing/here",
        "/api/nothing",
        "/app.py",
        "/..%2fapp.py",
    ],
)
async def test_what_makes_no_sense_is_a_4xx(service: Service, path: str):
    assert 400 <= (await ask(service, path)).status < 500


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["/api/filings/recent", "/api/filings/{}", "/api/filings/by-id/{}", "/api/watchlists/{}"]),
    piece=st.text(max_size=40),
    name=st.sampled_from(["limit", "form", "min_priority", "since", "cursor"]),
    value=st.one_of(st.text(max_size=30), st.integers().map(str), st.floats().map(str), st.datetimes().map(str)),
)
def test_no_input_is_a_500(tmp_path_factory, path, piece, name, value):
    """Straight into the application: what uvicorn refuses by itself is not what is tested here."""

    async def run() -> int:
        database = Database(tmp_path_factory.mktemp("rest") / "log.db", synchronous="NORMAL")
        try:
            app = create_app(Parts(SqliteLog(database), QUICK, watchlists=Watchlist(database)))
            status = 0

            async def send(message) -> None:
                nonlocal status
                status = message.get("status", status)

            async def receive():
                return {"type": "http.request", "body": b""}

            decoded = path.format(piece)
            query = str(URL("/").with_query({name: value}).raw_query_string)
            scope: dict[str, Any] = {
                "type": "http",
                "method": "GET",
                "path": decoded,
                "query_string": query.encode(),
                "headers": [],
            }
            await app(
                scope | {"http_version": "1.1", "scheme": "http", "root_path": "", "server": ("x", 1)}, receive, send
            )
            return status
        finally:
            database.close()

    assert asyncio.run(run()) < 500


async def test_keys_guard_everything_but_health_and_the_page(start):
    service = await start(replace(QUICK, api_keys=("some-key",)))
    for path in ("/api/filings/recent", "/api/status", "/metrics"):
        assert (await ask(service, path)).status == 401
        assert (await ask(service, path, X_API_Key="wrong")).status == 401
        assert (await ask(service, path, X_API_Key="some-key")).status == 200
        assert (await ask(service, path, Authorization="Bearer some-key")).status == 200
        assert (await ask(service, path + "?api_key=some-key")).status == 401
    for path in ("/health", "/health/live", "/health/ready", "/", "/app.js"):
        assert (await ask(service, path)).status == 200


async def test_an_address_that_others_reach_needs_a_key_that_cannot_be_guessed(tmp_path):
    for keys in ((), ("short",)):
        with pytest.raises(SettingsError, match="CATALYST_API_KEYS"):
            create_app(Parts(None, WebSettings(host="0.0.0.0", api_keys=keys)))  # type: ignore[arg-type]
    create_app(Parts(None, WebSettings(host="0.0.0.0", api_keys=("0123456789abcdef",))))  # type: ignore[arg-type]


async def test_watchlists_are_put_and_read_back(start, tmp_path):
    database = Database(tmp_path / "watch.db")
    service = await start(watchlists=Watchlist(database))
    assert await get(service, "/api/watchlists/desk") == {"owner": "desk", "tickers": []}
    put = await ask(service, "/api/watchlists/desk", "PUT", {"tickers": ["brk.b", "$ACME", "ACME"]})
    assert orjson.loads(put.body) == {"owner": "desk", "tickers": ["BRK-B", "ACME"]}
    assert (await get(service, "/api/watchlists/desk"))["tickers"] == ["BRK-B", "ACME"]
    refused: list[Any] = [
        {"tickers": ["no ticker"]},
        {"tickers": "ACME"},
        {},
        [],
        {"tickers": ["A"] * 1001},
        b"{",
        b"\xff",
    ]
    for bad in refused:
        assert (await ask(service, "/api/watchlists/desk", "PUT", bad)).status in (400, 422), bad
    assert (await ask(service, "/api/watchlists/bad%20name", "PUT", {"tickers": []})).status == 422
    assert (await ask(service, "/api/watchlists/desk", "PUT", b"[" + b" " * 70_000 + b"]")).status == 413
    database.close()


async def test_status_is_the_rooms_words_and_the_streams_numbers(start):
    service = await start(status=lambda: {"edgar": {"state": "open"}}, problems=lambda: ["EDGAR refuses"])
    await service.log.append([alert(1)])
    await service.app.state.fanout.reach(1)
    async with service.client() as client:
        await client.live()
        found = await get(service, "/api/status")
        text = (await ask(service, "/metrics")).body.decode()
    stream = {"epoch": service.log.epoch, "oldest": 1, "head": 1, "pos": 1, "clients": 1}
    assert (found["edgar"], found["stream"], found["problems"]) == ({"state": "open"}, stream, ["EDGAR refuses"])
    ready = await ask(service, "/health")
    assert (ready.status, orjson.loads(ready.body)["problems"]) == (503, ["EDGAR refuses"])
    assert (await ask(service, "/health/live")).status == 200
    assert "catalyst_stream_clients 1.0" in text
    assert "catalyst_stream_head 1.0" in text


async def test_the_page_runs_no_foreign_code(service: Service):
    page = await ask(service, "/")
    assert page.headers["Content-Type"].startswith("text/html")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert b"http" not in page.body.replace(b"https?", b"")
    script = await ask(service, "/app.js")
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert b"innerHTML" not in script.body
    assert script.headers["X-Content-Type-Options"] == "nosniff"
    assert (await ask(service, "/style.css")).status == 200


async def test_a_name_pointed_at_us_from_elsewhere_is_refused(service: Service):
    assert (await ask(service, "/api/filings/recent", Host="evil.example")).status == 421
    assert (await ask(service, "/api/filings/recent", Host="localhost:1")).status == 200
    assert (await ask(service, "/api/filings/recent", Host="[::1]:8765")).status == 200


async def test_only_configured_origins_may_read_from_a_browser(start):
    service = await start(replace(QUICK, cors_origins=("https://desk.example",)))
    ours = await ask(service, "/api/filings/recent", Origin="https://desk.example")
    other = await ask(service, "/api/filings/recent", Origin="https://evil.example")
    assert ours.headers["Access-Control-Allow-Origin"] == "https://desk.example"
    assert "Access-Control-Allow-Origin" not in other.headers
    async with service.client(origin="https://desk.example") as client:
        assert (await client.receive())["type"] == "connected"


async def test_a_log_that_cannot_be_read_is_503(service: Service):
    service.db.close()
    answer = await ask(service, "/api/filings/recent")
    assert answer.status == 503
    assert b"try again" in answer.body


async def test_the_openapi_document_names_the_routes(service: Service):
    document = await get(service, "/openapi.json")
    assert {"/api/filings/recent", "/api/filings/{ticker}", "/api/filings/by-id/{filing_id}"} <= set(document["paths"])
    assert "Filing" in document["components"]["schemas"]
