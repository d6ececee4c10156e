"""The OpenAI-compatible dialect: `/chat/completions` and `/embeddings`, of OpenAI, DeepSeek, OpenRouter, Ollama, vLLM.

A refusal that the vendor answers with 200 is a completion whose `finish_reason` is `refused` (its usage is billed); one
that it answers with an error status is an LLMRefusedError. Source: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from catalyst.http import Http
from catalyst.llm.providers.reading import (
    count,
    is_count,
    mapping,
    refuse_unsupported,
    refused,
    sampling,
    text,
    usage,
    vector,
)
from catalyst.llm.providers.rows import ModelRule, ProviderRow
from catalyst.llm.providers.schema import in_words, openai_strict
from catalyst.llm.providers.wire import Wire, checked_key
from catalyst.llm.types import Call, Completion, Delta, FinishReason, Message, Tool, ToolCall, Usage

_FINISH: Mapping[str | None, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "refused",
}


class OpenAICompatible:
    """A `Provider` over the OpenAI wire format."""

    def __init__(self, row: ProviderRow, http: Http, key: str, base_url: str | None = None) -> None:
        key = checked_key(row, key)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._row = row
        self._wire = Wire(row, http, row.base(base_url), headers, key)
        self._chat = self._wire.url("chat/completions")
        self._embeddings = self._wire.url("embeddings")

    def __repr__(self) -> str:
        return repr(self._wire)

    @property
    def name(self) -> str:
        return self._row.name

    async def ping(self) -> None:
        await self._wire.ping()

    async def complete(self, call: Call) -> Completion:
        """One whole answer. A `usage` of zero input means that the vendor reported none."""
        answer = await self._wire.post(
            self._chat, chat_body(call, self._row), call.model, call.timeout_seconds, call.before_send
        )
        return self._completion(answer, call.model)

    async def stream(self, call: Call) -> AsyncGenerator[Delta, None]:
        """Deltas as they arrive; the last one has `finish_reason`, all tool calls, and `usage` unless none was sent."""
        body = chat_body(call, self._row)
        body["stream"] = True
        if self._row.stream_usage:
            body["stream_options"] = {"include_usage": True}
        gathered = _Gathered()
        events = self._wire.events(self._chat, body, call.model, call.timeout_seconds, gathered.ended, call.before_send)
        async with contextlib.aclosing(events):
            async for event in events:
                piece = self._piece(event, gathered, call.model)
                if piece:
                    yield Delta(piece)
        if gathered.finish is None:
            raise self._wire.broke_off(gathered.delivered, call.model)
        yield Delta("", gathered.usage, gathered.finish, gathered.tool_calls())

    async def embed(self, call: Call) -> Completion:
        """One vector for each of `call.texts`, in their order."""
        if not self._row.embeddings:
            raise refused(self.name, call.model, "embeddings")
        body = {"model": call.model, "input": list(call.texts), "encoding_format": "float"}
        answer = await self._wire.post(self._embeddings, body, call.model, call.timeout_seconds, call.before_send)
        used = read_usage(answer.get("usage"))
        try:
            rows = sorted(answer["data"], key=lambda row: row["index"])
            found = tuple(vector(row["embedding"]) for row in rows)
        except (KeyError, TypeError, ValueError) as error:
            raise self._wire.faults.bad("no vectors", call.model, used) from error
        if len(found) != len(call.texts):
            raise self._wire.faults.bad(f"{len(found)} vectors for {len(call.texts)} texts", call.model, used)
        return Completion("", used or Usage(), model=text(answer.get("model")) or call.model, vectors=found)

    def _completion(self, answer: Mapping[str, Any], model: str) -> Completion:
        choice = self._choice(answer, model)
        message = choice.get("message")
        if not isinstance(message, dict):
            used = read_usage(answer.get("usage"))
            raise self._wire.faults.bad("a choice without a message", model, used)
        calls = tuple(_tool_call(entry) for entry in message.get("tool_calls") or () if isinstance(entry, dict))
        finish = _finish(choice.get("finish_reason"), bool(message.get("refusal")), bool(calls))
        words = text(message.get("content")) or text(message.get("refusal"))
        used = read_usage(answer.get("usage")) or Usage()
        return Completion(words, used, finish, calls, text(answer.get("model")) or model)

    def _choice(self, answer: Mapping[str, Any], model: str) -> Mapping[str, Any]:
        choices = answer.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            raise self._wire.faults.bad("no choices", model, read_usage(answer.get("usage")))
        choice: dict[str, Any] = choices[0]
        if choice.get("error"):  # OpenRouter: the upstream failed after the answer began
            raise self._wire.faults.failed(choice, model)
        return choice

    def _piece(self, event: Mapping[str, Any], gathered: _Gathered, model: str) -> str:
        """The text of one event; the rest of it goes into `gathered`."""
        if event.get("usage"):
            gathered.usage = read_usage(event["usage"]) or gathered.usage
        if not event.get("choices"):
            return ""
        choice = self._choice(event, model)
        delta = mapping(choice.get("delta") or choice.get("message"))
        for entry in delta.get("tool_calls") or ():
            gathered.add(mapping(entry))
        refusal = text(delta.get("refusal"))
        gathered.refused = gathered.refused or bool(refusal)
        if choice.get("finish_reason"):
            gathered.finish = _finish(choice["finish_reason"], gathered.refused, bool(gathered.calls))
        piece = text(delta.get("content")) or refusal
        gathered.delivered += len(piece)
        return piece


class _Gathered:
    """What a stream's events add up to."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.finish: FinishReason | None = None
        self.refused = False
        self.delivered = 0
        self.calls: dict[int, tuple[list[str], list[str], list[str]]] = {}

    def ended(self) -> bool:
        return self.finish is not None

    def add(self, entry: Mapping[str, Any]) -> None:
        """A part of a tool call; servers that send whole calls leave the index out."""
        index = entry.get("index")
        slot = index if isinstance(index, int) else len(self.calls)
        ids, names, arguments = self.calls.setdefault(slot, ([], [], []))
        function = mapping(entry.get("function"))
        ids += [text(entry.get("id"))] if not ids else []
        names.append(text(function.get("name")))
        arguments.append(text(function.get("arguments")))

    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(
            ToolCall(id="".join(ids), name="".join(names), arguments="".join(arguments))
            for _, (ids, names, arguments) in sorted(self.calls.items())
        )


def chat_body(call: Call, row: ProviderRow) -> dict[str, Any]:
    """The request as `/chat/completions` takes it.

    Raises:
        LLMValidationError: the model cannot express a field that is set.
    """
    rule = row.rule(call.model)
    refuse_unsupported(call, rule, row.name)
    body: dict[str, Any] = {
        "model": call.model,
        "messages": [_message(message) for message in call.messages],
        rule.limit_field: call.max_tokens,
    }
    temperature, top_p = sampling(call, rule)
    if temperature is not None:
        body["temperature"] = temperature
    if top_p is not None:
        body["top_p"] = top_p
    if call.stop:
        body["stop"] = list(call.stop)
    if call.seed is not None:
        body["seed"] = call.seed
    if call.tools:
        body["tools"] = [_tool(tool) for tool in call.tools]
    if call.tool_choice is not None:
        body["tool_choice"] = _tool_choice(call.tool_choice)
    if call.schema is not None:
        _ask_for_json(body, call.schema, rule)
    return body


def _message(message: Message) -> dict[str, Any]:
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.tool_call_id, "content": message.content}
    if not message.tool_calls:
        return {"role": message.role, "content": message.content}
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in message.tool_calls
    ]
    return {"role": message.role, "content": message.content or None, "tool_calls": calls}


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = tool.parameters or {"type": "object", "properties": {}}
    return {"type": "function", "function": function}


def _tool_choice(choice: str) -> Any:
    return choice if choice in ("auto", "none", "required") else {"type": "function", "function": {"name": choice}}


def _ask_for_json(body: dict[str, Any], schema: Mapping[str, Any], rule: ModelRule) -> None:
    if schema and rule.structured == "schema":
        strict_schema, strict = openai_strict(schema)
        asked = {"name": "answer", "strict": strict, "schema": strict_schema}
        body["response_format"] = {"type": "json_schema", "json_schema": asked}
        return
    if rule.structured != "words":
        body["response_format"] = {"type": "json_object"}
    if not schema and any("json" in str(message["content"]).lower() for message in body["messages"]):
        return  # JSON mode only demands that the word is somewhere
    body["messages"] = _instructed(body["messages"], in_words(schema))


def _instructed(messages: list[dict[str, Any]], words: str) -> list[dict[str, Any]]:
    """The messages with `words` at the end of the system turn."""
    if messages and messages[0]["role"] == "system":
        return [{"role": "system", "content": f"{messages[0]['content']}\n\n{words}"}, *messages[1:]]
    return [{"role": "system", "content": words}, *messages]


def _finish(reason: object, has_refusal: bool, has_calls: bool) -> FinishReason:
    finish = _FINISH.get(reason if isinstance(reason, str) else None, "other")
    if finish == "stop" and has_refusal:
        return "refused"
    return "tool_calls" if finish == "stop" and has_calls else finish


def _tool_call(entry: Mapping[str, Any]) -> ToolCall:
    function = mapping(entry.get("function"))
    return ToolCall(
        id=text(entry.get("id")), name=text(function.get("name")), arguments=text(function.get("arguments"))
    )


def read_usage(block: object) -> Usage | None:
    """The vendor's count; None where it sent none that can be read.

    Cached tokens stand in `prompt_tokens_details`, or with DeepSeek in `prompt_cache_hit_tokens`.
    """
    counts = mapping(block)
    total_in, total_out = counts.get("prompt_tokens"), counts.get("completion_tokens", 0)
    if not is_count(total_in) or not is_count(total_out):
        return None
    read = mapping(counts.get("prompt_tokens_details"))
    written = mapping(counts.get("completion_tokens_details"))
    return usage(
        count(total_in),
        count(total_out),
        cached=count(read.get("cached_tokens")) or count(counts.get("prompt_cache_hit_tokens")),
        cache_write=count(read.get("cache_write_tokens")),
        reasoning=count(written.get("reasoning_tokens")),
    )
