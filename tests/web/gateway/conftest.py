"""A gateway on loopback over a real hub and the fake vendors, with one key of the tenant `acme`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio

from catalyst.llm.service import LLMService
from catalyst.web.gateway import GatewaySettings
from catalyst.web.gateway.alone import GatewayParts, create_gateway
from catalyst.web.keybook import KeyBook
from catalyst.web.server import Server
from catalyst.web.settings import WebSettings
from tests.llm.hub import hub_of, settings_of


@dataclass(frozen=True, slots=True)
class Running:
    """A served gateway, and what stands behind it."""

    url: str
    key: str
    hub: LLMService | None
    book: KeyBook
    wire: Any
    folder: Path

    @contextlib.asynccontextmanager
    async def post(self, path: str, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {"Authorization": f"Bearer {self.key}"} | options.pop("headers", {})
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url + path, headers=headers, **options) as answer,
        ):
            yield answer

    async def chat(self, headers: dict[str, str] | None = None, **fields: Any) -> tuple[int, Any, Any]:
        """Status, JSON and headers of a chat completion."""
        body = {"model": "cheap", "messages": [{"role": "user", "content": "Say hello."}]} | fields
        async with self.post("/v1/chat/completions", json=body, headers=headers or {}) as answer:
            return answer.status, await answer.json(), answer.headers


@contextlib.asynccontextmanager
async def gateway_of(
    wire: Any, folder: Path, *, with_hub: bool = True, gateway: GatewaySettings | None = None, **names: str
) -> AsyncIterator[Running]:
    """Serve a gateway; `names` are the hub's environment names."""
    async with contextlib.AsyncExitStack() as stack:
        hub = await stack.enter_async_context(hub_of(settings_of(wire, folder, **names), folder)) if with_hub else None
        book = stack.enter_context(contextlib.closing(KeyBook(folder / "keys.db")))
        _, key = book.add("acme")
        app = create_gateway(GatewayParts(hub, WebSettings(port=0), gateway or GatewaySettings(), book))
        server = Server(app, "127.0.0.1", 0)
        running = asyncio.create_task(server.run())
        await asyncio.wait_for(server.ready.wait(), 5)
        try:
            yield Running(server.url, key, hub, book, wire, folder)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@pytest_asyncio.fixture
async def gateway(wire: Any, tmp_path: Path) -> AsyncIterator[Running]:
    async with gateway_of(wire, tmp_path) as running:
        yield running
