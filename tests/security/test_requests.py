"""Hostile HTTP, byte for byte on a socket: smuggling, injected headers, bombs, foreign pages, paths that lead out."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio

from catalyst.clock import SystemClock
from catalyst.news.classify import Classifier
from catalyst.sentiment import Scorer
from catalyst.web.classify import classify_router
from tests.web.gateway.conftest import Running, gateway_of
from tests.web.service import QUICK, Service

JSON = {"Content-Type": "application/json"}
CHAT = orjson.dumps({"model": "cheap", "messages": [{"role": "user", "content": "Say hello."}]})


@pytest_asyncio.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    running = Service(tmp_path / "stream.db", QUICK, routers=[classify_router(Classifier(Scorer(), SystemClock()))])
    await running.start()
    yield running
    await running.stop()


@pytest_asyncio.fixture
async def gateway(wire: Any, tmp_path: Path) -> AsyncIterator[Running]:
    async with gateway_of(wire, tmp_path) as running:
        yield running


async def said(port: int, sent: bytes, seconds: float = 2.0) -> bytes:
    """Everything that comes back on one connection until it closes or nothing more comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    got = b""
    with contextlib.suppress(TimeoutError, ConnectionError):
        while piece := await asyncio.wait_for(reader.read(65_536), seconds):
            got += piece
    writer.close()
    return got


def _port(gateway: Running) -> int:
    return int(gateway.url.rsplit(":", 1)[1])


SMUGGLED = b"GET /api/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"Content-Length: 4\r\nContent-Length: 0\r\n",
        b"Content-Length: +4\r\n",
        b"Content-Length: 4, 0\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: xchunked\r\n",
    ],
)
async def test_a_request_with_two_lengths_is_refused_and_nothing_is_smuggled(service: Service, headers: bytes):
    request = b"POST /classify HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n0\r\n\r\n" + SMUGGLED
    answer = await said(service.port, request)
    assert b'"clock"' not in answer
    assert b'"version"' not in answer.partition(b"\r\n\r\n")[2] or b"HTTP/1.1 200" not in answer
    assert answer.count(b"HTTP/1.1 200") == 0, answer[:400]


@pytest.mark.parametrize("told", [b"a\nX-Evil: 1", b"a\rX-Evil: 1", b"a\x00b", b"\x1b[31m", b"a" * 9_000])
async def test_a_clients_request_id_writes_no_header_and_no_control_character(gateway: Running, told: bytes):
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += b"Authorization: Bearer %b\r\nConnection: close\r\n" % gateway.key.encode()
    request = head + b"x-request-id: %b\r\nContent-Length: %d\r\n\r\n" % (told, len(CHAT)) + CHAT
    answer = (await said(_port(gateway), request)).partition(b"\r\n\r\n")[0].lower()
    assert b"x-evil" not in answer
    assert b"\x1b" not in answer
    assert b"\x00" not in answer
    assert len(answer) < 2_000


async def test_a_compressed_body_is_not_unpacked(gateway: Running):
    """10 MB of zeros in 10 kB: unpacking is how a small request becomes a large one."""
    bomb = gzip.compress(b'{"a":"' + b"0" * 10_000_000 + b'"}')
    async with gateway.post("/v1/chat/completions", data=bomb, headers=JSON | {"Content-Encoding": "gzip"}) as answer:
        assert answer.status in (400, 415)
    assert not gateway.wire.openai.requests


async def test_json_as_deep_as_a_body_may_be_is_a_400(gateway: Running, service: Service):
    deep = b"[" * 500_000 + b"]" * 500_000
    turns = b'{"model":"cheap","messages":[{"role":"user","content":' + deep + b"}]}"
    for body in (deep, b'{"model":"cheap","messages":' + deep + b"}", turns):
        async with gateway.post("/v1/chat/completions", data=body, headers=JSON) as answer:
            assert answer.status == 400, await answer.text()
    head = b"POST /classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
    deep = b"[" * 20_000 + b"]" * 20_000
    got = await said(service.port, head + b"Content-Length: %d\r\n\r\n" % len(deep) + deep)
    assert got.split(b" ", 2)[1] in (b"400", b"422"), got[:200]


@pytest.mark.parametrize("kind", [b"Content-Type: text/plain\r\n", b"Content-Type: \r\n", b""])
async def test_a_form_of_another_site_asks_no_model(service: Service, kind: bytes):
    """A page elsewhere may send text/plain, or a blob without a type, without asking first; JSON it may not. So only
    what says that it is JSON is read as JSON."""
    body = b'{"texts": ["Acme beats estimates"]}'
    head = b"POST /classify HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n" + kind
    answer = await said(service.port, head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert answer.split(b" ", 2)[1] in (b"403", b"415", b"422"), answer[:300]


@pytest.mark.parametrize(
    "path",
    [
        "/../keys.db", "/..%2f..%2fkeys.db", "/%2e%2e/%2e%2e/etc/passwd", "/static/../../keys.db", "/..\\keys.db",
        "//etc/passwd", "/app.js%00.css", "/api/watchlists/..%2f..%2fetc", "/api/filings/by-id/..%2f..%2fkeys/document",
    ],
)  # fmt: skip
async def test_no_path_leads_out_of_the_page(service: Service, path: str):
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = await said(service.port, request.encode())
    assert answer.split(b" ", 2)[1] in (b"400", b"404", b"422"), answer[:200]
    assert b"root:" not in answer
    assert b"SQLite format" not in answer


async def test_a_scope_of_a_key_cannot_be_widened_by_the_request(gateway: Running):
    """A second key in another header, or in the address, adds no right to the first."""
    _, reader = gateway.book.add("reader", scopes=["read"])
    told = JSON | {"Authorization": f"Bearer {reader}", "X-Forwarded-For": "127.0.0.1", "X-Catalyst-Scope": "admin"}
    status = 401  # until the running gateway has read its book again
    while status == 401:
        async with gateway.post(f"/v1/chat/completions?api_key={gateway.key}", data=CHAT, headers=told) as answer:
            status = answer.status
        await asyncio.sleep(0.1)
    assert status == 403
    assert not gateway.wire.openai.requests


async def test_sql_in_any_field_is_only_text(gateway: Running):
    hostile = "'; DROP TABLE attempts; --"
    headers = {"x-catalyst-feature": hostile, "x-request-id": hostile}
    status, _, _ = await gateway.chat(headers=headers, messages=[{"role": "user", "content": hostile}], user=hostile)
    assert status == 200
    status, _, _ = await gateway.chat(headers={"x-catalyst-cache": "off"})
    assert status == 200
    assert gateway.hub is not None
    await gateway.hub.close()
    with contextlib.closing(sqlite3.connect(gateway.folder / "hub.db")) as db:
        assert db.execute("SELECT count(*) FROM attempts").fetchone()[0] >= 2
