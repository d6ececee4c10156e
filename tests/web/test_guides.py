"""The guides of REST and of the stream say what the service does, and their examples run as they stand."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from catalyst.web.app import Parts, create_app
from catalyst.web.cashflow import cashflow_router
from catalyst.web.classify import classify_router
from catalyst.web.documents import documents_router
from catalyst.web.enrich import enrich_router
from catalyst.web.messages import CLOSE_CODES
from catalyst.web.writer import writer_router
from tests.contracts.log import alert
from tests.web.service import Service

GUIDES = Path(__file__).parents[2] / "docs" / "guides"


def block(page: str, language: str) -> str:
    """The page's first block in that language."""
    found = re.search(rf"^```{language}\n(.*?)^```", (GUIDES / page).read_text(), re.M | re.S)
    assert found, f"{page} has no {language}"
    return found[1]


async def test_every_route_stands_in_the_guide_of_rest_or_in_one_that_it_links(service: Service):
    nothing: Any = object()
    makers = (cashflow_router, classify_router, documents_router, enrich_router, writer_router)
    routers = [make(nothing) for make in makers]
    app = create_app(Parts(service.log, watchlists=nothing, routers=routers))
    page = (GUIDES / "rest.md").read_text()
    linked = {name: (GUIDES / name).read_text() for name in re.findall(r"\]\((\w+\.md)\)", page)}
    for path in app.openapi()["paths"]:
        shown = path.replace("{filing_id}", "{id}")
        base, last = shown.rsplit("/", 1)
        there = [text for text in linked.values() if shown in text or (base in text and f"`/{last}`" in text)]
        assert f"{shown}`" in page or f"{shown}?" in page or there, f"{path} is nowhere"


def test_the_guide_of_the_stream_has_every_close_code_and_no_other():
    rows = re.findall(r"^\| ([\d, ]+) \|", (GUIDES / "websocket.md").read_text(), re.M)
    assert {int(code) for row in rows for code in row.split(",")} == set(CLOSE_CODES)


@pytest.mark.slow
async def test_the_python_of_the_guide_follows_over_a_restart_without_gap_or_repeat(service: Service, tmp_path: Path):
    script = tmp_path / "follow.py"
    text = block("websocket.md", "python").replace("127.0.0.1:8765", f"127.0.0.1:{service.port}")
    script.write_text(text.replace("min_priority=0.6", "min_priority=0.0"))
    pipe = asyncio.subprocess.PIPE
    running = await asyncio.create_subprocess_exec(sys.executable, "-u", script, stdout=pipe)
    assert running.stdout is not None
    try:
        async with asyncio.timeout(30):
            while not service.app.state.fanout.clients:
                await asyncio.sleep(0.01)
            await service.log.append([alert(1), alert(2)])
            said = [await running.stdout.readline() for _ in range(2)]
            await service.log.append([alert(3)])
            said.append(await running.stdout.readline())
            await service.stop()
            await service.start()
            await service.log.append([alert(4), alert(5)])
            said += [await running.stdout.readline() for _ in range(2)]
    finally:
        running.kill()
        await running.wait()
    assert [line.split()[0] for line in said] == [b"1", b"2", b"3", b"4", b"5"]
