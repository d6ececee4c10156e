"""What every dialect makes of good answers: text, usage, finish reasons, tools, schemas, embeddings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from catalyst.errors import LLMBadResponseError, LLMValidationError
from catalyst.llm.types import Completion, Delta, Message, Provider, Tool, ToolCall, Usage
from tests.fakes.plugin import Wire
from tests.fakes.server import Tokens
from tests.llm.providers.conftest import MODELS, Bound, call

VENDORS = list(MODELS)
WEATHER = Tool(name="weather", description="Today's.", parameters={"type": "object", "properties": {"city": {}}})
SCHEMA = {
    "type": "object",
    "properties": {"label": {"type": "string", "enum": ["up", "down"]}, "score": {"type": "number", "minimum": 0}},
    "required": ["label", "score"],
}


async def streamed(provider: Provider, asked: object) -> tuple[str, list[Delta]]:
    deltas = [delta async for delta in provider.stream(asked)]  # type: ignore[arg-type]
    return "".join(delta.text for delta in deltas), deltas


@pytest.mark.parametrize("name", VENDORS)
async def test_an_answer_brings_its_text_usage_and_model(name: str, wire: Wire, provider: Bound):
    wire[name].says("Up 4 % today.", usage=Tokens(100, 20, cached=60, reasoning=8))
    answer = await provider(name).complete(call(name))
    assert answer == Completion("Up 4 % today.", Usage(100, 20, 60, 0, 8), "stop", (), MODELS[name])


@pytest.mark.parametrize("name", VENDORS)
async def test_a_stream_brings_the_same_and_its_usage_last(name: str, wire: Wire, provider: Bound):
    wire[name].says("Up 4 % today, then down.", usage=Tokens(100, 20, cached=60, reasoning=8), split=7)
    text, deltas = await streamed(provider(name), call(name))
    assert text == "Up 4 % today, then down."
    assert len(deltas) > 4
    assert deltas[-1] == Delta("", Usage(100, 20, 60, 0, 8), "stop", ())
    assert all(delta.usage is None and delta.finish_reason is None for delta in deltas[:-1])


@pytest.mark.parametrize("name", VENDORS)
async def test_without_usage_a_stream_says_none_and_an_answer_zero(name: str, wire: Wire, provider: Bound):
    wire[name].says("Fine.", usage=None, times=2)
    assert (await provider(name).complete(call(name))).usage == Usage()
    _, deltas = await streamed(provider(name), call(name))
    assert deltas[-1].usage is None


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize("wrong", [{"prompt_tokens": "many"}, {"input_tokens": -3}, {"promptTokenCount": 1.5}, []])
async def test_usage_that_is_no_count_is_taken_for_none(name: str, wrong: object, wire: Wire, provider: Bound):
    wire[name].says("Fine.", usage=wrong)
    answer = await provider(name).complete(call(name))
    assert (answer.text, answer.usage) == ("Fine.", Usage())


async def test_parts_of_the_usage_never_exceed_the_whole(wire: Wire, provider: Bound):
    details = {"prompt_tokens_details": {"cached_tokens": 999}, "completion_tokens_details": {"reasoning_tokens": 99}}
    wire.openai.says("Fine.", usage={"prompt_tokens": 10, "completion_tokens": 5, **details})
    assert (await provider("openai").complete(call("openai"))).usage == Usage(10, 5, 10, 0, 5)


async def test_tokens_written_to_the_cache_are_input_that_was_not_read_from_it(wire: Wire, provider: Bound):
    for name in ("openai", "anthropic"):
        wire[name].says("Fine.", usage=Tokens(100, 20, cached=30, cache_write=50))
        assert (await provider(name).complete(call(name))).usage == Usage(100, 20, 30, 50)


@pytest.mark.parametrize(
    ("name", "said", "meant"),
    [
        ("openai", "length", "length"),
        ("openai", "content_filter", "refused"),
        ("openai", "something new", "other"),
        ("deepseek", "insufficient_system_resource", "other"),
        ("anthropic", "max_tokens", "length"),
        ("anthropic", "model_context_window_exceeded", "length"),
        ("anthropic", "stop_sequence", "stop"),
        ("anthropic", "refusal", "refused"),
        ("anthropic", "pause_turn", "other"),
        ("gemini", "MAX_TOKENS", "length"),
        ("gemini", "SAFETY", "refused"),
        ("gemini", "PROHIBITED_CONTENT", "refused"),
        ("gemini", "MALFORMED_FUNCTION_CALL", "other"),
    ],
)
async def test_finish_reasons_mean_the_same_everywhere(name: str, said: str, meant: str, wire: Wire, provider: Bound):
    wire[name].says("Well", finish=said, times=2)
    assert (await provider(name).complete(call(name))).finish_reason == meant
    _, deltas = await streamed(provider(name), call(name))
    assert deltas[-1].finish_reason == meant


@pytest.mark.parametrize(("name", "said"), [("openai", "I cannot help."), ("gemini", "SAFETY")])
async def test_a_refusal_with_200_is_an_answer_that_is_billed(name: str, said: str, wire: Wire, provider: Bound):
    wire[name].says("", refusal=said, usage=Tokens(50, 4), times=2)
    answer = await provider(name).complete(call(name))
    assert (answer.finish_reason, answer.usage) == ("refused", Usage(50, 4))
    _, deltas = await streamed(provider(name), call(name))
    assert (deltas[-1].finish_reason, deltas[-1].usage) == ("refused", Usage(50, 4))


@pytest.mark.parametrize("name", VENDORS)
async def test_tool_calls_come_back_whole_and_their_results_go_out(name: str, wire: Wire, provider: Bound):
    asked = (("call_1", "weather", {"city": "Bern"}), ("call_2", "weather", {"city": "Zürich"}))
    wanted = tuple(ToolCall(id=i, name=n, arguments=json.dumps(given)) for i, n, given in asked)
    wire[name].says("", tool_calls=asked, times=2)
    answer = await provider(name).complete(call(name, tools=(WEATHER,)))
    assert answer.finish_reason == "tool_calls"
    assert [_read(found) for found in answer.tool_calls] == [_read(found) for found in wanted]
    _, deltas = await streamed(provider(name), call(name, tools=(WEATHER,)))
    assert [_read(found) for found in deltas[-1].tool_calls] == [_read(found) for found in wanted]
    history = (
        Message(role="user", content="Weather?"),
        Message(role="assistant", tool_calls=list(answer.tool_calls)),
        Message(role="tool", tool_call_id="call_1", content="rain"),
        Message(role="tool", tool_call_id="call_2", content="sun"),
    )
    assert (await provider(name).complete(call(name, messages=history, tools=(WEATHER,)))).text


def _read(found: ToolCall) -> tuple[str, str, object]:
    return found.id, found.name, json.loads(found.arguments)


async def test_gemini_calls_without_ids_get_ids_of_their_own(wire: Wire, provider: Bound):
    wire.gemini.says("", tool_calls=(("", "weather", {}), ("", "weather", {})))
    answer = await provider("gemini").complete(call("gemini", tools=(WEATHER,)))
    assert len({found.id for found in answer.tool_calls}) == 2


async def test_gemini_3_accepts_a_history_whose_thoughts_were_not_kept(wire: Wire, provider: Bound):
    made = ToolCall(id="c1", name="weather", arguments="{}")
    turns = (Message(role="user", content="?"), Message(role="assistant", tool_calls=[made]))
    history = (*turns, Message(role="tool", tool_call_id="c1", content="sun"))
    asked = call("gemini", model="gemini-3.8-flash", messages=history, tools=(WEATHER,))
    assert (await provider("gemini").complete(asked)).text


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize("schema", [SCHEMA, {}], ids=["schema", "any object"])
async def test_a_schema_is_sent_so_that_the_vendor_takes_it(name: str, schema: dict, wire: Wire, provider: Bound):
    answer = await provider(name).complete(call(name, schema=schema))
    if name != "deepseek" and schema:
        assert json.loads(answer.text) == {"label": "up", "score": 1.5}
    elif name != "anthropic":
        assert json.loads(answer.text) == {}
    if name == "deepseek" or (name == "anthropic" and not schema):  # told in words, for want of a mode
        assert "JSON" in json.dumps(wire[name].last)


async def test_a_schema_that_strict_mode_cannot_hold_is_sent_loosely(wire: Wire, provider: Bound):
    for loose in (
        {"type": "object", "properties": {"facts": {"type": "object", "additionalProperties": {"type": "number"}}}},
        {"type": "array", "items": {"type": "string"}},
    ):
        await provider("openai").complete(call("openai", schema=loose))
        sent = wire.openai.last["response_format"]["json_schema"]
        assert (sent["strict"], sent["schema"]) == (False, loose)


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("anthropic", "seed", 7),
        ("anthropic", "top_p", 0.5),
        ("deepseek", "seed", 7),
        ("ollama", "tool_choice", "required"),
        ("openai", "top_p", 0.5),
        ("openai", "stop", ("END",)),
    ],
)
async def test_a_field_that_cannot_be_expressed_is_refused_by_name(
    name: str, field: str, value: object, wire: Wire, provider: Bound
):
    fields: dict[str, Any] = {field: value, "tools": (WEATHER,)}
    model = "gpt-5-mini" if name == "openai" else MODELS[name]
    with pytest.raises(LLMValidationError, match=field):
        await provider(name).complete(call(name, model=model, **fields))
    assert wire[name].requests == []


async def test_gemini_2_refuses_a_schema_beside_tools(provider: Bound):
    with pytest.raises(LLMValidationError, match="output_schema beside tools"):
        await provider("gemini").complete(call("gemini", schema=SCHEMA, tools=(WEATHER,)))


@pytest.mark.parametrize("name", ["openai", "anthropic", "gemini"])
async def test_a_tool_choice_needs_a_tool_of_that_name(name: str, provider: Bound):
    with pytest.raises(LLMValidationError, match="tool_choice"):
        await provider(name).complete(call(name, tool_choice="required"))
    with pytest.raises(LLMValidationError, match="stocks"):
        await provider(name).complete(call(name, tools=(WEATHER,), tool_choice="stocks"))


async def test_reasoning_models_get_their_own_limit_and_no_temperature(wire: Wire, provider: Bound):
    await provider("openai").complete(call("openai", model="gpt-5-mini", max_tokens=99))
    assert wire.openai.last["max_completion_tokens"] == 99
    assert not wire.openai.last.keys() & {"max_tokens", "temperature"}
    await provider("openai").complete(call("openai", model="gpt-4.1-mini", max_tokens=99))
    assert (wire.openai.last["max_tokens"], wire.openai.last["temperature"]) == (99, 0.5)


@pytest.mark.parametrize("name", ["anthropic", "gemini"])
async def test_a_chat_of_system_turns_only_is_refused(name: str, provider: Bound):
    with pytest.raises(LLMValidationError, match="turn of the user"):
        await provider(name).complete(call(name, messages=(Message(role="system", content="Be brief."),)))


@pytest.mark.parametrize("name", ["anthropic", "gemini"])
async def test_arguments_that_are_no_object_are_refused(name: str, provider: Bound):
    made = ToolCall(id="c1", name="weather", arguments="[1")
    history = (Message(role="user", content="?"), Message(role="assistant", tool_calls=[made]))
    with pytest.raises(LLMValidationError, match="c1"):
        await provider(name).complete(call(name, messages=history, tools=(WEATHER,)))


@pytest.mark.parametrize("model", ["../v1/files", "gemini-2.5-flash:generateContent?x=", "a b", ""])
async def test_a_gemini_model_cannot_lead_to_another_address(model: str, wire: Wire, provider: Bound):
    with pytest.raises(LLMValidationError, match="no name of a Gemini model"):
        await provider("gemini").complete(call("gemini", model=model))
    assert wire.gemini.requests == []


@pytest.mark.parametrize(("name", "model"), [("openai", "text-embedding-3-small"), ("gemini", "gemini-embedding-001")])
async def test_embeddings_come_in_the_order_of_their_texts(name: str, model: str, wire: Wire, provider: Bound):
    found = await provider(name).embed(call(name, model=model, texts=("a", "bbb")))
    assert found.vectors == ([1.0, 0.5, -1.0], [3.0, 0.5, -1.0])
    assert found.usage.input == (3 if name == "openai" else 0)  # Gemini does not say


@pytest.mark.parametrize(("name", "model"), [("openai", "text-embedding-3-small"), ("gemini", "gemini-embedding-001")])
async def test_vectors_that_are_missing_or_none_are_a_bad_response(name: str, model: str, wire: Wire, provider: Bound):
    bodies: list[dict[str, Any]] = [{}, {"data": [], "embeddings": []}]
    bodies.append({"data": [{"index": 0, "embedding": "x"}], "embeddings": [{}]})
    for body in bodies:
        wire[name].answers(json=body)
        with pytest.raises(LLMBadResponseError, match="vectors"):
            await provider(name).embed(call(name, model=model, texts=("a",)))


@pytest.mark.parametrize("name", ["anthropic", "deepseek"])
async def test_vendors_without_embeddings_say_so(name: str, provider: Bound):
    with pytest.raises(LLMValidationError, match="embeddings"):
        await provider(name).embed(call(name, model="any", texts=("a",)))
