"""The one HTTP session against a real server: errors, bounds, time, early closing, redirects, secrets."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from catalyst.clock import SimClock
from catalyst.errors import BadStatus, NotFound, Refused, TimedOut, TooLarge, TransportError, Unreachable
from catalyst.http import Http, retry_after

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """A server whose one handler a test sets."""

    def __init__(self) -> None:
        self.handler: Handler = self._hello
        self.seen: list[web.Request] = []
        self.peers: set[Any] = set()
        self.left = asyncio.Event()
        self.closing = asyncio.Event()
        self.url = ""

    async def _hello(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text="hello")

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        self.peers.add(request.transport)
        return await self.handler(request)

    async def until_gone(self, request: web.Request) -> None:
        while not self.closing.is_set():
            if request.transport is None or request.transport.is_closing():
                self.left.set()
                return
            await asyncio.sleep(0.002)

    def answers(self, status: int = 200, **fields: Any) -> None:
        async def handler(request: web.Request) -> web.StreamResponse:
            return web.Response(status=status, **fields)

        self.handler = handler


async def served(site: Site) -> web.AppRunner:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", site.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    return runner


@pytest_asyncio.fixture
async def site() -> AsyncIterator[Site]:
    place = Site()
    runner = await served(place)
    yield place
    place.closing.set()
    await runner.cleanup()


@pytest_asyncio.fixture
async def http() -> AsyncIterator[Http]:
    async with Http() as session:
        yield session


def fast() -> SimClock:
    """Two hundred seconds to a real one."""
    return SimClock(datetime(2025, 12, 12, tzinfo=UTC), speed=200)


async def test_a_request_says_who_asks_and_brings_the_whole_answer(site: Site, http: Http):
    answer = await http.get(site.url + "/x?y=1")
    assert (answer.status, answer.body) == (200, b"hello")
    assert site.seen[0].headers["User-Agent"].startswith("catalyst/")
    assert site.seen[0].path_qs == "/x?y=1"


async def test_connections_are_kept_for_the_next_request(site: Site, http: Http):
    for _ in range(5):
        await http.get(site.url)
    assert len(site.peers) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, NotFound), (403, Refused), (429, Refused), (400, BadStatus), (410, BadStatus), (500, BadStatus)],
)
async def test_a_status_is_raised_as_what_it_means(status: int, kind: type, site: Site, http: Http):
    site.answers(status, text="because", headers={"Retry-After": "7.5"})
    with pytest.raises(kind) as caught:
        await http.get(site.url + "/p?token=secret")
    error = caught.value
    assert isinstance(error, TransportError)
    assert (error.status, error.url) == (status, site.url + "/p")
    if isinstance(error, Refused | BadStatus):
        assert error.after == 7.5
    if isinstance(error, BadStatus):
        assert error.body == b"because"


async def test_without_check_a_status_is_an_answer_and_a_304_always_is(site: Site, http: Http):
    site.answers(500, text="down")
    assert (await http.get(site.url, check=False)).body == b"down"
    site.answers(304)
    assert (await http.get(site.url, headers={"If-None-Match": "x"})).status == 304


@pytest.mark.parametrize(
    ("said", "meant"),
    [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("soon", 0.0), ("inf", 0.0), ("1e999", 0.0), ("nan", 0.0), (None, 0.0)],
)
def test_a_plain_retry_after_is_read(said: str | None, meant: float):
    assert retry_after({"Retry-After": said} if said else {}) == meant


async def test_an_answer_beyond_the_bound_is_cut_off(site: Site, http: Http):
    site.answers(body=b"x" * 3000)
    assert len((await http.get(site.url, max_bytes=3000)).body) == 3000
    with pytest.raises(TooLarge, match="more than 2999 bytes"):
        await http.get(site.url, max_bytes=2999)


async def test_an_answer_without_end_is_bounded(site: Site, http: Http):
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65536)
        except ConnectionError:
            site.left.set()
        return response

    site.handler = endless
    with pytest.raises(TooLarge):
        await http.get(site.url, max_bytes=1 << 20)
    await asyncio.wait_for(site.left.wait(), 5)


async def test_a_gzip_bomb_is_bounded_in_decoded_bytes(site: Site, http: Http):
    site.answers(body=gzip.compress(b"\0" * (200 << 20)), headers={"Content-Encoding": "gzip"})
    with pytest.raises(TooLarge):
        await http.get(site.url, max_bytes=1 << 20)


async def test_what_calls_itself_gzip_and_is_none_is_unreachable(site: Site, http: Http):
    site.answers(body=b"plainly not", headers={"Content-Encoding": "gzip"})
    with pytest.raises(Unreachable):
        await http.get(site.url)


async def test_a_silent_server_times_out_on_the_sessions_clock(site: Site):
    async def silent(request: web.Request) -> web.StreamResponse:
        await site.until_gone(request)
        return web.Response()

    site.handler = silent
    async with Http(fast()) as http:
        with pytest.raises(TimedOut, match="took longer than 30 s"):
            await http.get(site.url, timeout_seconds=30)
        await asyncio.wait_for(site.left.wait(), 5)


async def drip(site: Site, request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        for _ in range(3):
            await response.write(b"drop")
            await asyncio.sleep(0.01)
    await site.until_gone(request)
    return response


async def test_a_body_that_stalls_times_out_with_the_whole_request(site: Site):
    site.handler = lambda request: drip(site, request)
    async with Http(fast()) as http:
        with pytest.raises(TimedOut):
            await http.get(site.url, timeout_seconds=30)


async def test_only_waiting_for_the_peer_is_timed(site: Site):
    site.handler = lambda request: drip(site, request)
    got = b""
    async with Http(fast()) as http:
        with pytest.raises(TimedOut):
            async with http.stream("GET", site.url, timeout_seconds=30) as answer:
                async for chunk in answer.chunks():
                    got += chunk
                    await asyncio.sleep(0.2)  # 40 s: the reader is late, and hears of it at its next wait
    assert got.startswith(b"drop")


async def test_no_time_limit_is_none(site: Site):
    async with Http(fast()) as http, http.stream("GET", site.url, timeout_seconds=None) as answer:
        assert await answer.read() == b"hello"


async def test_leaving_a_stream_early_closes_its_connection_at_once(site: Site, http: Http):
    site.handler = lambda request: drip(site, request)
    async with http.stream("GET", site.url) as answer:
        async for chunk in answer.chunks():
            assert chunk
            break
    await asyncio.wait_for(site.left.wait(), 1)


async def test_a_cancelled_request_closes_its_connection(site: Site, http: Http):
    site.handler = lambda request: drip(site, request)
    task = asyncio.create_task(http.get(site.url))
    while not site.seen:
        await asyncio.sleep(0.002)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(site.left.wait(), 1)


async def test_an_error_of_the_reader_is_not_taken_for_the_networks(site: Site, http: Http):
    with pytest.raises(TimeoutError, match="mine"):
        async with http.stream("GET", site.url):
            raise TimeoutError("mine")
    with pytest.raises(ConnectionResetError, match="mine"):
        async with http.stream("GET", site.url):
            raise ConnectionResetError("mine")


async def test_draining_waits_for_the_end_but_not_for_long(site: Site):
    site.handler = lambda request: drip(site, request)
    async with Http(fast()) as http:
        async with http.stream("GET", site.url) as answer:
            await answer.drain(10)
        site.handler = Site().handler
        async with http.stream("GET", site.url) as answer:
            await answer.drain(10)


async def test_a_broken_body_is_unreachable(site: Site, http: Http):
    async def broken(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport
        request.transport.close()
        return response

    site.handler = broken
    with pytest.raises(Unreachable, match="broke off"):
        await http.get(site.url)


async def test_a_reset_and_a_closed_port_are_unreachable(site: Site, http: Http):
    async def reset(request: web.Request) -> web.StreamResponse:
        assert request.transport
        request.transport.abort()
        return web.Response()

    site.handler = reset
    with pytest.raises(Unreachable, match="cannot be reached"):
        await http.request("POST", site.url, body=b"{}")
    with pytest.raises(Unreachable):
        await http.get("http://127.0.0.1:1/")


async def test_what_does_not_speak_http_is_unreachable(http: Http):
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"220 ftp ready\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(Unreachable, match="does not speak HTTP"):
        await http.get(f"http://127.0.0.1:{port}/?key=canary")
    server.close()


async def test_a_get_without_credentials_follows_redirects(site: Site, http: Http):
    other = Site()
    runner = await served(other)
    site.answers(302, headers={"Location": other.url + "/feed"})
    assert (await http.get(site.url, headers={"If-None-Match": "x", "Accept": "text/xml"})).body == b"hello"
    assert other.seen[0].path == "/feed"
    await runner.cleanup()


@pytest.mark.parametrize(
    "options",
    [
        {"method": "POST", "body": b"{}"},
        {"method": "GET", "headers": {"Authorization": "Bearer canary"}},
        {"method": "GET", "headers": {"x-api-key": "canary"}},
        {"method": "PATCH", "headers": {"X-Anything": "canary"}},
    ],
)
async def test_what_bears_a_key_or_a_body_is_not_led_elsewhere(options: dict[str, Any], site: Site, http: Http):
    other = Site()
    runner = await served(other)
    site.answers(307, headers={"Location": other.url + "/steal"})
    with pytest.raises(BadStatus, match=r"redirect to 127\.0\.0\.1 that is not followed"):
        await http.request(url=site.url, **options)
    assert (await http.request(url=site.url, check=False, **options)).status == 307
    assert other.seen == []
    await runner.cleanup()


async def test_redirects_without_end_stop(site: Site, http: Http):
    site.answers(302, headers={"Location": "/again?key=canary"})
    with pytest.raises(Unreachable, match="more than 5 redirects") as caught:
        await http.get(site.url)
    assert "canary" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("url", ["http://", "nothing", "ftp://127.0.0.1/x", "http://127.0.0.1:1/?key=canary"])
async def test_an_address_that_leads_nowhere_is_unreachable_and_its_query_not_shown(url: str, http: Http):
    with pytest.raises(Unreachable) as caught:
        await http.get(url)
    assert "canary" not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)


async def test_user_and_password_are_not_shown(http: Http):
    secret = "canary"
    with pytest.raises(Unreachable) as caught:
        await http.get(f"http://user:{secret}@127.0.0.1:1/path?token={secret}#{secret}")
    assert secret not in "".join(traceback.format_exception(caught.value))
    assert caught.value.url == "http://127.0.0.1:1/path"


async def test_cookies_are_not_kept(site: Site, http: Http):
    site.answers(headers={"Set-Cookie": "a=b"})
    await http.get(site.url)
    await http.get(site.url)
    assert "Cookie" not in site.seen[1].headers


async def test_a_closed_session_opens_again_for_the_next_request(site: Site):
    http = Http()
    await http.get(site.url)
    await http.close()
    await http.close()
    assert (await http.get(site.url)).status == 200
    await http.close()
