"""The bot's own server: figures for Prometheus, health, and who may look."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from catalyst.app.build.bot import RunningBot, bot
from catalyst.app.settings import load
from catalyst.bot.front import Front
from catalyst.http import Http
from tests.app.processes import free_port
from tests.bot.killing import Clocked, Stage, staged, until
from tests.bot.rig import told


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, "webhook") as made:
        yield made


@contextlib.asynccontextmanager
async def running(stage: Stage, **more: str) -> AsyncIterator[RunningBot]:
    async with bot(load(stage.environ | more, None), stage.folder) as made:
        task = asyncio.create_task(made.run())
        assert await until(lambda: made.bot.parts.client.connected, 20)
        try:
            yield made
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def asked(front: Any, path: str, *, client: str = "127.0.0.1", **headers: str) -> tuple[int, bytes]:
    sent: list[dict[str, Any]] = []

    async def send(event: Any) -> None:
        sent.append(event)

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "headers": raw, "client": (client, 4000)}
    await front(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


def samples(text: str) -> dict[str, float]:
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = "".join(f"|{value}" for name, value in sorted(sample.labels.items()) if name != "le")
            found[sample.name + labels] = sample.value
    return found


async def test_what_was_told_shows_at_the_bots_own_metrics(stage: Stage):
    port = free_port()
    async with running(stage, CATALYST_BOT_PORT=str(port)), Http() as http:
        stage.discord.fault("post", status=429, body={"retry_after": 0.05}, headers={"X-RateLimit-Scope": "shared"})
        await stage.service.log.append([told(Clocked(), number) for number in (1, 2)])
        await stage.service.log.append([told(Clocked(), 1, version=2, final=True)])
        place = stage.discord.of(stage.place)
        assert await until(lambda: len(stage.discord.of(stage.place)) == 2, 10), place

        async def shown() -> dict[str, float]:
            return samples((await http.get(f"http://127.0.0.1:{port}/metrics")).body.decode())

        async with asyncio.timeout(10):
            while (found := await shown()).get("catalyst_bot_ends_total|enriched") != 1:
                await asyncio.sleep(0.02)
        ready = await http.get(f"http://127.0.0.1:{port}/health/ready")
    assert ready.body == b'{"ok":true,"following":true,"targets":1}'
    assert found["catalyst_bot_received_total"] == 3
    assert found["catalyst_bot_posts_total|high"] == 2
    assert found["catalyst_bot_delay_seconds_count|high"] == 2
    assert found["catalyst_bot_limited_total|shared"] == 1
    assert found["catalyst_bot_queue|edit"] == 1
    assert found["catalyst_bot_queue|high"] == 0
    assert found["catalyst_bot_targets|live"] == 1
    assert found["catalyst_bot_following"] == 1


async def test_figures_are_for_this_machine_or_for_who_has_the_key(stage: Stage):
    async with bot(load(stage.environ, None), stage.folder) as made:
        front = Front(made.bot, None, "a-key-of-the-service")
        assert (await asked(front, "/metrics"))[0] == 200
        assert (await asked(front, "/metrics", client="::1"))[0] == 200
        assert (await asked(front, "/metrics", client="10.0.0.9"))[0] == 401
        assert (await asked(front, "/metrics", x_forwarded_for="8.8.8.8"))[0] == 401
        assert (await asked(front, "/metrics", client="10.0.0.9", authorization="Bearer a-key-of-the-service"))[
            0
        ] == 200
        assert (await asked(front, "/metrics", client="10.0.0.9", x_api_key="another"))[0] == 401
        assert (await asked(Front(made.bot, None), "/metrics", client="10.0.0.9", x_api_key=""))[0] == 401
        assert (await asked(front, "/health/live", client="10.0.0.9"))[0] == 200
        assert (await asked(front, "/interactions"))[0] == 404


async def test_a_bot_that_follows_nothing_is_not_ready(stage: Stage):
    async with bot(load(stage.environ, None), stage.folder) as made:
        assert (await asked(Front(made.bot, None), "/health/ready"))[0] == 503


async def test_a_port_that_is_taken_ends_no_alerts(stage: Stage):
    with socket.create_server(("127.0.0.1", 0)) as other:
        async with running(stage, CATALYST_BOT_PORT=str(other.getsockname()[1])):
            await stage.service.log.append([told(Clocked(), 1)])
            assert await until(lambda: len(stage.discord.of(stage.place)) == 1, 10)
