"""The real vendors, where their keys are in the environment: `pytest -m live tests/llm/providers`."""

from __future__ import annotations

import json
import os

import pytest

from catalyst.errors import LLMAuthenticationError, LLMModelError, ProviderError
from catalyst.http import Http
from catalyst.llm.providers import PROVIDERS, make_provider
from catalyst.llm.types import Call, Message, Provider

pytestmark = pytest.mark.live
MODELS = {
    "openai": "gpt-5.4-nano",
    "deepseek": "deepseek-chat",
    "openrouter": "openai/gpt-4.1-nano",
    "anthropic": "claude-haiku-4-5",
    "gemini": "gemini-2.5-flash-lite",
}
SCHEMA = {"type": "object", "properties": {"sum": {"type": "integer"}}, "required": ["sum"]}


def real(name: str, http: Http) -> Provider:
    row = PROVIDERS[name]
    key = next((os.environ[env] for env in row.key_env if os.environ.get(env)), "")
    if not key:
        pytest.skip(f"{row.key_env[0]} is not set")
    address = next((os.environ[env] for env in row.base_url_env if os.environ.get(env)), None)
    return make_provider(row, http, key, address)


def question(name: str, text: str, **fields: object) -> Call:
    model = os.environ.get(f"{name.upper()}_MODEL") or MODELS[name]
    turns = (Message(role="system", content="Be brief."), Message(role="user", content=text))
    return Call(model=model, messages=turns, max_tokens=500, temperature=0.0, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", list(MODELS))
async def test_a_real_vendor_answers_streams_and_fits_a_schema(name: str, http: Http):
    provider = real(name, http)
    answer = await provider.complete(question(name, "Say the word: tide"))
    assert "tide" in answer.text.lower()
    assert answer.usage.input > 0
    assert answer.usage.output > 0
    deltas = [delta async for delta in provider.stream(question(name, "Count from 1 to 5."))]
    assert "5" in "".join(delta.text for delta in deltas)
    assert deltas[-1].usage
    fitted = await provider.complete(question(name, "What is 2 + 3? Give JSON.", schema=SCHEMA))
    assert json.loads(fitted.text) == {"sum": 5}


@pytest.mark.parametrize("name", list(MODELS))
async def test_a_real_vendor_refuses_as_we_expect(name: str, http: Http):
    provider = real(name, http)
    call = question(name, "Hello")
    unknown = Call("no-such-model-1", call.messages, 16, None)
    with pytest.raises((LLMModelError, ProviderError)):
        await provider.complete(unknown)
    with pytest.raises(LLMAuthenticationError):
        await make_provider(PROVIDERS[name], http, "sk-wrong-key-0000000000").complete(call)
