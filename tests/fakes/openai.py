"""OpenAI's `/v1/chat/completions` and `/v1/embeddings`, and what its relatives do differently, as vendors to serve."""

from __future__ import annotations

import base64
import json
import struct
from fnmatch import fnmatch
from typing import Any

from tests.fakes.server import Answer, Asked, Fault, Tokens, lists_models, sse, with_text, words

_FIELDS = {
    "model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "seed", "tools",
    "tool_choice", "response_format", "stream", "stream_options", "n", "user", "parallel_tool_calls", "metadata",
    "frequency_penalty", "presence_penalty", "logprobs", "reasoning_effort", "store",
}  # fmt: skip


class OpenAI:
    """OpenAI itself. Relatives change the few things that they do differently."""

    key = "sk-openai-test-0123456789"
    base = "/v1"
    models: tuple[str, ...] = ("gpt-4*", "gpt-5*", "o3*", "o4*", "text-embedding-*")
    reasoning: tuple[str, ...] = ("gpt-5", "gpt-5-mini", "gpt-5-nano", "o3*", "o4*")
    strict_schemas = True
    json_schema = True

    def check(self, asked: Asked) -> None:
        self._check_key(asked)
        if lists_models(asked):
            return
        if asked.path == f"{self.base}/embeddings":
            self._need(asked, "model", "input")
        elif asked.path == f"{self.base}/chat/completions":
            self._check_chat(asked)
        else:
            raise Fault(404, self.fault(f"Invalid URL ({asked.method} {asked.path})", "invalid_request_error"))
        if not any(fnmatch(asked.body["model"], known) for known in self.models):
            raise self.no_model(asked.body["model"])

    def streams(self, asked: Asked) -> bool:
        return bool(asked.body.get("stream"))

    def whole(self, asked: Asked, answer: Answer) -> Any:
        if asked.path.endswith("/embeddings"):
            return _embeddings(asked.body)
        answer = with_text(answer, _schema(asked.body))
        message: dict[str, Any] = {"role": "assistant", "content": answer.text, "refusal": None, "annotations": []}
        if answer.refusal:
            message |= {"content": None, "refusal": answer.refusal}
        if answer.tool_calls:
            message["tool_calls"] = [_call(*call) for call in answer.tool_calls]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(answer)}
        usage = {} if answer.usage is None else {"usage": self.usage(answer.usage)}
        return {**_head(asked, "chat.completion"), "choices": [choice], **usage}

    def events(self, asked: Asked, answer: Answer) -> list[bytes]:
        answer = with_text(answer, _schema(asked.body))
        head = _head(asked, "chat.completion.chunk")
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "", "refusal": None}]
        deltas += [{"content": piece} for piece in words(answer.text or "")]
        deltas += [{"refusal": piece} for piece in words(answer.refusal)] if answer.refusal else []
        for number, call in enumerate(answer.tool_calls):
            deltas += _call_deltas(number, *call)
        wants_usage = (asked.body.get("stream_options") or {}).get("include_usage") and answer.usage is not None
        empty = {"usage": None} if wants_usage else {}
        chunks = [{**head, "choices": [_choice(delta, None)], **empty} for delta in deltas]
        chunks.append({**head, "choices": [_choice({}, _finish(answer))], **empty})
        if wants_usage:
            assert answer.usage is not None
            chunks.append({**head, "choices": [], "usage": self.usage(answer.usage)})
        return [sse(chunk) for chunk in chunks] + ([sse("[DONE]")] if answer.done else [])

    def usage(self, tokens: Any) -> Any:
        if not isinstance(tokens, Tokens):
            return tokens
        return {
            "prompt_tokens": tokens.input,
            "completion_tokens": tokens.output,
            "total_tokens": tokens.input + tokens.output,
            "prompt_tokens_details": {"cached_tokens": tokens.cached, "cache_write_tokens": tokens.cache_write},
            "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
        }

    def error(self, status: int, message: str) -> Any:
        kinds = {
            400: ("invalid_request_error", None),
            401: ("invalid_request_error", "invalid_api_key"),
            404: ("invalid_request_error", "model_not_found"),
            429: ("requests", "rate_limit_exceeded"),
        }
        kind, code = kinds.get(status, ("server_error", None))
        return self.fault(message or f"The server says {status}.", kind, code)

    def error_event(self) -> bytes:
        return sse(self.fault("The server had an error while processing your request.", "server_error"))

    def fault(self, message: str, kind: str, code: str | None = None, param: str | None = None) -> Any:
        return {"error": {"message": message, "type": kind, "param": param, "code": code}}

    def no_model(self, name: str) -> Fault:
        said = f"The model `{name}` does not exist or you do not have access to it."
        return Fault(404, self.fault(said, "invalid_request_error", "model_not_found"))

    def _check_key(self, asked: Asked) -> None:
        sent = asked.headers.get("authorization", "")
        if not sent:
            said = "You didn't provide an API key. You need to provide your API key in an Authorization header."
            raise Fault(401, self.fault(said, "invalid_request_error"))
        if sent != f"Bearer {self.key}":
            said = f"Incorrect API key provided: {sent.removeprefix('Bearer ')}. Find yours in your account."
            raise Fault(401, self.fault(said, "invalid_request_error", "invalid_api_key"))

    def _need(self, asked: Asked, *names: str) -> None:
        if asked.method != "POST" or not isinstance(asked.body, dict):
            raise Fault(400, self.fault("We could not parse the JSON body of your request.", "invalid_request_error"))
        for name in names:
            if not asked.body.get(name):
                said = f"Missing required parameter: '{name}'."
                raise self._invalid(said, "missing_required_parameter", name)

    def _invalid(self, message: str, code: str | None = None, param: str | None = None) -> Fault:
        return Fault(400, self.fault(message, "invalid_request_error", code, param))

    def _check_chat(self, asked: Asked) -> None:
        self._need(asked, "model", "messages")
        body = asked.body
        for name in body.keys() - _FIELDS:
            raise self._invalid(f"Unrecognized request argument supplied: {name}", "unknown_parameter", name)
        if "stream_options" in body and not body.get("stream"):
            raise self._invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.")
        if "tool_choice" in body and not body.get("tools"):
            raise self._invalid("Invalid value for 'tool_choice': only allowed when 'tools' are specified.")
        self._check_turns(body["messages"])
        if any(fnmatch(body["model"], pattern) for pattern in self.reasoning):
            self._check_reasoning(body)
        self._check_format(body)

    def _check_turns(self, messages: Any) -> None:
        open_calls: set[str] = set()
        for number, turn in enumerate(messages):
            if turn.get("role") not in ("system", "developer", "user", "assistant", "tool"):
                raise self._invalid(
                    f"Invalid value: {turn.get('role')!r}.", "invalid_value", f"messages[{number}].role"
                )
            if turn.get("content") is None and not turn.get("tool_calls"):
                raise self._invalid("Invalid value for 'content': expected a string, got null.")
            if turn["role"] == "tool" and turn.get("tool_call_id") not in open_calls:
                raise self._invalid("messages with role 'tool' must be a response to a preceding message")
            open_calls |= {call["id"] for call in turn.get("tool_calls") or ()}

    def _check_reasoning(self, body: dict[str, Any]) -> None:
        if "max_tokens" in body:
            said = "Unsupported parameter: 'max_tokens' is not supported with this model."
            raise self._invalid(f"{said} Use 'max_completion_tokens' instead.", "unsupported_parameter", "max_tokens")
        for name in ("temperature", "top_p"):
            if body.get(name, 1) != 1:
                said = f"Unsupported value: '{name}' does not support {body[name]} with this model."
                raise self._invalid(said, "unsupported_value", name)
        if "stop" in body:
            raise self._invalid("Unsupported parameter: 'stop' is not supported with this model.")

    def _check_format(self, body: dict[str, Any]) -> None:
        asked = body.get("response_format") or {}
        if asked.get("type") == "json_object" and "json" not in json.dumps(body["messages"]).lower():
            said = "'messages' must contain the word 'json' in some form, to use 'response_format' 'json_object'."
            raise self._invalid(said, None, "messages")
        if asked.get("type") != "json_schema":
            return
        if not self.json_schema:
            raise self._invalid("This response_format type is unavailable now")
        described = asked.get("json_schema") or {}
        if not described.get("name"):
            raise self._invalid("Missing required parameter: 'response_format.json_schema.name'.")
        if described.get("strict") and self.strict_schemas:
            self._check_strict(described["schema"], ())

    def _check_strict(self, schema: Any, context: tuple[str, ...]) -> None:
        where = f"Invalid schema for response_format 'answer': In context={context},"
        if "default" in schema:
            raise self._invalid(f"{where} 'default' is not permitted.", "invalid_json_schema")
        if schema.get("type") == "object":
            if schema.get("additionalProperties") is not False:
                said = "'additionalProperties' is required to be supplied and to be false."
                raise self._invalid(f"{where} {said}", "invalid_json_schema")
            if set(schema.get("required", ())) != set(schema.get("properties", {})):
                said = "'required' is required to be supplied and to be an array including every key in properties."
                raise self._invalid(f"{where} {said}", "invalid_json_schema")
        for part in ("properties", "$defs"):
            for name, inner in (schema.get(part) or {}).items():
                self._check_strict(inner, (*context, part, name))
        for inner in [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())]:
            self._check_strict(inner, context)


class DeepSeek(OpenAI):
    """No JSON schema, no seed, cached tokens under its own name."""

    key = "sk-deepseek-test-0123456789"
    base = ""
    models = ("deepseek-chat", "deepseek-reasoner")
    reasoning = ()
    json_schema = False

    def usage(self, tokens: Any) -> Any:
        if not isinstance(tokens, Tokens):
            return tokens
        hits = {"prompt_cache_hit_tokens": tokens.cached, "prompt_cache_miss_tokens": tokens.input - tokens.cached}
        counts = super().usage(tokens)
        del counts["prompt_tokens_details"]
        return counts | hits

    def no_model(self, name: str) -> Fault:
        return Fault(400, self.fault("Model Not Exist", "invalid_request_error", "invalid_request_error"))


class OpenRouter(OpenAI):
    """Errors with a number for a code, comments while the upstream thinks, prices in the usage."""

    key = "sk-or-v1-test-0123456789"
    base = "/api/v1"
    models = ("*/*",)
    reasoning = ()
    strict_schemas = False

    def usage(self, tokens: Any) -> Any:
        counts = super().usage(tokens)
        return counts | {"cost": 0.00014} if isinstance(tokens, Tokens) else counts

    def events(self, asked: Asked, answer: Answer) -> list[bytes]:
        return [b": OPENROUTER PROCESSING\n\n", *super().events(asked, answer)]

    def error(self, status: int, message: str) -> Any:
        return {"error": {"code": status, "message": message or f"Provider returned {status}", "metadata": {}}}

    def error_event(self) -> bytes:
        failed = {"code": 502, "message": "Provider disconnected unexpectedly"}
        return sse({"id": "gen-1", "error": failed, "choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]})

    def fault(self, message: str, kind: str, code: str | None = None, param: str | None = None) -> Any:
        return {"error": {"code": 401 if code == "invalid_api_key" else 400, "message": message}}


def _head(asked: Asked, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-fake", "object": kind, "created": 1_760_000_000, "model": asked.body["model"]}


def _finish(answer: Answer) -> str:
    return answer.finish or ("tool_calls" if answer.tool_calls else "stop")


def _choice(delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


def _call(ident: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"id": ident, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def _call_deltas(number: int, ident: str, name: str, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    opening = {"index": number, "id": ident, "type": "function", "function": {"name": name, "arguments": ""}}
    written = json.dumps(arguments)
    parts = [written[:3], written[3:]]
    rest = [{"tool_calls": [{"index": number, "function": {"arguments": part}}]} for part in parts]
    return [{"tool_calls": [opening]}, *rest]


def _schema(body: dict[str, Any]) -> Any:
    asked = body.get("response_format") or {}
    if asked.get("type") == "json_object":
        return {"type": "object"}
    return asked.get("json_schema", {}).get("schema")


def _embeddings(body: dict[str, Any]) -> Any:
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    vectors = [[float(len(text)), 0.5, -1.0] for text in texts]
    shown: list[Any] = vectors
    if body.get("encoding_format") == "base64":
        shown = [base64.b64encode(struct.pack("<3f", *vector)).decode() for vector in vectors]
    data = [{"object": "embedding", "index": number, "embedding": vector} for number, vector in enumerate(shown)]
    data.reverse()  # the order is the index's
    return {"object": "list", "data": data, "model": body["model"], "usage": {"prompt_tokens": 3, "total_tokens": 3}}
