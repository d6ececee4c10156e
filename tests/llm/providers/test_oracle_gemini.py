"""The google-genai package against our fake, and its request bodies against ours, field by field.

A fake that it works with unmodified is honest; a body equal to its own is what the vendor expects.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from google import genai
from google.genai import errors as genai_errors
from google.genai import types as genai_types

from tests.fakes.plugin import Wire
from tests.fakes.server import Tokens
from tests.llm.providers.conftest import MODELS, Bound, call
from tests.llm.providers.oracle import ASKED, HISTORY, PARAMETERS, WEATHER, Fact, Reading

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")


@pytest_asyncio.fixture
async def gemini_client(wire: Wire) -> AsyncIterator[genai.Client]:
    client = genai.Client(api_key=wire.gemini.key, http_options=genai_types.HttpOptions(base_url=wire.gemini.url))
    yield client
    await client.aio.aclose()
    client.close()


FLASH = MODELS["gemini"]
DECLARED = genai_types.FunctionDeclaration(
    name="weather", description="Today's weather.", parameters_json_schema=PARAMETERS
)
NO_LOOP = genai_types.AutomaticFunctionCallingConfig(disable=True)


def gemini_turns() -> list[genai_types.Content]:
    made = genai_types.FunctionCall(id="call_1", name="weather", args={"city": "Bern"})
    result = genai_types.FunctionResponse(id="call_1", name="weather", response={"result": "rain"})
    return [
        genai_types.Content(role="user", parts=[genai_types.Part(text="Weather in Bern?")]),
        genai_types.Content(role="model", parts=[genai_types.Part(function_call=made)]),
        genai_types.Content(role="user", parts=[genai_types.Part(function_response=result)]),
    ]


async def test_the_genai_package_completes_streams_and_calls_tools(wire: Wire, gemini_client: genai.Client):
    models = gemini_client.aio.models
    wire.gemini.says("Up.", usage=Tokens(100, 20, cached=60, reasoning=8))
    answer = await models.generate_content(model=FLASH, contents="?")
    assert answer.text == "Up."
    assert answer.usage_metadata
    assert answer.usage_metadata.cached_content_token_count == 60
    assert answer.usage_metadata.thoughts_token_count == 8
    wire.gemini.says("One two three.")
    stream = await models.generate_content_stream(model=FLASH, contents="?")
    assert "".join([chunk.text or "" async for chunk in stream]) == "One two three."
    wire.gemini.says("", tool_calls=ASKED)
    tools: Any = [genai_types.Tool(function_declarations=[DECLARED])]
    config = genai_types.GenerateContentConfig(tools=tools, automatic_function_calling=NO_LOOP)
    answer = await models.generate_content(model=FLASH, contents="?", config=config)
    assert answer.function_calls
    assert answer.function_calls[0].args == {"city": "Bern"}


async def test_the_genai_package_parses_structured_output_and_embeds(wire: Wire, gemini_client: genai.Client):
    config = genai_types.GenerateContentConfig(
        response_mime_type="application/json", response_json_schema=Fact.model_json_schema()
    )
    answer = await gemini_client.aio.models.generate_content(model=FLASH, contents="?", config=config)
    assert answer.text
    assert Fact.model_validate_json(answer.text) == Fact(value=1.5, unit="text")
    texts: list[Any] = ["a", "bbb"]
    vectors = await gemini_client.aio.models.embed_content(model="gemini-embedding-001", contents=texts)
    assert vectors.embeddings
    assert [found.values for found in vectors.embeddings] == [[1.0, 0.5, -1.0], [3.0, 0.5, -1.0]]


async def test_the_genai_package_sees_a_blocked_prompt(wire: Wire, gemini_client: genai.Client):
    wire.gemini.says("", refusal="SAFETY")
    answer = await gemini_client.aio.models.generate_content(model=FLASH, contents="?")
    assert answer.prompt_feedback
    assert answer.prompt_feedback.block_reason == genai_types.BlockedReason.SAFETY


@pytest.mark.parametrize(
    ("status", "kind", "word"),
    [
        (400, genai_errors.ClientError, "INVALID_ARGUMENT"),
        (403, genai_errors.ClientError, "PERMISSION_DENIED"),
        (404, genai_errors.ClientError, "NOT_FOUND"),
        (429, genai_errors.ClientError, "RESOURCE_EXHAUSTED"),
        (503, genai_errors.ServerError, "UNAVAILABLE"),
    ],
)
async def test_the_genai_package_knows_the_errors(
    status: int, kind: type, word: str, wire: Wire, gemini_client: genai.Client
):
    wire.gemini.answers(status, message="So it is.")
    with pytest.raises(kind, match=f"{status} {word}"):
        await gemini_client.aio.models.generate_content(model=FLASH, contents="?")


async def test_the_genai_package_is_refused_what_gemini_refuses(wire: Wire, gemini_client: genai.Client):
    models = gemini_client.aio.models
    many = genai_types.GenerateContentConfig(stop_sequences=["1", "2", "3", "4", "5", "6"])
    with pytest.raises(genai_errors.ClientError, match="stop sequences"):
        await models.generate_content(model=FLASH, contents="?", config=many)
    with pytest.raises(genai_errors.ClientError, match="not found for API version"):
        await models.generate_content(model="gemini-1.0-pro", contents="?")
    wire.gemini.vendor.key = "another"
    with pytest.raises(genai_errors.ClientError, match="API key not valid"):
        await models.generate_content(model=FLASH, contents="?")


async def test_our_gemini_body_is_the_packages(wire: Wire, gemini_client: genai.Client, provider: Bound):
    await provider("gemini").complete(
        call("gemini", messages=HISTORY, tools=(WEATHER,), tool_choice="weather", top_p=0.9, stop=("END",), seed=7)
    )
    named = genai_types.FunctionCallingConfig(
        mode=genai_types.FunctionCallingConfigMode.ANY, allowed_function_names=["weather"]
    )
    tools: Any = [genai_types.Tool(function_declarations=[DECLARED])]
    contents: Any = gemini_turns()
    config = genai_types.GenerateContentConfig(
        system_instruction="Be brief.",
        max_output_tokens=64,
        temperature=0.5,
        top_p=0.9,
        stop_sequences=["END"],
        seed=7,
        tools=tools,
        tool_config=genai_types.ToolConfig(function_calling_config=named),
        automatic_function_calling=NO_LOOP,
    )
    await gemini_client.aio.models.generate_content(model=FLASH, contents=contents, config=config)
    ours, theirs = wire.gemini.requests[-2:]
    assert ours.body == _camel(theirs.body)
    assert (ours.path, ours.headers["x-goog-api-key"]) == (theirs.path, theirs.headers["x-goog-api-key"])


def _camel(body: Any) -> Any:
    """The package writes one name in snake case; the service reads both spellings as the same field."""
    declared = body["tools"][0]["functionDeclarations"][0]
    declared["parametersJsonSchema"] = declared.pop("parameters_json_schema")
    return body


async def test_our_gemini_schema_and_stream_are_the_packages(wire: Wire, gemini_client: genai.Client, provider: Bound):
    schema = Reading.model_json_schema()
    assert [delta async for delta in provider("gemini").stream(call("gemini", schema=schema))]
    config = genai_types.GenerateContentConfig(
        max_output_tokens=64, temperature=0.5, response_mime_type="application/json", response_json_schema=schema
    )
    stream = await gemini_client.aio.models.generate_content_stream(model=FLASH, contents="Say hello.", config=config)
    assert [chunk async for chunk in stream]
    ours, theirs = wire.gemini.requests[-2:]
    assert ours.body == theirs.body
    assert (ours.path, ours.query) == (theirs.path, theirs.query)


async def test_our_gemini_embedding_body_is_the_packages(wire: Wire, gemini_client: genai.Client, provider: Bound):
    await provider("gemini").embed(call("gemini", model="gemini-embedding-001", texts=("a", "b")))
    texts: list[Any] = ["a", "b"]
    await gemini_client.aio.models.embed_content(model="gemini-embedding-001", contents=texts)
    assert wire.gemini.requests[-2].body == wire.gemini.requests[-1].body
