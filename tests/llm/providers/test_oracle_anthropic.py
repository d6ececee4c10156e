"""The anthropic package against our fake, and its request bodies against ours, field by field.

A fake that it works with unmodified is honest; a body equal to its own is what the vendor expects.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anthropic
import pytest
import pytest_asyncio

from tests.fakes.plugin import Wire
from tests.fakes.server import Tokens
from tests.llm.providers.conftest import MODELS, Bound, call
from tests.llm.providers.oracle import ASKED, HISTORY, PARAMETERS, READING, WEATHER, Fact, Reading


@pytest_asyncio.fixture
async def anthropic_client(wire: Wire) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(
        api_key=wire.anthropic.key, base_url=wire.anthropic.url, max_retries=0
    ) as client:
        yield client


ANTHROPIC_TOOL: Any = {"name": "weather", "description": "Today's weather.", "input_schema": PARAMETERS}
CLAUDE = MODELS["anthropic"]


async def test_the_anthropic_package_completes_streams_and_calls_tools(
    wire: Wire, anthropic_client: anthropic.AsyncAnthropic
):
    wire.anthropic.says("Up.", usage=Tokens(100, 20, cached=60, cache_write=10, reasoning=8))
    turn: Any = {"role": "user", "content": "?"}
    answer = await anthropic_client.messages.create(model=CLAUDE, max_tokens=9, messages=[turn])
    assert answer.content[0].type == "text"
    assert answer.content[0].text == "Up."
    assert (answer.usage.input_tokens, answer.usage.cache_read_input_tokens) == (30, 60)
    wire.anthropic.says("One two.", tool_calls=ASKED)
    async with anthropic_client.messages.stream(
        model=CLAUDE, max_tokens=9, messages=[turn], tools=[ANTHROPIC_TOOL]
    ) as stream:
        text = "".join([piece async for piece in stream.text_stream])
        final = await stream.get_final_message()
    assert text == "One two."
    assert final.stop_reason == "tool_use"
    assert final.content[1].type == "tool_use"
    assert final.content[1].input == {"city": "Bern"}
    assert final.usage.output_tokens == 5


async def test_the_anthropic_package_parses_structured_output(wire: Wire, anthropic_client: anthropic.AsyncAnthropic):
    turn: Any = {"role": "user", "content": "?"}
    parsed = await anthropic_client.messages.parse(model=CLAUDE, max_tokens=9, messages=[turn], output_format=Fact)
    assert parsed.parsed_output == Fact(value=1.5, unit="text")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (403, anthropic.PermissionDeniedError),
        (404, anthropic.NotFoundError),
        (429, anthropic.RateLimitError),
        (500, anthropic.InternalServerError),
        (529, anthropic.APIStatusError),
    ],
)
async def test_the_anthropic_package_knows_the_errors(
    status: int, kind: type, wire: Wire, anthropic_client: anthropic.AsyncAnthropic
):
    wire.anthropic.answers(status, message="So it is.")
    turn: Any = {"role": "user", "content": "?"}
    with pytest.raises(kind, match="So it is"):
        await anthropic_client.messages.create(model=CLAUDE, max_tokens=9, messages=[turn])


async def test_the_anthropic_package_sees_an_error_inside_a_stream(
    wire: Wire, anthropic_client: anthropic.AsyncAnthropic
):
    wire.anthropic.says("One two three four.", error_after=4)
    turn: Any = {"role": "user", "content": "?"}
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        async with anthropic_client.messages.stream(model=CLAUDE, max_tokens=9, messages=[turn]) as stream:
            await stream.get_final_message()


async def test_the_anthropic_package_is_refused_what_anthropic_refuses(
    wire: Wire, anthropic_client: anthropic.AsyncAnthropic
):
    turn: Any = {"role": "user", "content": "?"}
    open_schema: Any = {"format": {"type": "json_schema", "schema": {"type": "object", "properties": {}}}}
    wrong: list[dict[str, Any]] = [
        {"extra_body": {"temperature": 0.2}},
        {"output_config": open_schema},
        {"tool_choice": {"type": "any"}},
        {"extra_headers": {"anthropic-version": "1999-01-01"}},
    ]
    for fields in wrong:
        with pytest.raises(anthropic.BadRequestError):
            await anthropic_client.messages.create(model=CLAUDE, max_tokens=9, messages=[turn], **fields)
    old = {"anthropic-version": "2023-06-01"}
    assert await anthropic_client.messages.create(
        model=CLAUDE, max_tokens=9, messages=[turn], extra_headers=old, extra_body={"temperature": 0.2}
    )


async def test_our_anthropic_body_is_the_packages(
    wire: Wire, anthropic_client: anthropic.AsyncAnthropic, provider: Bound
):
    schema = Reading.model_json_schema()
    wire.anthropic.says(READING.model_dump_json(), times=2)
    await provider("anthropic").complete(
        call("anthropic", messages=HISTORY, tools=(WEATHER,), tool_choice="weather", stop=("END",), schema=schema)
    )
    used: Any = [{"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Bern"}}]
    result: Any = [{"type": "tool_result", "tool_use_id": "call_1", "content": "rain"}]
    await anthropic_client.messages.parse(
        model=CLAUDE,
        system="Be brief.",
        messages=[
            {"role": "user", "content": "Weather in Bern?"},
            {"role": "assistant", "content": used},
            {"role": "user", "content": result},
        ],
        max_tokens=64,
        stop_sequences=["END"],
        tools=[ANTHROPIC_TOOL],
        tool_choice={"type": "tool", "name": "weather"},
        output_format=Reading,
    )
    ours, theirs = wire.anthropic.requests[-2:]
    assert ours.body == theirs.body
    assert ours.path == theirs.path
    assert ours.headers["anthropic-version"] == theirs.headers["anthropic-version"]


async def test_our_anthropic_stream_body_is_the_packages(
    wire: Wire, anthropic_client: anthropic.AsyncAnthropic, provider: Bound
):
    assert [delta async for delta in provider("anthropic").stream(call("anthropic"))]
    turn: Any = {"role": "user", "content": "Say hello."}
    await anthropic_client.messages.create(model=CLAUDE, max_tokens=64, messages=[turn], stream=True)
    assert wire.anthropic.requests[-2].body == wire.anthropic.requests[-1].body
