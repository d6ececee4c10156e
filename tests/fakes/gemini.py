"""Gemini's `generateContent`, `streamGenerateContent` and `batchEmbedContents`, as a vendor to serve."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import Any

from tests.fakes.server import Answer, Asked, Fault, Tokens, lists_models, sse, with_text, words

_PATH = re.compile(r"/(v1|v1beta)/models/([^/:]+):(generateContent|streamGenerateContent|batchEmbedContents)")
_FIELDS = {
    "contents",
    "systemInstruction",
    "tools",
    "toolConfig",
    "generationConfig",
    "safetySettings",
    "cachedContent",
}
_CONFIG = {
    "temperature", "topP", "topK", "maxOutputTokens", "stopSequences", "seed", "responseMimeType", "responseSchema",
    "responseJsonSchema", "candidateCount", "thinkingConfig",
}  # fmt: skip
_DECLARED = {"name", "description", "parameters", "parametersJsonSchema", "parameters_json_schema"}
_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class Gemini:
    """The Gemini API. `refusal` of an answer is a block reason of the prompt."""

    key = "AIzaTest0123456789"
    base = ""
    models = ("gemini-2.5-*", "gemini-3*", "gemini-embedding-*")

    def check(self, asked: Asked) -> None:
        if lists_models(asked):
            self._check_key(asked)
            return
        found = _PATH.fullmatch(asked.path)
        if not found:
            raise self._fault(404, "Requested entity was not found.")
        self._check_key(asked)
        _, model, method = found.groups()
        if not any(fnmatch(model, known) for known in self.models):
            raise self._fault(404, f"models/{model} is not found for API version v1, or is not supported for {method}.")
        if not isinstance(asked.body, dict):
            raise self._fault(400, "Invalid JSON payload received.")
        if method == "batchEmbedContents":
            self._check_embeds(asked.body, model)
        else:
            self._check_generate(asked.body, model)

    def streams(self, asked: Asked) -> bool:
        return asked.path.endswith(":streamGenerateContent") and asked.query.get("alt") == "sse"

    def whole(self, asked: Asked, answer: Answer) -> Any:
        if asked.path.endswith(":batchEmbedContents"):
            texts = [entry["content"]["parts"][0]["text"] for entry in asked.body["requests"]]
            return {"embeddings": [{"values": [float(len(text)), 0.5, -1.0]} for text in texts]}
        answer = with_text(answer, _schema(asked.body))
        if answer.refusal:
            return {**_blocked(answer), **self._tail(asked, answer)}
        candidate = {"content": {"parts": _parts(answer, [answer.text or ""]), "role": "model"}, "index": 0}
        return {"candidates": [candidate | {"finishReason": answer.finish or "STOP"}], **self._tail(asked, answer)}

    def events(self, asked: Asked, answer: Answer) -> list[bytes]:
        answer = with_text(answer, _schema(asked.body))
        tail = self._tail(asked, answer)
        if answer.refusal:
            return [sse({**_blocked(answer), **tail})]
        bare = Answer(text=None)
        chunks = [
            {"candidates": [{"content": {"parts": _parts(bare, [piece]), "role": "model"}, "index": 0}], **tail}
            for piece in words(answer.text or "")[:-1]
        ]
        last = _parts(answer, words(answer.text or "")[-1:])
        ending = {"content": {"parts": last, "role": "model"}, "finishReason": answer.finish or "STOP", "index": 0}
        return [sse(chunk) for chunk in [*chunks, {"candidates": [ending], **tail}]]

    def error(self, status: int, message: str) -> Any:
        said = message or f"The service says {status}."
        return {"error": {"code": status, "message": said, "status": _STATUS.get(status, "UNKNOWN")}}

    def error_event(self) -> bytes:
        return sse(self.error(503, "The model is overloaded. Please try again later."))

    def _fault(self, status: int, message: str, details: list[Any] | None = None) -> Fault:
        body = self.error(status, message)
        if details:
            body["error"]["details"] = details
        return Fault(status, body)

    def _check_key(self, asked: Asked) -> None:
        sent = asked.headers.get("x-goog-api-key") or asked.query.get("key")
        if not sent:
            raise self._fault(403, "Method doesn't allow unregistered callers (callers without established identity).")
        if sent != self.key:
            info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
            raise self._fault(400, f"API key not valid. Please pass a valid API key. ({sent})", [info])

    def _check_embeds(self, body: dict[str, Any], model: str) -> None:
        self._known(body, {"requests"}, "")
        for number, entry in enumerate(body.get("requests") or ()):
            if entry.get("model") != f"models/{model}":
                raise self._fault(400, f"* BatchEmbedContentsRequest.requests[{number}].model: model is wrong")
            if not (entry.get("content") or {}).get("parts"):
                raise self._fault(
                    400, f"* BatchEmbedContentsRequest.requests[{number}].content: content is not specified"
                )

    def _check_generate(self, body: dict[str, Any], model: str) -> None:
        self._known(body, _FIELDS, "")
        config = body.get("generationConfig") or {}
        self._known(config, _CONFIG, " at 'generation_config'")
        if not body.get("contents"):
            raise self._fault(400, "* GenerateContentRequest.contents: contents is not specified\n")
        for tool in body.get("tools") or ():
            for declared in tool["functionDeclarations"]:
                self._known(declared, _DECLARED, " at 'tools[0].function_declarations[0]'")
        if len(config.get("stopSequences") or ()) > 5:
            raise self._fault(400, "The number of stop sequences is greater than 5.")
        as_json = config.get("responseMimeType") == "application/json"
        if as_json and body.get("tools") and model.startswith("gemini-2"):
            said = "Function calling with a response mime type: 'application/json' is unsupported"
            raise self._fault(400, said)
        if "responseJsonSchema" in config and not as_json:
            raise self._fault(400, "Response schema requires response_mime_type to be application/json")
        self._check_contents(body["contents"], model)

    def _check_contents(self, contents: Any, model: str) -> None:
        for number, turn in enumerate(contents):
            if turn.get("role") not in ("user", "model"):
                raise self._fault(400, "Please use a valid role: user, model.")
            if not turn.get("parts"):
                said = f"* GenerateContentRequest.contents[{number}].parts: contents.parts must not be empty.\n"
                raise self._fault(400, said)
            calls = [part for part in turn["parts"] if "functionCall" in part]
            if calls and model.startswith("gemini-3") and "thoughtSignature" not in calls[0]:
                said = f"Function call is missing a thought_signature in functionCall parts of contents[{number}]."
                raise self._fault(400, said)
            answered = [part for part in contents[number + 1 : number + 2] for part in part["parts"]]
            if calls and sum("functionResponse" in part for part in answered) != len(calls):
                said = (
                    "Please ensure that the number of function response parts is equal to the number of function call"
                )
                raise self._fault(400, f"{said} parts of the function call turn.")

    def _known(self, given: dict[str, Any], known: set[str], place: str) -> None:
        for name in given.keys() - known:
            raise self._fault(400, f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.')

    def _tail(self, asked: Asked, answer: Answer) -> dict[str, Any]:
        found = _PATH.fullmatch(asked.path)
        assert found
        usage = {} if answer.usage is None else {"usageMetadata": _usage(answer.usage)}
        return {**usage, "modelVersion": found.group(2), "responseId": "resp_fake"}


def _blocked(answer: Answer) -> dict[str, Any]:
    return {"promptFeedback": {"blockReason": answer.refusal}}


def _parts(answer: Answer, texts: list[str]) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [{"text": text} for text in texts if text]
    calls = [{"functionCall": {"id": i, "name": n, "args": given}} for i, n, given in answer.tool_calls]
    return parts + [call if call["functionCall"]["id"] else _without_id(call) for call in calls]


def _without_id(call: dict[str, Any]) -> dict[str, Any]:
    return {"functionCall": {name: value for name, value in call["functionCall"].items() if name != "id"}}


def _usage(tokens: Any) -> Any:
    if not isinstance(tokens, Tokens):
        return tokens
    counts = {
        "promptTokenCount": tokens.input,
        "candidatesTokenCount": tokens.output - tokens.reasoning,
        "totalTokenCount": tokens.input + tokens.output,
    }
    counts |= {"cachedContentTokenCount": tokens.cached} if tokens.cached else {}
    return counts | ({"thoughtsTokenCount": tokens.reasoning} if tokens.reasoning else {})


def _schema(body: dict[str, Any]) -> Any:
    config = body.get("generationConfig") or {}
    if config.get("responseMimeType") != "application/json":
        return None
    return config.get("responseJsonSchema") or config.get("responseSchema") or {"type": "object"}
