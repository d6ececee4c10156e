"""Other people's clients, unmodified: the openai and anthropic packages, LangChain, simonw's llm, and curl."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from pydantic import BaseModel

from tests.llm.hub import rows

QUESTION: Any = [{"role": "user", "content": "Say hello."}]
TOOL: Any = {
    "type": "function",
    "function": {"name": "price", "description": "A price", "parameters": {"type": "object", "properties": {}}},
}


@pytest.fixture
async def client(gateway):
    async with openai.AsyncOpenAI(api_key=gateway.key, base_url=f"{gateway.url}/v1", max_retries=0) as made:
        yield made


@pytest.fixture
async def claude(gateway):
    async with anthropic.AsyncAnthropic(api_key=gateway.key, base_url=gateway.url, max_retries=0) as made:
        yield made


async def test_openai_gets_an_answer_with_usage_and_what_it_cost(gateway, client):
    raw = await client.chat.completions.with_raw_response.create(model="cheap", messages=QUESTION)
    answer = raw.parse()
    assert answer.choices[0].message.content == "Hello there, trader."
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (12, 5)
    assert raw.headers["x-catalyst-provider"] == "openai"
    assert float(raw.headers["x-catalyst-cost-usd"]) == pytest.approx(22e-6)
    await gateway.hub._parts.attempts.ledger.flush()
    assert rows(gateway.folder, "tenant, feature") == [("acme", "gateway")]


async def test_openai_streams_pieces_and_then_the_usage(client):
    stream = await client.chat.completions.create(
        model="cheap", messages=QUESTION, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    said = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(said) == "Hello there, trader."
    assert len([piece for piece in said if piece]) == 3
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage.total_tokens == 17


async def test_openai_gets_a_schema_met(client):
    class Label(BaseModel):
        label: str
        score: float

    answer = await client.chat.completions.parse(model="cheap", messages=QUESTION, response_format=Label)
    assert answer.choices[0].message.parsed == Label(label="text", score=1.5)


async def test_openai_calls_a_tool_and_sends_its_result(gateway, client):
    gateway.wire.openai.answers(tool_calls=(("call_1", "price", {"ticker": "ACME"}),))
    first = await client.chat.completions.create(model="cheap", messages=QUESTION, tools=[TOOL])
    call = first.choices[0].message.tool_calls[0]
    assert (call.function.name, json.loads(call.function.arguments)) == ("price", {"ticker": "ACME"})
    turns: Any = [*QUESTION, first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "12.5"}]
    second = await client.chat.completions.create(model="cheap", messages=turns, tools=[TOOL])
    assert second.choices[0].message.content == "Hello there, trader."
    assert [turn["role"] for turn in gateway.wire.openai.last["messages"]] == ["user", "assistant", "tool"]


async def test_openai_streams_a_tool_call(gateway, client):
    gateway.wire.openai.answers(tool_calls=(("call_1", "price", {"ticker": "ACME"}),))
    stream = await client.chat.completions.create(model="cheap", messages=QUESTION, tools=[TOOL], stream=True)
    deltas = [chunk.choices[0].delta async for chunk in stream if chunk.choices]
    calls = [call for delta in deltas for call in delta.tool_calls or ()]
    assert json.loads("".join(call.function.arguments for call in calls)) == {"ticker": "ACME"}


async def test_openai_lists_models_and_finds_one(client):
    names = [model.id async for model in client.models.list()]
    assert "catalyst/auto" in names
    assert "cheap" in names
    assert (await client.models.retrieve("dear")).owned_by == "anthropic"
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("no-such")


async def test_openai_embeds_as_base64_as_its_client_asks_for(client):
    found = await client.embeddings.create(model="openai/text-embedding-3-small", input=["one", "three"])
    assert [row.embedding for row in found.data] == [[3.0, 0.5, -1.0], [5.0, 0.5, -1.0]]
    plain = await client.embeddings.create(model="openai/text-embedding-3-small", input="one", encoding_format="float")
    assert plain.data[0].embedding == [3.0, 0.5, -1.0]


async def test_openai_raises_its_own_errors(gateway, client):
    with pytest.raises(openai.NotFoundError) as unknown:
        await client.chat.completions.create(model="no-such", messages=QUESTION)
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as strange:
        await client.chat.completions.create(model="cheap", messages=QUESTION, logprobs=True)
    assert strange.value.param == "logprobs"
    gateway.wire.openai.answers(429, times=9, headers={"retry-after": "290"})
    with pytest.raises(openai.RateLimitError) as busy:
        await client.chat.completions.create(model="cheap", messages=QUESTION)
    assert busy.value.response.headers["retry-after"] == "290"
    async with openai.AsyncOpenAI(api_key="wrong", base_url=f"{gateway.url}/v1", max_retries=0) as other:
        with pytest.raises(openai.AuthenticationError) as refused:
            await other.chat.completions.create(model="cheap", messages=QUESTION)
    assert refused.value.code == "invalid_api_key"


async def test_anthropic_gets_a_message(claude):
    answer = await claude.messages.create(
        model="catalyst/simple", max_tokens=100, system="Be brief.", messages=QUESTION
    )
    assert answer.content[0].text == "Hello there, trader."
    assert answer.stop_reason == "end_turn"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (12, 5)


async def test_anthropic_streams_a_message(claude):
    async with claude.messages.stream(model="cheap", max_tokens=100, messages=QUESTION) as stream:
        text = "".join([piece async for piece in stream.text_stream])
        whole = await stream.get_final_message()
    assert text == whole.content[0].text == "Hello there, trader."
    assert whole.usage.output_tokens == 5


async def test_anthropic_uses_a_tool(gateway, claude):
    tool: Any = {"name": "price", "description": "A price", "input_schema": {"type": "object", "properties": {}}}
    gateway.wire.openai.answers(tool_calls=(("call_1", "price", {"ticker": "ACME"}),))
    first = await claude.messages.create(model="cheap", max_tokens=100, messages=QUESTION, tools=[tool])
    assert first.stop_reason == "tool_use"
    assert first.content[0].input == {"ticker": "ACME"}
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": "12.5"}
    turns: Any = [
        *QUESTION,
        {"role": "assistant", "content": [block.model_dump() for block in first.content]},
        {"role": "user", "content": [result, {"type": "text", "text": "And now?"}]},
    ]
    await claude.messages.create(model="cheap", max_tokens=100, messages=turns, tools=[tool])
    assert [turn["role"] for turn in gateway.wire.openai.last["messages"]] == ["user", "assistant", "tool", "user"]


async def test_anthropic_streams_a_tool_call(gateway, claude):
    tool: Any = {"name": "price", "description": "A price", "input_schema": {"type": "object", "properties": {}}}
    gateway.wire.openai.answers(tool_calls=(("call_1", "price", {"ticker": "ACME"}),))
    async with claude.messages.stream(model="cheap", max_tokens=9, messages=QUESTION, tools=[tool]) as stream:
        whole = await stream.get_final_message()
    assert (whole.stop_reason, whole.content[0].input) == ("tool_use", {"ticker": "ACME"})


async def test_anthropic_raises_its_own_errors(gateway, claude):
    with pytest.raises(anthropic.NotFoundError):
        await claude.messages.create(model="no-such", max_tokens=9, messages=QUESTION)
    with pytest.raises(anthropic.BadRequestError, match="thinking"):
        await claude.messages.create(
            model="cheap", max_tokens=2000, messages=QUESTION, thinking={"type": "enabled", "budget_tokens": 1024}
        )
    async with anthropic.AsyncAnthropic(api_key="wrong", base_url=gateway.url, max_retries=0) as other:
        with pytest.raises(anthropic.AuthenticationError):
            await other.messages.create(model="cheap", max_tokens=9, messages=QUESTION)


@pytest.mark.slow
async def test_langchain_works_by_its_base_url(gateway):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from langchain_openai import ChatOpenAI

        chat = ChatOpenAI(model="cheap", api_key=gateway.key, base_url=f"{gateway.url}/v1", max_retries=0)
        assert (await chat.ainvoke("Say hello.")).content == "Hello there, trader."
        pieces = [str(piece.content) async for piece in chat.astream("Say hello.")]
    assert "".join(pieces) == "Hello there, trader."


async def _run(*command: str, **environ: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=os.environ | environ
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode()


@pytest.mark.slow
async def test_simonws_llm_works_by_a_models_file(gateway, tmp_path):
    model = f"- model_id: ours\n  model_name: cheap\n  api_base: {gateway.url}/v1\n  api_key_name: ours\n"
    (tmp_path / "extra-openai-models.yaml").write_text(model)
    program = Path(sys.executable).with_name("llm")
    code, said = await _run(str(program), "-m", "ours", "--key", gateway.key, "Say hello.", LLM_USER_PATH=str(tmp_path))
    assert (code, said.strip()) == (0, "Hello there, trader.")


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
async def test_curl_gets_an_answer(gateway):
    body = json.dumps({"model": "cheap", "messages": QUESTION})
    code, said = await _run(
        "curl", "-sS", f"{gateway.url}/v1/chat/completions", "-H", f"Authorization: Bearer {gateway.key}",
        "-H", "Content-Type: application/json", "-d", body,
    )  # fmt: skip
    assert code == 0
    assert json.loads(said)["choices"][0]["message"]["content"] == "Hello there, trader."
