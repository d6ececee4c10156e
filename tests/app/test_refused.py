"""EDGAR refuses; the service is killed with -9 and started again: it asks no earlier than ten minutes later."""

from __future__ import annotations

import asyncio
import json
import signal
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.app.processes import free_port, started

pytestmark = pytest.mark.slow


class Refusing:
    """An EDGAR that answers 403 to everything, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.Response(status=403, text="Request Rate Threshold Exceeded")


def status(port: int) -> dict[str, Any] | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status", timeout=2) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except OSError:
        return None


async def until(what, seconds: float = 30.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = await asyncio.to_thread(what)
        if found:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("it did not happen in time")


async def test_a_service_killed_within_a_stop_asks_edgar_nothing_when_it_is_back(tmp_path: Path):
    edgar = Refusing()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", edgar.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = "http://{}:{}".format(*runner.addresses[0])
    number = free_port()
    port = str(number)
    known = {"EDGAR_BASE_URL": url, "SEC_USER_AGENT": "Test test@example.com", "CATALYST_DATA_DIR": str(tmp_path)}
    serve = ("serve", "--source", "live", "--port", port)
    log = tmp_path / "log"

    def stopped() -> bool:
        found = status(number)
        return bool(found and found["edgar"]["state"] == "stopped")

    with started(*serve, cwd=tmp_path, log=log, **known) as process:
        await until(stopped)
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = len(edgar.asked)
    assert 1 <= before <= 3, edgar.asked
    for _ in range(2):
        with started(*serve, cwd=tmp_path, log=log, **known) as process:
            await until(stopped)
            await asyncio.sleep(1.0)  # what it would ask, it would have asked by now
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert len(edgar.asked) == before, edgar.asked[before:]
    await runner.cleanup()
