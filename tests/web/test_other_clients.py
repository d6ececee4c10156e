"""Clients that we did not write follow the stream and resume: websockets' command line, and `ws` on Node.

Chromium's own WebSocket does in `test_page.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from tests.contracts.log import alert
from tests.web.service import Service
from tests.web.test_guides import block

pytestmark = pytest.mark.slow


@contextlib.asynccontextmanager
async def process(*command: str, **options: object) -> AsyncIterator[asyncio.subprocess.Process]:
    pipe = asyncio.subprocess.PIPE
    running = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe, **options)  # type: ignore[arg-type]
    try:
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            running.kill()
        await running.wait()


async def seen(running: asyncio.subprocess.Process, wanted: bytes) -> bytes:
    """What it printed up to and with `wanted`."""
    assert running.stdout is not None
    found = b""
    async with asyncio.timeout(20):
        while wanted not in found:
            piece = await running.stdout.read(65536)
            assert piece, found
            found += piece
    return found


async def test_the_command_line_of_websockets_follows_and_resumes(service: Service):
    async with process(sys.executable, "-m", "websockets", service.ws) as first:
        await seen(first, b'"connected"')
        assert first.stdin is not None
        first.stdin.write(b'{"type":"subscribe","tickers":["ACME"]}\n')
        await seen(first, b'"caught_up"')
        await service.log.append([alert(1)])
        assert b'"seq":1,"prev":0,"replay":false' in await seen(first, b"Acme files 1")
    await service.log.append([alert(2, tickers=("OTHR",)), alert(3)])
    resume = orjson.dumps({"type": "subscribe", "resume": {"epoch": service.log.epoch, "after": 1}})
    async with process(sys.executable, "-m", "websockets", service.ws) as second:
        await seen(second, b'"connected"')
        assert second.stdin is not None
        second.stdin.write(resume + b"\n")
        said = await seen(second, b'"caught_up"')
    assert b'"seq":2,"prev":1,"replay":true' in said
    assert b'"seq":3,"prev":2,"replay":true' in said


FOLLOW = """
const WebSocket = require("ws");
const [address, subscribe, count] = process.argv.slice(2);
const socket = new WebSocket(address);
const got = [];
socket.on("open", () => socket.send(subscribe));
socket.on("message", (data) => {
  const message = JSON.parse(data);
  if (message.type === "subscribed") console.log(JSON.stringify(message));
  if (message.filing_id) got.push([message.seq, message.prev, message.replay]);
  if (got.length === Number(count)) { console.log(JSON.stringify(got)); socket.close(); }
});
socket.on("error", (error) => { console.log(JSON.stringify(String(error))); });
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory) -> Path:
    """A folder with `ws` installed and the script in it."""
    import subprocess

    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("no Node: apt-get install nodejs npm")
    folder: Path = tmp_path_factory.mktemp("node")
    install = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", "ws@8"]
    try:
        done = subprocess.run(install, capture_output=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm could not install ws in 60 s")
    if done.returncode:
        pytest.skip(f"npm could not install ws: {done.stderr.decode()[-200:]}")
    (folder / "follow.js").write_text(FOLLOW)
    return folder


async def follow(node: Path, service: Service, count: int, **wanted: object):
    subscribe = orjson.dumps({"type": "subscribe", **wanted}).decode()
    return process("node", "follow.js", service.ws, subscribe, str(count), cwd=node)


async def test_ws_on_node_follows_and_resumes(service: Service, node: Path):
    async with await follow(node, service, 2) as first:
        await seen(first, b'"subscribed"')
        while not service.app.state.fanout.clients:
            await asyncio.sleep(0.01)
        await service.log.append([alert(1), alert(2)])
        assert orjson.loads((await seen(first, b"]]")).splitlines()[-1]) == [[1, 0, False], [2, 1, False]]
    await service.log.append([alert(3), alert(4)])
    after = {"epoch": service.log.epoch, "after": 2}
    async with await follow(node, service, 2, resume=after) as second:
        said = (await seen(second, b"]]")).splitlines()
    assert orjson.loads(said[0])["recovered"] is True
    assert orjson.loads(said[-1]) == [[3, 2, True], [4, 3, True]]


async def test_the_javascript_of_the_guide_goes_on_where_it_stopped(service: Service, node: Path):
    text = block("websocket.md", "js").replace("127.0.0.1:8765", f"127.0.0.1:{service.port}")
    (node / "guide.js").write_text(text.replace("min_priority: 0.6", "min_priority: 0"))
    async with process("node", "guide.js", cwd=node) as running:
        while not service.app.state.fanout.clients:
            await asyncio.sleep(0.01)
        await service.log.append([alert(1)])
        said = await seen(running, b"Acme files 1")
        await service.stop()
        await service.start()
        await service.log.append([alert(2), alert(3)])
        said += await seen(running, b"Acme files 3")
    assert [line.split()[0] for line in said.splitlines()] == [b"1", b"2", b"3"]
