"""Anthropic's `/v1/messages`, API versions 2026-10-21 and 2023-06-01, as a vendor to serve."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.server import Answer, Asked, Fault, Tokens, lists_models, sse, with_text, words

_FIELDS = {
    "model", "messages", "max_tokens", "system", "stop_sequences", "stream", "tools", "tool_choice", "output_config",
    "metadata", "thinking", "service_tier", "cache_control",
}  # fmt: skip
_SAMPLING = {"temperature", "top_p", "top_k"}
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_SCHEMA_WORDS = {
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "allOf", "$ref",
    "$defs", "description", "title", "format", "minItems", "default", "pattern",
}  # fmt: skip


class Anthropic:
    """The Messages API."""

    key = "sk-ant-test-0123456789"
    base = ""

    def check(self, asked: Asked) -> None:
        if lists_models(asked):
            self._check_headers(asked)
            return
        if asked.path != "/v1/messages" or asked.method != "POST":
            raise self._fault(404, "Not Found")
        self._check_headers(asked)
        body = asked.body
        if not isinstance(body, dict):
            raise self._fault(400, "The request body is not valid JSON")
        for name in ("model", "max_tokens", "messages"):
            if name not in body:
                raise self._fault(400, f"{name}: Field required")
        old = asked.headers["anthropic-version"] == "2023-06-01"
        for name in body.keys() - (_FIELDS | _SAMPLING if old else _FIELDS):
            raise self._fault(400, f"{name}: Extra inputs are not permitted")
        if not body["model"].startswith("claude-"):
            raise self._fault(404, f"model: {body['model']}")
        self._check_turns(body["messages"])
        self._check_tools(body)
        self._check_output(body)

    def streams(self, asked: Asked) -> bool:
        return bool(asked.body.get("stream"))

    def whole(self, asked: Asked, answer: Answer) -> Any:
        answer = with_text(answer, _schema(asked.body))
        blocks: list[dict[str, Any]] = [{"type": "text", "text": answer.text}] if answer.text else []
        blocks += [{"type": "tool_use", "id": i, "name": n, "input": given} for i, n, given in answer.tool_calls]
        usage = {} if answer.usage is None else {"usage": _usage(answer.usage)}
        return {**_head(asked), "content": blocks, "stop_reason": _finish(answer), "stop_sequence": None, **usage}

    def events(self, asked: Asked, answer: Answer) -> list[bytes]:
        answer = with_text(answer, _schema(asked.body))
        counts = {} if answer.usage is None else _usage(answer.usage)
        opening = {"usage": {**counts, "output_tokens": 1}} if counts else {}
        start = {**_head(asked), "content": [], "stop_reason": None, "stop_sequence": None, **opening}
        found: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
        if answer.text:
            found += _text_events(answer.text)
        found.insert(2, {"type": "ping"})
        for number, (ident, name, given) in enumerate(answer.tool_calls, start=1 if answer.text else 0):
            found += _tool_events(number, ident, name, given)
        stop = {"stop_reason": _finish(answer), "stop_sequence": None}
        closing = {"usage": {"output_tokens": counts.get("output_tokens", 0)}} if counts else {}
        found.append({"type": "message_delta", "delta": stop, **closing})
        if answer.done:
            found.append({"type": "message_stop"})
        return [sse(event, event["type"]) for event in found]

    def error(self, status: int, message: str) -> Any:
        kind = _KINDS.get(status, "api_error")
        said = message or f"The API says {status}"
        return {"type": "error", "error": {"type": kind, "message": said}, "request_id": "req_fake"}

    def error_event(self) -> bytes:
        return sse(self.error(529, "Overloaded"), "error")

    def _fault(self, status: int, message: str) -> Fault:
        return Fault(status, self.error(status, message), {"request-id": "req_fake"})

    def _check_headers(self, asked: Asked) -> None:
        sent = asked.headers.get("x-api-key") or asked.headers.get("authorization", "").removeprefix("Bearer ")
        if not sent:
            raise self._fault(401, "x-api-key header is required")
        if sent != self.key:
            raise self._fault(401, f"invalid x-api-key {sent}")
        version = asked.headers.get("anthropic-version")
        if not version:
            raise self._fault(400, "anthropic-version: header is required")
        if version not in ("2023-06-01", "2026-10-21"):
            raise self._fault(400, f'anthropic-version: "{version}" is not a valid version')

    def _check_turns(self, turns: Any) -> None:
        if not turns:
            raise self._fault(400, "messages: at least one message is required")
        calls: set[str] = set()
        for number, turn in enumerate(turns):
            if turn.get("role") not in ("user", "assistant"):
                raise self._fault(400, f"messages.{number}.role: Input should be 'user' or 'assistant'")
            if not turn.get("content"):
                raise self._fault(400, f"messages.{number}: all messages must have non-empty content")
            for block in turn["content"] if isinstance(turn["content"], list) else ():
                self._check_block(number, block, calls)

    def _check_block(self, number: int, block: dict[str, Any], calls: set[str]) -> None:
        if block["type"] == "text" and not block["text"]:
            raise self._fault(400, f"messages.{number}: text content blocks must be non-empty")
        if block["type"] == "tool_use":
            if not isinstance(block["input"], dict):
                raise self._fault(400, f"messages.{number}.tool_use.input: Input should be a valid dictionary")
            calls.add(block["id"])
        if block["type"] == "tool_result" and block["tool_use_id"] not in calls:
            raise self._fault(400, f"messages.{number}: unexpected `tool_use_id` found in `tool_result` blocks")

    def _check_tools(self, body: dict[str, Any]) -> None:
        for number, tool in enumerate(body.get("tools") or ()):
            if (tool.get("input_schema") or {}).get("type") != "object":
                raise self._fault(400, f"tools.{number}.custom.input_schema.type: Field required")
        if "tool_choice" in body and not body.get("tools"):
            raise self._fault(400, "tool_choice: may only be specified while providing tools.")

    def _check_output(self, body: dict[str, Any]) -> None:
        wanted = (body.get("output_config") or {}).get("format")
        if wanted is None:
            return
        if wanted.get("type") != "json_schema" or not isinstance(wanted.get("schema"), dict):
            raise self._fault(400, "output_config.format.schema: Field required")
        self._check_schema(wanted["schema"])

    def _check_schema(self, schema: dict[str, Any]) -> None:
        unknown = sorted(schema.keys() - _SCHEMA_WORDS)
        kind = schema.get("type")
        if unknown:
            said = f"For '{kind}' type, properties {', '.join(unknown)} are not supported"
            raise self._fault(400, f"output_config.format.schema: {said}")
        if kind == "object" and schema.get("additionalProperties") is not False:
            said = "For 'object' type, 'additionalProperties' must be explicitly set to false"
            raise self._fault(400, f"output_config.format.schema: {said}")
        inner = [*(schema.get("properties") or {}).values(), *(schema.get("$defs") or {}).values()]
        inner += [*(schema.get("anyOf") or ()), *([schema["items"]] if "items" in schema else ())]
        for part in inner:
            self._check_schema(part)


def _head(asked: Asked) -> dict[str, Any]:
    return {"id": "msg_fake", "type": "message", "role": "assistant", "model": asked.body["model"]}


def _finish(answer: Answer) -> str:
    return answer.finish or ("tool_use" if answer.tool_calls else "end_turn")


def _usage(tokens: Any) -> Any:
    if not isinstance(tokens, Tokens):
        return tokens
    return {
        "input_tokens": tokens.input - tokens.cached - tokens.cache_write,
        "cache_creation_input_tokens": tokens.cache_write,
        "cache_read_input_tokens": tokens.cached,
        "output_tokens": tokens.output,
        "output_tokens_details": {"thinking_tokens": tokens.reasoning},
        "service_tier": "standard",
    }


def _text_events(text: str) -> list[dict[str, Any]]:
    deltas = [{"type": "text_delta", "text": piece} for piece in words(text)]
    return [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
    ]


def _tool_events(number: int, ident: str, name: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    block = {"type": "tool_use", "id": ident, "name": name, "input": {}}
    written = json.dumps(given)
    deltas = [{"type": "input_json_delta", "partial_json": part} for part in ("", written[:3], written[3:])]
    return [
        {"type": "content_block_start", "index": number, "content_block": block},
        *({"type": "content_block_delta", "index": number, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": number},
    ]


def _schema(body: dict[str, Any]) -> Any:
    return ((body.get("output_config") or {}).get("format") or {}).get("schema")
