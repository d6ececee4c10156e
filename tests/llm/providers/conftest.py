"""Providers bound to the fakes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from catalyst.errors import ProviderError
from catalyst.http import Http
from catalyst.llm.providers import PROVIDERS, make_provider
from catalyst.llm.types import Call, Message, Provider
from tests.fakes.plugin import Wire

MODELS = {
    "openai": "gpt-4.1-mini",
    "deepseek": "deepseek-chat",
    "openrouter": "meta/llama-4",
    "ollama": "mistral",
    "anthropic": "claude-haiku-4-5",
    "gemini": "gemini-2.5-flash",
}
VENDORS = list(MODELS)
DIALECTS = ["openai", "anthropic", "gemini"]
LONG = "One two three four five six seven eight."
Bound = Callable[[str], Provider]


def call(name: str, prompt: str = "Say hello.", **fields: Any) -> Call:
    """A plain question to the vendor's usual model."""
    fields.setdefault("messages", (Message(role="user", content=prompt),))
    fields.setdefault("temperature", 0.5)
    return Call(model=fields.pop("model", MODELS[name]), max_tokens=fields.pop("max_tokens", 64), **fields)


async def failed(provider: Provider, asked: Call) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await provider.complete(asked)
    return caught.value


async def broken(provider: Provider, asked: Call) -> tuple[str, ProviderError]:
    """What a stream delivered before it failed."""
    text = ""
    with pytest.raises(ProviderError) as caught:
        async for delta in provider.stream(asked):
            text += delta.text
    return text, caught.value


@pytest_asyncio.fixture
async def http() -> AsyncIterator[Http]:
    async with Http() as session:
        yield session


@pytest_asyncio.fixture
async def provider(wire: Wire, http: Http) -> Bound:
    """`provider("openai")`: ours, bound to the fake of that name."""
    return lambda name: make_provider(PROVIDERS[name], http, wire[name].key, wire[name].url)
