"""A real service on loopback over a real SQLite log, and a real client of it; what every test of the web room uses."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect

from catalyst.db import Database
from catalyst.stream.sqlite import SqliteLog
from catalyst.web.app import Parts, create_app
from catalyst.web.server import Server
from catalyst.web.settings import WebSettings

QUICK = WebSettings(port=0, subscribe_s=0.15, auth_s=0.15, heartbeat_s=30)


class Service:
    """One running service; `stop` and `start` again keep the log and the port."""

    def __init__(self, path: Path, settings: WebSettings, **parts: Any) -> None:
        self.path, self.settings, self.parts = path, settings, parts
        self.port = settings.port
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.db = Database(self.path, synchronous="NORMAL")
        self.log = SqliteLog(self.db)
        self.app = create_app(Parts(self.log, self.settings, **self.parts))
        server = Server(self.app, self.settings.host, self.port)
        self.port = server.port
        self._task = asyncio.create_task(server.run())
        await asyncio.wait_for(server.ready.wait(), 5)
        await self.app.state.fanout.started.wait()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
            self.db.close()

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/filings"

    @contextlib.asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator[Client]:
        async with connect(self.ws, compression=None, max_queue=None, proxy=None, **options) as socket:
            yield Client(socket)


class Client:
    """A WebSocket client that speaks JSON."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def receive(self) -> dict[str, Any]:
        return orjson.loads(await asyncio.wait_for(self.socket.recv(), 10))

    async def send(self, **message: Any) -> None:
        await self.socket.send(orjson.dumps(message).decode())

    async def subscribe(self, **wanted: Any) -> dict[str, Any]:
        """Subscribe and return the `subscribed` answer."""
        await self.send(type="subscribe", **wanted)
        return await self.until("subscribed")

    async def live(self, **wanted: Any) -> dict[str, Any]:
        """Subscribe and read on until `caught_up`; returns that."""
        await self.subscribe(**wanted)
        return await self.until("caught_up")

    async def until(self, kind: str) -> dict[str, Any]:
        while (message := await self.receive())["type"] != kind:
            pass
        return message

    async def alerts(self, count: int) -> list[dict[str, Any]]:
        """The next `count` messages that carry a filing."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            message = await self.receive()
            if "filing_id" in message:
                found.append(message)
        return found

    async def closed(self) -> tuple[int, str]:
        """Read to the end; the close code and reason."""
        async with asyncio.timeout(10):
            with contextlib.suppress(Exception):
                while True:
                    await self.socket.recv()
            await self.socket.wait_closed()
        return self.socket.close_code or 0, self.socket.close_reason or ""
