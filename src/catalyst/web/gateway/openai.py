"""OpenAI's chat completions, models and embeddings, as clients send and expect them.

Source: platform.openai.com/docs/api-reference/chat. What a field would promise and the hub cannot do is refused by
name; fields that only label a request (`user`, `metadata`, …) are taken and left alone.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson

from catalyst.llm.answer import AnswerStream
from catalyst.llm.embedding import Embeddings
from catalyst.llm.models import Catalog
from catalyst.llm.types import Delta, LLMRequest, LLMResponse, ToolCall
from catalyst.web.gateway import asked
from catalyst.web.gateway.faults import Fault, invalid

_KNOWN = frozenset(
    {
        "model",
        "messages",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "stop",
        "seed",
        "n",
        "tools",
        "tool_choice",
        "response_format",
        "stream",
        "stream_options",
    }
)
_IGNORED = frozenset(
    ("user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "parallel_tool_calls")
)
_NEUTRAL = {"frequency_penalty": 0, "presence_penalty": 0, "logprobs": False, "logit_bias": {}, "top_logprobs": 0}
_MOST = ("max_completion_tokens", "max_tokens")
_REASONS = {"stop": "stop", "length": "length", "tool_calls": "tool_calls", "refused": "content_filter"}
DONE = b"data: [DONE]\n\n"


def chat_request(fields: dict[str, Any], most_tokens: int, more: Mapping[str, Any]) -> LLMRequest:
    """The hub's request of a chat completion's body. Raises Rejected."""
    for name, neutral in _NEUTRAL.items():
        if fields.get(name) == neutral:
            del fields[name]
    asked.only(fields, _KNOWN, _IGNORED)
    if fields.get("n") not in (None, 1):
        raise invalid("one answer at a time: leave n out, or send several requests", "n")
    stop = fields.get("stop")
    temperature = fields.get("temperature")
    return asked.request(
        {
            **asked.model_fields(fields.get("model")),
            **_format(fields.get("response_format")),
            **more,
            "messages": [_message(turn, place) for place, turn in enumerate(asked.listed(fields, "messages"))],
            "max_tokens": next((most for name in _MOST if (most := fields.get(name)) is not None), most_tokens),
            "temperature": 1.0 if temperature is None else temperature,
            "top_p": fields.get("top_p"),
            "stop": [stop] if isinstance(stop, str) else stop,
            "seed": fields.get("seed"),
            "tools": [_tool(tool) for tool in asked.listed(fields, "tools")] or None,
            "tool_choice": _choice(fields.get("tool_choice")),
        }
    )


def wants_usage(fields: Mapping[str, Any]) -> bool:
    """Whether a stream is to end with a chunk of usage."""
    options = fields.get("stream_options")
    return isinstance(options, dict) and bool(options.get("include_usage"))


def chat_answer(answer: LLMResponse, at: float) -> bytes:
    """A chat completion's body."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None, "refusal": None}
    if answer.tool_calls:
        message["tool_calls"] = [_shown_call(call) for call in answer.tool_calls]
    elif not answer.text:
        message["content"] = ""
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": _REASONS.get(answer.finish_reason, "stop"),
    }
    return orjson.dumps(
        {
            "id": f"chatcmpl-{answer.request_id}",
            "object": "chat.completion",
            "created": int(at),
            "model": answer.model,
            "choices": [choice],
            "usage": _usage(answer),
        }
    )


async def chat_chunks(
    stream: AnswerStream, request_id: str, model: str, at: float, usage: bool
) -> AsyncIterator[bytes]:
    """Server-sent events of a streamed chat completion, as pieces arrive."""
    head = {"id": f"chatcmpl-{request_id}", "object": "chat.completion.chunk", "created": int(at), "model": model}
    role: dict[str, Any] = {"role": "assistant", "content": ""}
    reason, calls = "stop", 0
    async for delta in stream:
        said = role | _said(delta, calls)
        calls += len(delta.tool_calls)
        role = {}
        if delta.finish_reason is not None:
            reason = _REASONS.get(delta.finish_reason, "stop")
        if said:
            yield _event({**head, "choices": [_choice_of(said, None)]})
    yield _event({**head, "choices": [_choice_of({}, reason)]})
    whole = stream.response
    if usage and whole is not None:
        yield _event({**head, "model": whole.model, "choices": [], "usage": _usage(whole), **costs(whole)})
    yield DONE


def costs(answer: LLMResponse) -> dict[str, Any]:
    """What a stream's last chunk tells instead of headers."""
    cache = answer.cache_kind or "miss"
    return {"catalyst": {"provider": answer.provider, "cost_usd": f"{answer.cost_usd:f}", "cache": cache}}


def fault(found: Fault) -> bytes:
    """An error's body."""
    shown = {"message": found.message, "type": found.openai_type, "param": found.param, "code": found.code}
    return orjson.dumps({"error": shown})


def fault_event(found: Fault) -> bytes:
    """An error in the middle of a stream."""
    return b"data: " + fault(found) + b"\n\n"


def models(catalog: Catalog, providers: list[str]) -> list[dict[str, Any]]:
    """What can be asked for: the hub's own names, then each model whose provider is configured."""
    ours = [_shown_model(asked.OURS + tier, "catalyst") for tier in asked.TIERS]
    return ours + [
        _shown_model(model.name, model.provider)
        for model in catalog.models.values()
        if model.provider in providers and not model.retired
    ]


def listing(shown: list[dict[str, Any]]) -> bytes:
    """A list's body."""
    return orjson.dumps({"object": "list", "data": shown})


def dumped(shown: dict[str, Any]) -> bytes:
    """One model's body."""
    return orjson.dumps(shown)


def embedding_texts(fields: Mapping[str, Any]) -> list[str]:
    """The texts to embed. Raises Rejected."""
    asked.only(fields, frozenset({"model", "input", "encoding_format"}), frozenset({"user"}))
    found = fields.get("input")
    texts = [found] if isinstance(found, str) else found
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise invalid("input must be a string or a list of strings, not tokens", "input")
    if len(texts) > 2048:
        raise invalid("at most 2,048 texts at once", "input")
    if fields.get("encoding_format") not in (None, "float", "base64"):
        raise invalid("encoding_format is float or base64", "encoding_format")
    return texts


def embedding_answer(found: Embeddings, encoding: Any) -> bytes:
    """The vectors, as numbers or as base64 of little-endian floats."""
    rows = [
        {"object": "embedding", "index": place, "embedding": _packed(vector) if encoding == "base64" else vector}
        for place, vector in enumerate(found.vectors)
    ]
    used = {"prompt_tokens": found.tokens_input, "total_tokens": found.tokens_input}
    return orjson.dumps({"object": "list", "data": rows, "model": found.model, "usage": used})


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _shown_model(name: str, owner: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": owner}


def _message(turn: Any, place: int) -> dict[str, Any]:
    where = f"messages.{place}"
    turn = asked.mapping(turn, where)
    role = "system" if turn.get("role") == "developer" else turn.get("role")
    found = {"role": role, "content": asked.text_of(turn.get("content"), f"{where}.content")}
    if turn.get("tool_calls"):
        found["tool_calls"] = [_call(call, where) for call in asked.listed(turn, "tool_calls")]
    if turn.get("tool_call_id"):
        found["tool_call_id"] = turn["tool_call_id"]
    return found


def _call(call: Any, where: str) -> dict[str, Any]:
    call = asked.mapping(call, f"{where}.tool_calls")
    function = asked.mapping(call.get("function"), f"{where}.tool_calls.function")
    return {"id": call.get("id", ""), "name": function.get("name", ""), "arguments": function.get("arguments", "")}


def _tool(tool: Any) -> dict[str, Any]:
    tool = asked.mapping(tool, "tools")
    if tool.get("type") != "function":
        raise invalid(f"a tool of type {str(tool.get('type'))[:40]!r} is not supported, only functions", "tools")
    function = asked.mapping(tool.get("function"), "tools.function")
    return {
        "name": function.get("name"),
        "description": function.get("description") or "",
        "parameters": function.get("parameters") or {},
    }


def _choice(choice: Any) -> str | None:
    if choice is None or isinstance(choice, str):
        return choice
    name = asked.mapping(asked.mapping(choice, "tool_choice").get("function"), "tool_choice.function").get("name")
    return str(name)


def _format(wanted: Any) -> dict[str, Any]:
    if wanted is None:
        return {}
    wanted = asked.mapping(wanted, "response_format")
    match wanted.get("type"):
        case "text":
            return {}
        case "json_object":
            return {"output_format": "json"}
        case "json_schema":
            schema = asked.mapping(
                asked.mapping(wanted.get("json_schema"), "response_format.json_schema").get("schema"),
                "response_format.json_schema.schema",
            )
            return {"output_format": "json", "output_schema": schema}
    raise invalid("response_format.type is text, json_object or json_schema", "response_format")


def _usage(answer: LLMResponse) -> dict[str, Any]:
    return {
        "prompt_tokens": answer.tokens_input,
        "completion_tokens": answer.tokens_output,
        "total_tokens": answer.tokens_input + answer.tokens_output,
        "prompt_tokens_details": {"cached_tokens": answer.tokens_cached},
    }


def _shown_call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _said(delta: Delta, calls: int) -> dict[str, Any]:
    said: dict[str, Any] = {"content": delta.text} if delta.text else {}
    if delta.tool_calls:
        said["tool_calls"] = [{"index": calls + n, **_shown_call(call)} for n, call in enumerate(delta.tool_calls)]
    return said


def _choice_of(delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(chunk) + b"\n\n"
