"""`catalyst tail` as a process against a real service."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import replace

import orjson
import pytest

from tests.contracts.log import alert
from tests.web.conftest import start  # noqa: F401 (a fixture)
from tests.web.service import QUICK, Service

pytestmark = pytest.mark.slow  # processes, or seconds of work: `make check` leaves it out

COMMAND = [sys.executable, "-c", "from catalyst.app.cli import main; main()", "tail"]


async def tail(*options: str):
    return await asyncio.create_subprocess_exec(
        *COMMAND, *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


async def output(*options: str) -> tuple[int, str, str]:
    process = await tail(*options)
    out, err = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, out.decode(), err.decode()


@pytest.fixture
async def service(start) -> Service:  # noqa: F811
    return await start()


async def test_json_lines_are_the_flat_messages(service: Service):
    await service.log.append([alert(1), alert(2, form="4"), alert(3)])
    code, out, err = await output("--url", service.ws, "--from", "START", "--form", "8-K", "--json", "--count", "2")
    assert (code, err) == (0, "")
    messages = [orjson.loads(line) for line in out.splitlines()]
    assert [(m["seq"], m["prev"], m["type"]) for m in messages] == [(1, 0, "filing_alert"), (3, 1, "filing_alert")]


async def test_lines_are_plain_where_nobody_watches(service: Service):
    await service.log.append([alert(1)])
    code, out, _ = await output("--url", service.ws, "--since", "1h", "--count", "1")
    assert code == 0
    assert out.startswith("17:00:00   NONE   ACME   8-K")
    assert "\x1b" not in out


async def test_a_restart_of_the_service_is_not_noticed(service: Service):
    process = await tail("--url", service.ws, "--json", "--count", "2", "--from", "0")
    assert process.stdout is not None
    await service.log.append([alert(1)])
    assert orjson.loads(await asyncio.wait_for(process.stdout.readline(), 30))["seq"] == 1
    await service.stop()
    await service.start()
    await service.log.append([alert(2)])
    assert orjson.loads(await asyncio.wait_for(process.stdout.readline(), 30))["seq"] == 2
    assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_ctrl_c_ends_it_cleanly(service: Service):
    process = await tail("--url", service.ws, "--from", "0")
    assert process.stdout is not None
    await service.log.append([alert(1)])
    await asyncio.wait_for(process.stdout.readline(), 30)
    process.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(process.communicate(), 10)
    assert (process.returncode, err) == (130, b"")


async def test_faults_are_one_line_that_says_what_to_do(start):  # noqa: F811
    code, out, err = await output("--url", "ws://127.0.0.1:1")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "catalyst up" in err
    for options in (["--url", "ftp://x"], ["--from", "x"], ["--since", "soon"], ["--since", "1h", "--from", "0"]):
        code, out, err = await output(*options)
        assert (code, out, err.count("\n")) == (2, "", 1), options
    service = await start(replace(QUICK, api_keys=("right",)))
    code, _, err = await output("--url", service.ws, "--api-key", "wrong")
    assert (code, err.count("\n")) == (1, 1)
    assert "API key" in err
