"""The Anthropic Messages dialect, API version 2026-10-21.

That version takes no sampling parameters: the temperature of a call is not sent, an explicit top_p is refused by name.
A safety refusal comes with 200 and is a completion whose `finish_reason` is `refused`. Vendors' cached tokens stand
beside the input; ours are a part of it. Source: https://platform.claude.com/docs/en/api/messages
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import orjson

from catalyst.errors import LLMValidationError
from catalyst.http import Http
from catalyst.llm.providers.reading import arguments, count, is_count, mapping, refuse_unsupported, refused, text, usage
from catalyst.llm.providers.rows import ProviderRow
from catalyst.llm.providers.schema import anthropic_native, in_words
from catalyst.llm.providers.wire import Wire, checked_key
from catalyst.llm.types import Call, Completion, Delta, FinishReason, Message, Tool, ToolCall, Usage

VERSION = "2026-10-21"

_FINISH: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "refused",
}
_CHOICES = {"auto": {"type": "auto"}, "none": {"type": "none"}, "required": {"type": "any"}}


class Anthropic:
    """A `Provider` over the Messages wire format."""

    def __init__(self, row: ProviderRow, http: Http, key: str, base_url: str | None = None) -> None:
        key = checked_key(row, key)
        headers = {"x-api-key": key, "anthropic-version": VERSION}
        self._row = row
        self._wire = Wire(row, http, row.base(base_url), headers, key)
        self._messages = self._wire.url("messages")

    def __repr__(self) -> str:
        return repr(self._wire)

    @property
    def name(self) -> str:
        return self._row.name

    async def ping(self) -> None:
        await self._wire.ping()

    async def complete(self, call: Call) -> Completion:
        """One whole answer. A `usage` of zero input means that the vendor reported none."""
        body = messages_body(call, self._row)
        answer = await self._wire.post(self._messages, body, call.model, call.timeout_seconds, call.before_send)
        blocks = answer.get("content")
        if not isinstance(blocks, list):
            raise self._wire.faults.bad("no content", call.model, read_usage(answer.get("usage")))
        blocks = [mapping(block) for block in blocks]
        words = "".join(text(block.get("text")) for block in blocks if block.get("type") == "text")
        calls = tuple(_tool_call(block) for block in blocks if block.get("type") == "tool_use")
        used = read_usage(answer.get("usage")) or Usage()
        finish = _FINISH.get(text(answer.get("stop_reason")), "other")
        return Completion(words, used, finish, calls, text(answer.get("model")) or call.model)

    async def stream(self, call: Call) -> AsyncGenerator[Delta, None]:
        """Deltas as they arrive; the last one has `finish_reason`, `usage` and all tool calls."""
        body = messages_body(call, self._row)
        body["stream"] = True
        gathered = _Gathered()
        events = self._wire.events(
            self._messages, body, call.model, call.timeout_seconds, gathered.ended, call.before_send
        )
        async with contextlib.aclosing(events):
            async for event in events:
                piece = gathered.add(event)
                if piece:
                    yield Delta(piece)
        if gathered.finish is None:
            raise self._wire.broke_off(gathered.delivered, call.model)
        yield Delta("", read_usage(gathered.counts), gathered.finish, gathered.tool_calls())

    async def embed(self, call: Call) -> Completion:
        """Anthropic has none: raises LLMValidationError."""
        raise refused(self.name, call.model, "embeddings")


class _Gathered:
    """What a stream's events add up to."""

    def __init__(self) -> None:
        self.counts: dict[str, Any] = {}
        self.finish: FinishReason | None = None
        self.delivered = 0
        self._calls: dict[int, tuple[Mapping[str, Any], list[str]]] = {}

    def ended(self) -> bool:
        return self.finish is not None

    def add(self, event: Mapping[str, Any]) -> str:
        """Take one event in, and give back the text that it brings."""
        kind = event.get("type")
        if kind == "content_block_delta":
            return self._delta(event)
        if kind == "content_block_start":
            return self._start(event)
        if kind == "message_start":
            self._count(mapping(event.get("message")).get("usage"))
        elif kind == "message_delta":
            reason = mapping(event.get("delta")).get("stop_reason")
            self.finish = _FINISH.get(text(reason), "other") if reason else self.finish
            self._count(event.get("usage"))
        return ""

    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(_tool_call(block, "".join(parts)) for _, (block, parts) in sorted(self._calls.items()))

    def _start(self, event: Mapping[str, Any]) -> str:
        block = mapping(event.get("content_block"))
        if block.get("type") == "tool_use":
            self._calls[count(event.get("index"))] = (block, [])
        return self._said(block.get("text")) if block.get("type") == "text" else ""

    def _delta(self, event: Mapping[str, Any]) -> str:
        delta = mapping(event.get("delta"))
        if delta.get("type") == "text_delta":
            return self._said(delta.get("text"))
        index = count(event.get("index"))
        if delta.get("type") == "input_json_delta" and index in self._calls:
            self._calls[index][1].append(text(delta.get("partial_json")))
        return ""

    def _said(self, value: object) -> str:
        piece = text(value)
        self.delivered += len(piece)
        return piece

    def _count(self, block: object) -> None:
        """Later counts are cumulative and replace the earlier ones; a null does not."""
        self.counts.update({name: value for name, value in mapping(block).items() if value is not None})


def messages_body(call: Call, row: ProviderRow) -> dict[str, Any]:
    """The request as `/v1/messages` takes it.

    Raises:
        LLMValidationError: the model cannot express a field that is set.
    """
    refuse_unsupported(call, row.rule(call.model), row.name)
    body: dict[str, Any] = {"model": call.model, "max_tokens": call.max_tokens, "messages": _turns(call.messages)}
    system = "\n\n".join(message.content for message in call.messages if message.role == "system")
    if call.schema is not None and not call.schema:  # any JSON object: there is no such mode
        system = "\n\n".join(filter(None, (system, in_words(call.schema))))
    if system:
        body["system"] = system
    if call.stop:
        body["stop_sequences"] = list(call.stop)
    if call.tools:
        body["tools"] = [_tool(tool) for tool in call.tools]
    if call.tool_choice is not None:
        body["tool_choice"] = _CHOICES.get(call.tool_choice) or {"type": "tool", "name": call.tool_choice}
    if call.schema:
        body["output_config"] = {"format": {"type": "json_schema", "schema": anthropic_native(call.schema)}}
    return body


def _turns(messages: Sequence[Message]) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    results: list[dict[str, Any]] | None = None
    for message in messages:
        if message.role == "system":
            continue
        if message.role == "tool":  # the results of one turn's calls belong into one turn
            if results is None:
                results = []
                turns.append({"role": "user", "content": results})
            results.append({"type": "tool_result", "tool_use_id": message.tool_call_id, "content": message.content})
            continue
        results = None
        turns.append({"role": message.role, "content": _content(message)})
    if not turns:
        raise LLMValidationError("anthropic needs a turn of the user besides the system's: put the question there")
    return turns


def _content(message: Message) -> Any:
    if not message.tool_calls:
        return message.content
    blocks: list[dict[str, Any]] = [{"type": "text", "text": message.content}] if message.content else []
    return blocks + [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments(call)} for call in message.tool_calls
    ]


def _tool(tool: Tool) -> dict[str, Any]:
    described = {"description": tool.description} if tool.description else {}
    return {"name": tool.name, **described, "input_schema": tool.parameters or {"type": "object", "properties": {}}}


def _tool_call(block: Mapping[str, Any], streamed: str = "") -> ToolCall:
    given = streamed or orjson.dumps(block.get("input") or {}).decode()
    return ToolCall(id=text(block.get("id")), name=text(block.get("name")), arguments=given)


def read_usage(block: object) -> Usage | None:
    """The vendor's count; None where it sent none that can be read. Cached tokens are added to the input."""
    counts = mapping(block)
    fresh, total_out = counts.get("input_tokens"), counts.get("output_tokens", 0)
    if not is_count(fresh) or not is_count(total_out):
        return None
    cached, written = count(counts.get("cache_read_input_tokens")), count(counts.get("cache_creation_input_tokens"))
    reasoning = count(mapping(counts.get("output_tokens_details")).get("thinking_tokens"))
    return usage(
        count(fresh) + cached + written, count(total_out), cached=cached, cache_write=written, reasoning=reasoning
    )
