"""The `wire` fixture: one fake server for each vendor, started for the test and stopped after it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.fakes.anthropic import Anthropic
from tests.fakes.gemini import Gemini
from tests.fakes.ollama import Ollama
from tests.fakes.openai import DeepSeek, OpenAI, OpenRouter
from tests.fakes.server import FakeServer


class Wire:
    """The vendors by their names in PROVIDERS."""

    def __init__(self) -> None:
        self.openai = FakeServer(OpenAI())
        self.deepseek = FakeServer(DeepSeek())
        self.openrouter = FakeServer(OpenRouter())
        self.ollama = FakeServer(Ollama())
        self.anthropic = FakeServer(Anthropic())
        self.gemini = FakeServer(Gemini())

    def __getitem__(self, name: str) -> FakeServer:
        server: FakeServer = getattr(self, name)
        return server

    @property
    def servers(self) -> dict[str, FakeServer]:
        return dict(vars(self))


@pytest_asyncio.fixture
async def wire() -> AsyncIterator[Wire]:
    """Every vendor on loopback: `wire.openai.answers(429, headers={"retry-after": "7"})`."""
    fakes = Wire()
    for server in fakes.servers.values():
        await server.start()
    try:
        yield fakes
    finally:
        for server in fakes.servers.values():
            await server.close()
