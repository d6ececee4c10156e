"""The openai package against our fake, and its request bodies against ours, field by field.

A fake that it works with unmodified is honest; a body equal to its own is what the vendor expects.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
import pytest_asyncio

from catalyst.llm.types import Call
from tests.fakes.plugin import Wire
from tests.fakes.server import Tokens
from tests.llm.providers.conftest import MODELS, Bound, call
from tests.llm.providers.oracle import ASKED, HISTORY, PARAMETERS, READING, WEATHER, Fact, Reading


@pytest_asyncio.fixture
async def openai_client(wire: Wire) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(api_key=wire.openai.key, base_url=wire.openai.url, max_retries=0) as client:
        yield client


def openai_turns() -> list[Any]:
    function = {"name": "weather", "arguments": '{"city":"Bern"}'}
    return [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather in Bern?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    ]


OPENAI_TOOL: Any = {
    "type": "function",
    "function": {"name": "weather", "description": "Today's weather.", "parameters": PARAMETERS},
}


async def test_the_openai_package_completes_streams_and_calls_tools(wire: Wire, openai_client: openai.AsyncOpenAI):
    wire.openai.says("Up.", usage=Tokens(100, 20, cached=60, reasoning=8))
    turn: Any = {"role": "user", "content": "?"}
    answer = await openai_client.chat.completions.create(model="gpt-4.1", messages=[turn])
    assert answer.choices[0].message.content == "Up."
    assert answer.usage
    assert answer.usage.prompt_tokens_details
    assert answer.usage.prompt_tokens_details.cached_tokens == 60
    wire.openai.says("One two.")
    options: Any = {"include_usage": True}
    stream = await openai_client.chat.completions.create(
        model="gpt-4.1", messages=[turn], stream=True, stream_options=options
    )
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "One two."
    assert chunks[-1].usage
    wire.openai.says("", tool_calls=ASKED)
    answer = await openai_client.chat.completions.create(model="gpt-4.1", messages=[turn], tools=[OPENAI_TOOL])
    assert answer.choices[0].message.tool_calls
    assert answer.choices[0].message.tool_calls[0].id == "call_1"


async def test_the_openai_package_gathers_a_streamed_tool_call(wire: Wire, openai_client: openai.AsyncOpenAI):
    wire.openai.says("", tool_calls=ASKED)
    turn: Any = {"role": "user", "content": "?"}
    async with openai_client.chat.completions.stream(model="gpt-4.1", messages=[turn], tools=[OPENAI_TOOL]) as stream:
        final = await stream.get_final_completion()
    assert final.choices[0].message.tool_calls
    assert final.choices[0].message.tool_calls[0].function.arguments == '{"city": "Bern"}'


async def test_the_openai_package_parses_structured_output_and_embeds(wire: Wire, openai_client: openai.AsyncOpenAI):
    turn: Any = {"role": "user", "content": "?"}
    parsed = await openai_client.chat.completions.parse(model="gpt-4.1", messages=[turn], response_format=Fact)
    assert parsed.choices[0].message.parsed == Fact(value=1.5, unit="text")
    vectors = await openai_client.embeddings.create(model="text-embedding-3-small", input=["a", "bbb"])
    assert sorted((row.index, row.embedding[0]) for row in vectors.data) == [(0, 1.0), (1, 3.0)]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (503, openai.InternalServerError),
    ],
)
async def test_the_openai_package_knows_the_errors(
    status: int, kind: type, wire: Wire, openai_client: openai.AsyncOpenAI
):
    wire.openai.answers(status, message="So it is.")
    turn: Any = {"role": "user", "content": "?"}
    with pytest.raises(kind, match="So it is"):
        await openai_client.chat.completions.create(model="gpt-4.1", messages=[turn])


async def test_the_openai_package_is_refused_what_openai_refuses(wire: Wire, openai_client: openai.AsyncOpenAI):
    turn: Any = {"role": "user", "content": "?"}
    wrong: list[dict[str, Any]] = [
        {"model": "gpt-5-mini", "max_tokens": 5},
        {"model": "gpt-5-mini", "temperature": 0.2},
        {"model": "gpt-4.1", "response_format": {"type": "json_object"}},
        {"model": "gpt-4.1", "extra_body": {"nonsense": 1}},
        {"model": "gpt-4.1", "tool_choice": "auto"},
    ]
    for fields in wrong:
        with pytest.raises(openai.BadRequestError):
            await openai_client.chat.completions.create(messages=[turn], **fields)
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        await openai_client.chat.completions.create(model="gpt-9", messages=[turn])
    with pytest.raises(openai.AuthenticationError, match="Incorrect API key"):
        await openai_client.with_options(api_key="sk-wrong").chat.completions.create(model="gpt-4.1", messages=[turn])


@pytest.mark.parametrize("name", ["deepseek", "openrouter", "ollama"])
async def test_the_openai_package_works_with_the_relatives(name: str, wire: Wire):
    server = wire[name]
    async with openai.AsyncOpenAI(api_key=server.key or "any", base_url=server.url, max_retries=0) as client:
        turn: Any = {"role": "user", "content": "?"}
        answer = await client.chat.completions.create(model=MODELS[name], messages=[turn])
        assert answer.choices[0].message.content
        stream = await client.chat.completions.create(model=MODELS[name], messages=[turn], stream=True)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
        with pytest.raises(openai.APIStatusError):
            await client.chat.completions.create(model="nobody's", messages=[turn])


async def test_our_openai_body_is_the_packages(wire: Wire, openai_client: openai.AsyncOpenAI, provider: Bound):
    ours: Call = call(
        "openai", messages=HISTORY, tools=(WEATHER,), tool_choice="weather", top_p=0.9, stop=("END",), seed=7
    )
    await provider("openai").complete(ours)
    choice: Any = {"type": "function", "function": {"name": "weather"}}
    await openai_client.chat.completions.create(
        model=ours.model,
        messages=openai_turns(),
        max_tokens=64,
        temperature=0.5,
        top_p=0.9,
        stop=["END"],
        seed=7,
        tools=[OPENAI_TOOL],
        tool_choice=choice,
    )
    assert wire.openai.requests[-2].body == wire.openai.requests[-1].body
    assert wire.openai.requests[-2].headers["authorization"] == wire.openai.requests[-1].headers["authorization"]
    assert wire.openai.requests[-2].path == wire.openai.requests[-1].path


async def test_our_openai_stream_body_is_the_packages(wire: Wire, openai_client: openai.AsyncOpenAI, provider: Bound):
    assert [delta async for delta in provider("openai").stream(call("openai", model="gpt-5-mini"))]
    turn: Any = {"role": "user", "content": "Say hello."}
    await openai_client.chat.completions.create(
        model="gpt-5-mini",
        messages=[turn],
        max_completion_tokens=64,
        stream=True,
        stream_options={"include_usage": True},
    )
    assert wire.openai.requests[-2].body == wire.openai.requests[-1].body


async def test_our_strict_schema_is_the_packages(wire: Wire, openai_client: openai.AsyncOpenAI, provider: Bound):
    turn: Any = {"role": "user", "content": "Say hello."}
    wire.openai.says(READING.model_dump_json(), times=2)
    await provider("openai").complete(call("openai", schema=Reading.model_json_schema()))
    await openai_client.chat.completions.parse(model=MODELS["openai"], messages=[turn], response_format=Reading)
    ours, theirs = (asked.body["response_format"]["json_schema"] for asked in wire.openai.requests[-2:])
    assert ours["strict"] is theirs["strict"] is True
    assert ours["schema"] == theirs["schema"]


async def test_our_embedding_body_is_the_packages(wire: Wire, openai_client: openai.AsyncOpenAI, provider: Bound):
    await provider("openai").embed(call("openai", model="text-embedding-3-small", texts=("a", "b")))
    await openai_client.embeddings.create(model="text-embedding-3-small", input=["a", "b"], encoding_format="float")
    assert wire.openai.requests[-2].body == wire.openai.requests[-1].body
