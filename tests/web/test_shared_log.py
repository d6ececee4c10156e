"""Clients of a log in Redis: resumed by any process, told when the numbering ends, kept while Redis is away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from catalyst.stream.redis import RedisLog
from catalyst.web.app import Parts, create_app
from catalyst.web.server import Server
from catalyst.web.settings import WebSettings
from tests.contracts.log import alert
from tests.fakes.redis import RedisServer
from tests.fakes.redis import redis_server as redis_server
from tests.stream.redis_logs import RedisLogs

QUICK = WebSettings(port=0, subscribe_s=0.15, auth_s=0.15, heartbeat_s=30)


@pytest.fixture
async def logs(redis_server: RedisServer, tmp_path: Path):
    made = RedisLogs(redis_server, tmp_path)
    yield made
    await made.close()


@contextlib.asynccontextmanager
async def served(log: RedisLog) -> AsyncIterator[str]:
    """A server over `log`; yields host and port."""
    app = create_app(Parts(log, QUICK, problems=lambda: [f"Redis: {log.problem}"] if log.problem else []))
    server = Server(app, "127.0.0.1", 0)
    address = f"127.0.0.1:{server.port}"
    task = asyncio.create_task(server.run())
    await asyncio.wait_for(server.ready.wait(), 5)
    try:
        yield address
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def subscribed(address: str, resume: dict[str, Any] | None = None) -> AsyncIterator[Any]:
    async with connect(f"ws://{address}/ws/filings", compression=None, proxy=None) as socket:
        hello = await heard(socket, "connected")
        await socket.send(orjson.dumps({"type": "subscribe", "resume": resume}).decode())
        socket.epoch, socket.told = hello["epoch"], await heard(socket, "subscribed")  # type: ignore[attr-defined]
        yield socket


async def heard(socket: Any, kind: str) -> dict[str, Any]:
    while (said := orjson.loads(await asyncio.wait_for(socket.recv(), 10)))["type"] != kind:
        pass
    return dict(said)


async def status(address: str, path: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(f"http://{address}{path}") as answer:
        return answer.status


async def test_any_process_serves_what_another_wrote_and_resumes_its_clients(logs: RedisLogs):
    writer, reader = await logs.open("a"), await logs.open("b", begin=False)
    await reader.started()
    async with served(writer) as one, served(reader) as two:
        await writer.append([alert(1), alert(2)])
        async with subscribed(one, {"epoch": writer.epoch, "after": 0}) as socket:
            assert (await heard(socket, "filing_alert"))["seq"] == 1
        async with subscribed(two, {"epoch": writer.epoch, "after": 1}) as socket:
            assert socket.told["recovered"] is True
            replayed = await heard(socket, "filing_alert")
            assert (replayed["seq"], replayed["prev"]) == (2, 1)
            await writer.append([alert(3)])
            live = await heard(socket, "filing_alert")
            assert (live["seq"], live["prev"], live["epoch"]) == (3, 2, writer.epoch)


async def test_when_the_epoch_changes_clients_are_closed_and_told_so_on_resume(logs: RedisLogs):
    first, reader = await logs.open("a"), await logs.open("b", begin=False)
    await reader.started()
    await first.append([alert(1)])
    copy = logs.server.copy()
    await first.append([alert(2)])
    async with served(reader) as address:
        async with subscribed(address, {"epoch": first.epoch, "after": 0}) as socket:
            old = socket.epoch
            await heard(socket, "filing_alert")
            await heard(socket, "caught_up")
            await first.close()
            logs.server.stop()
            logs.server.start(copy=copy)
            await reader.begin()
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(socket.recv(), 10)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
        async with subscribed(address, {"epoch": old, "after": 2}) as socket:
            assert socket.epoch == reader.epoch != old
            assert (socket.told["recovered"], socket.told["reason"]) == (False, "epoch_changed")
            assert socket.told["cursor"] == "2.1", "REST takes it from here"


async def test_while_redis_is_away_clients_stay_and_the_service_says_so(logs: RedisLogs):
    log = await logs.open("a")
    async with served(log) as address, subscribed(address) as socket:
        await heard(socket, "caught_up")
        logs.server.stop()
        while await status(address, "/health/ready") != 503:
            await asyncio.sleep(0.05)
        assert await status(address, "/health/live") == 200
        assert await status(address, "/api/filings/recent") == 503
        logs.server.start()
        await log.append([alert(1)])
        assert (await heard(socket, "filing_alert"))["seq"] == 1
        assert await status(address, "/health/ready") == 200


async def test_a_resume_point_that_was_trimmed_away_is_said(logs: RedisLogs):
    log = await logs.open("a")
    await log.append([alert(n) for n in range(1, 11)])
    await log.retain(count=4)
    async with served(log) as address, subscribed(address, {"epoch": log.epoch, "after": 3}) as socket:
        assert (socket.told["recovered"], socket.told["reason"]) == (False, "too_old")


async def test_a_filtered_resume_shows_its_gaps(logs: RedisLogs):
    log = await logs.open("a")
    await log.append([alert(n, tickers=("ACME" if n % 3 == 0 else "ZZZ",)) for n in range(1, 11)])
    async with served(log) as address, connect(f"ws://{address}/ws/filings", compression=None, proxy=None) as socket:
        await heard(socket, "connected")
        wanted = {"type": "subscribe", "tickers": ["ACME"], "resume": {"epoch": log.epoch, "after": 4}}
        await socket.send(orjson.dumps(wanted).decode())
        told = [await heard(socket, "filing_alert") for _ in range(2)]
        assert [(one["seq"], one["prev"]) for one in told] == [(6, 3), (9, 6)]
