"""Anthropic's Messages, as clients send and expect them. Source: platform.claude.com/docs/en/api/messages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson

from catalyst.llm.answer import AnswerStream
from catalyst.llm.types import Delta, LLMRequest, LLMResponse, ToolCall
from catalyst.web.gateway import asked
from catalyst.web.gateway.faults import Fault, invalid
from catalyst.web.gateway.openai import costs

_KNOWN = frozenset(
    {
        "model",
        "messages",
        "max_tokens",
        "system",
        "temperature",
        "top_p",
        "stop_sequences",
        "stream",
        "tools",
        "tool_choice",
        "thinking",
    }
)
_IGNORED = frozenset(["metadata", "service_tier"])
_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "refused": "refusal"}
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def request(fields: dict[str, Any], more: Mapping[str, Any]) -> LLMRequest:
    """The hub's request of a message's body. Raises Rejected."""
    asked.only(fields, _KNOWN, _IGNORED)
    if fields.get("max_tokens") is None:
        raise invalid("max_tokens: Field required", "max_tokens")
    if fields.get("thinking") not in (None, {"type": "disabled"}):
        raise invalid("thinking is not supported here: leave it out", "thinking")
    turns: list[dict[str, Any]] = []
    for place, turn in enumerate(asked.listed(fields, "messages")):
        turns += _turns(asked.mapping(turn, f"messages.{place}"), f"messages.{place}")
    temperature = fields.get("temperature")
    return asked.request(
        {
            **asked.model_fields(fields.get("model")),
            **more,
            "system_prompt": asked.text_of(fields.get("system"), "system"),
            "messages": turns,
            "max_tokens": fields["max_tokens"],
            "temperature": 1.0 if temperature is None else temperature,
            "top_p": fields.get("top_p"),
            "stop": fields.get("stop_sequences"),
            "tools": [_tool(tool) for tool in asked.listed(fields, "tools")] or None,
            "tool_choice": _choice(fields.get("tool_choice")),
        }
    )


def answer(found: LLMResponse) -> bytes:
    """A message's body."""
    content: list[dict[str, Any]] = [{"type": "text", "text": found.text}] if found.text else []
    content += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": _input(call)} for call in found.tool_calls
    ]
    shown = _message(found.request_id, found.model, _usage(found))
    return orjson.dumps({**shown, "content": content, "stop_reason": _REASONS.get(found.finish_reason, "end_turn")})


async def events(stream: AnswerStream, request_id: str, model: str) -> AsyncIterator[bytes]:
    """Server-sent events of a streamed message, as pieces arrive.

    What the input cost is known at the end only, so `message_start` counts none and `message_delta` counts both.
    """
    blocks, reason = _Blocks(), "end_turn"
    start = _event("message_start", message=_message(request_id, model, {"input_tokens": 0, "output_tokens": 0}))
    async for delta in stream:
        piece = blocks.take(delta)
        if start or piece:
            yield start + piece
        start = b""
        if delta.finish_reason is not None:
            reason = _REASONS.get(delta.finish_reason, "end_turn")
    whole = stream.response
    usage = _usage(whole) if whole is not None else {"output_tokens": 0}
    told = costs(whole) if whole is not None else {}
    stop = {"stop_reason": reason, "stop_sequence": None}
    yield start + blocks.close() + _event("message_delta", delta=stop, usage=usage, **told) + _event("message_stop")


class _Blocks:
    """The content blocks of a streamed message, opened and closed around its pieces."""

    def __init__(self) -> None:
        self._index = 0
        self._open = False

    def take(self, delta: Delta) -> bytes:
        found = b""
        if delta.text:
            if not self._open:
                found = _event("content_block_start", index=self._index, content_block={"type": "text", "text": ""})
                self._open = True
            found += _event("content_block_delta", index=self._index, delta={"type": "text_delta", "text": delta.text})
        for call in delta.tool_calls:
            found += self.close() + _tool_events(call, self._index)
            self._index += 1
        return found

    def close(self) -> bytes:
        """End the text that is open."""
        if not self._open:
            return b""
        self._open = False
        self._index += 1
        return _event("content_block_stop", index=self._index - 1)


def fault(found: Fault, request_id: str) -> bytes:
    """An error's body."""
    shown = {"type": found.anthropic_type, "message": found.message}
    return orjson.dumps({"type": "error", "error": shown, "request_id": request_id})


def fault_event(found: Fault, request_id: str) -> bytes:
    """An error in the middle of a stream."""
    return b"event: error\ndata: " + fault(found, request_id) + b"\n\n"


def _message(request_id: str, model: str, usage: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"msg_{request_id}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }


def _usage(found: LLMResponse) -> dict[str, Any]:
    """Anthropic counts what it read from its cache beside the input, we within it."""
    return {
        "input_tokens": found.tokens_input - found.tokens_cached,
        "output_tokens": found.tokens_output,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": found.tokens_cached,
    }


def _turns(turn: dict[str, Any], where: str) -> list[dict[str, Any]]:
    """One Anthropic turn as ours: its tool results are turns of their own, before its text."""
    role, content = turn.get("role"), turn.get("content")
    if role not in ("user", "assistant"):
        raise invalid(f"{where}.role is user or assistant", f"{where}.role")
    if not isinstance(content, list):
        return [{"role": role, "content": asked.text_of(content, f"{where}.content")}]
    results, calls, texts = [], [], []
    for block in content:
        block = asked.mapping(block, f"{where}.content")
        match block.get("type"):
            case "tool_result":
                text = asked.text_of(block.get("content"), f"{where}.content")
                results.append({"role": "tool", "content": text, "tool_call_id": block.get("tool_use_id", "")})
            case "tool_use":
                arguments = orjson.dumps(block.get("input") or {}).decode()
                calls.append({"id": block.get("id", ""), "name": block.get("name", ""), "arguments": arguments})
            case _:
                texts.append(
                    asked.text_of([{"type": block.get("type"), "text": block.get("text")}], f"{where}.content")
                )
    said = {"role": role, "content": "".join(texts), **({"tool_calls": calls} if calls else {})}
    return [*results, said] if texts or calls or not results else results


def _tool(tool: Any) -> dict[str, Any]:
    tool = asked.mapping(tool, "tools")
    if tool.get("type") not in (None, "custom"):
        raise invalid(f"a tool of type {str(tool.get('type'))[:40]!r} is not supported, only your own", "tools")
    return {
        "name": tool.get("name"),
        "description": tool.get("description") or "",
        "parameters": tool.get("input_schema") or {},
    }


def _choice(choice: Any) -> str | None:
    if choice is None:
        return None
    choice = asked.mapping(choice, "tool_choice")
    kind = choice.get("type")
    if kind == "tool":
        return str(choice.get("name"))
    if kind not in _CHOICES:
        raise invalid("tool_choice.type is auto, any, tool or none", "tool_choice")
    return _CHOICES[kind]


def _tool_use(call: ToolCall) -> dict[str, Any]:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": _input(call)}


def _input(call: ToolCall) -> Any:
    try:
        return orjson.loads(call.arguments or "{}")
    except orjson.JSONDecodeError:
        return {"_unparsed": call.arguments}


def _tool_events(call: ToolCall, index: int) -> bytes:
    block = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
    piece = {"type": "input_json_delta", "partial_json": call.arguments}
    return (
        _event("content_block_start", index=index, content_block=block)
        + _event("content_block_delta", index=index, delta=piece)
        + _event("content_block_stop", index=index)
    )


def _event(kind: str, **fields: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), orjson.dumps({"type": kind, **fields}))
