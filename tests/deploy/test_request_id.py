"""One request's id leads from the client's answer to the router's, the provider's and the ledger's lines."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.app.processes import free_port, started, wait_for
from tests.fakes.plugin import Wire

CHAT = {"model": "catalyst/simple", "messages": [{"role": "user", "content": "Say hello."}]}


def _lines(log: Path, request: str) -> dict[str, list[dict[str, Any]]]:
    """The log's events about one request, by name."""
    found: dict[str, list[dict[str, Any]]] = {}
    for text in log.read_text().splitlines():
        with contextlib.suppress(ValueError):
            line = json.loads(text)
            if line.get("request") == request:
                found.setdefault(line["event"], []).append(line)
    return found


async def _asked(url: str, **headers: str) -> str:
    """The id that the answer bears."""
    async with aiohttp.ClientSession() as session, session.post(url, json=CHAT, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return answer.headers["x-request-id"]


@pytest.mark.slow
async def test_a_requests_id_is_in_the_answer_every_line_and_the_ledger(tmp_path: Path, wire: Wire):
    wire.openai.answers(500)
    wire.openai.says("Hello.", times=3)
    environ = {
        "OPENAI_API_KEY": wire.openai.key, "OPENAI_BASE_URL": wire.openai.url, "LLM_CACHE_ENABLED": "0",
        "CATALYST_LOG_LEVEL": "debug", "CATALYST_LOG_FORMAT": "json", "LLM_RETRY_DELAY": "0.01",
    }  # fmt: skip
    port, log = free_port(), tmp_path / "log"
    with started("gateway", "--port", str(port), cwd=tmp_path, log=log, **environ) as process:
        await asyncio.to_thread(wait_for, port, process)
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        theirs = await _asked(url, **{"X-Request-Id": "order-7"})
        ours = await _asked(url)
        process.terminate()
        assert await asyncio.to_thread(process.wait, 12) == 0
    assert theirs == "order-7"
    assert ours != theirs
    said = _lines(log, theirs)
    assert [line["outcome"] for line in said["ledger.row"]] == ["server", "ok"]
    assert said["provider.failed"][0]["outcome"] == "server"
    assert said["route.chosen"][0]["reason"]
    assert set(_lines(log, ours)) == {"ledger.row", "route.chosen"}
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "hub.db")) as db:
        kept = db.execute("SELECT request, outcome FROM attempts ORDER BY id").fetchall()
    assert kept == [(theirs, "server"), (theirs, "ok"), (ours, "ok")]
    assert "Say hello" not in log.read_text()
    assert wire.openai.key not in log.read_text()
