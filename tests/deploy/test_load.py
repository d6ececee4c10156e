"""The load test's users get what they ask for, from a running service with a model behind it."""

from __future__ import annotations

import asyncio
import csv
import importlib.util
import sys
from pathlib import Path

import pytest

from tests.app.processes import environ, free_port, started, wait_for
from tests.fakes.plugin import Wire

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("locust") is None, reason="locust is one of requirements/bench.txt"),
]


async def test_no_request_of_the_load_test_fails(tmp_path: Path, wire: Wire):
    wire.openai.says("Hello.", times=2000)
    names = {"OPENAI_API_KEY": wire.openai.key, "OPENAI_BASE_URL": wire.openai.url}
    port = free_port()
    serve = ["serve", "--source", "sample", "--speed", "600", "--port", str(port)]
    with started(*serve, cwd=tmp_path, log=tmp_path / "log", **names) as process:
        await asyncio.to_thread(wait_for, port, process)
        locust = [sys.executable, "-m", "locust", "-f", str(ROOT / "bench" / "load.py"), "--headless", "--users", "8"]
        locust += ["--spawn-rate", "8", "--run-time", "4s", "--host", f"http://127.0.0.1:{port}", "--csv", "load"]
        load = await asyncio.create_subprocess_exec(
            *locust, cwd=tmp_path, env=environ(), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        out, _ = await asyncio.wait_for(load.communicate(), 60)
    assert load.returncode == 0, out.decode()[-4000:]
    with (tmp_path / "load_stats.csv").open() as file:
        asked = {row["Name"]: int(row["Request Count"]) for row in csv.DictReader(file)}
    assert {"/api/filings/recent?limit=50", "/api/status", "chat", "chat, streamed"} <= asked.keys()
