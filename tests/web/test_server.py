"""Running and stopping: a busy port, a bad address, a log that fails."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

import pytest

from catalyst.db import Database
from catalyst.errors import SettingsError, StorageError, TransportError
from catalyst.stream.sqlite import SqliteLog
from catalyst.web.app import Parts, create_app
from catalyst.web.deadline import DeadlineProtocol
from catalyst.web.server import Server
from catalyst.web.settings import WebSettings
from tests.contracts.log import alert
from tests.web.service import QUICK, Service


@pytest.fixture
def database(tmp_path: Path):
    opened = Database(tmp_path / "log.db")
    yield opened
    opened.close()


async def test_a_port_in_use_says_so_and_what_to_do(database: Database):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(TransportError, match=rf"port {port} is in use: .*--port"):
            await Server(create_app(Parts(SqliteLog(database), QUICK)), "127.0.0.1", port).run()


async def test_two_services_cannot_share_a_port(database: Database):
    app = create_app(Parts(SqliteLog(database), QUICK))
    first = Server(app, "127.0.0.1", 0)
    with pytest.raises(TransportError, match="in use"):
        Server(app, "127.0.0.1", first.port).bind()
    first.bind().close()


async def test_an_address_that_is_not_ours_says_so(database: Database):
    with pytest.raises(SettingsError, match=r"use 127\.0\.0\.1"):
        Server(create_app(Parts(SqliteLog(database), QUICK)), "no.such.host.invalid", 0).bind()


async def test_the_port_is_free_again_at_once(database: Database):
    app = create_app(Parts(SqliteLog(database), QUICK))
    server = Server(app, "127.0.0.1", 0)
    port = server.port
    for _ in range(2):
        running = asyncio.create_task(server.run())
        await asyncio.wait_for(server.ready.wait(), 5)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        server = Server(app, "127.0.0.1", port)


async def test_a_log_that_fails_ends_the_server_with_its_error(tmp_path: Path):
    database = Database(tmp_path / "other.db")
    log = SqliteLog(database)
    server = Server(create_app(Parts(log, QUICK)), "127.0.0.1", 0)
    database.close()
    with pytest.raises(StorageError, match="closed"):
        await asyncio.wait_for(server.run(), 5)


def test_settings_come_from_the_environment_by_name():
    found = WebSettings.from_env(
        {
            "CATALYST_HOST": "0.0.0.0",
            "CATALYST_PORT": "9000",
            "CATALYST_API_KEYS": "one, two",
            "CATALYST_CORS_ORIGINS": "https://desk.example,http://localhost:3000",
        }
    )
    assert (found.host, found.port, found.api_keys) == ("0.0.0.0", 9000, ("one", "two"))
    assert found.cors_origins == ("https://desk.example", "http://localhost:3000")
    assert WebSettings.from_env({}) == WebSettings()
    assert "one" not in repr(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CATALYST_PORT", "http"),
        ("CATALYST_PORT", "70000"),
        ("CATALYST_HOST", "http://x"),
        ("CATALYST_API_KEYS", "schlüssel"),
        ("CATALYST_CORS_ORIGINS", "desk.example"),
        ("CATALYST_CORS_ORIGINS", "https://desk.example/"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(name: str, value: str):
    with pytest.raises(SettingsError, match=name):
        WebSettings.from_env({name: value})


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n",
        b"PUT /api/watchlists/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
        b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\nGET /",
    ],
    ids=["silent", "half a head", "half a body", "half a second request"],
)
async def test_who_does_not_finish_a_request_is_cut_off(start, monkeypatch, said: bytes):
    monkeypatch.setattr(DeadlineProtocol, "request_seconds", 0.3)
    service: Service = await start()
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(said)
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(3):
            await reader.read()
    writer.close()


async def test_a_socket_outlives_the_deadline_of_its_handshake(start, monkeypatch):
    monkeypatch.setattr(DeadlineProtocol, "request_seconds", 0.2)
    service: Service = await start()
    async with service.client() as client:
        await client.live()
        await asyncio.sleep(0.5)
        await service.log.append([alert(1)])
        assert [message["seq"] for message in await client.alerts(1)] == [1]
