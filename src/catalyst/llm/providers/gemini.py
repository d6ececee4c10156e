"""The Gemini `generateContent` dialect.

A blocked prompt and a blocked answer come with 200 and are completions whose `finish_reason` is `refused`. Thoughts are
billed as output and bounded by the same limit, so they count as output here. Source: https://ai.google.dev/api
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import orjson
from yarl import URL

from catalyst.errors import LLMValidationError
from catalyst.http import Http
from catalyst.llm.providers.reading import (
    arguments,
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
from catalyst.llm.providers.wire import Wire, checked_key
from catalyst.llm.types import Call, Completion, Delta, FinishReason, Message, Tool, ToolCall, Usage

_REFUSED: FinishReason = "refused"
_FINISH: Mapping[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    **dict.fromkeys(
        ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "MODEL_ARMOR"), _REFUSED
    ),
}
_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
_MODEL = re.compile(r"(?:models/)?((?:tunedModels/)?[\w.@-]+)")
_UNSIGNED = "skip_thought_signature_validator"
"""What the vendor takes in place of the signature of a call whose signature was not kept."""
_MOST_URLS = 256


class Gemini:
    """A `Provider` over the generateContent wire format."""

    def __init__(self, row: ProviderRow, http: Http, key: str, base_url: str | None = None) -> None:
        key = checked_key(row, key)
        self._row = row
        self._wire = Wire(row, http, row.base(base_url), {"x-goog-api-key": key}, key)
        self._urls: dict[tuple[str, str], URL] = {}

    def __repr__(self) -> str:
        return repr(self._wire)

    @property
    def name(self) -> str:
        return self._row.name

    async def ping(self) -> None:
        await self._wire.ping()

    async def complete(self, call: Call) -> Completion:
        """One whole answer. A `usage` of zero input means that the vendor reported none."""
        body = generate_body(call, self._row)
        url = self._url(call.model, "generateContent")
        answer = await self._wire.post(url, body, call.model, call.timeout_seconds, call.before_send)
        gathered = _Gathered()
        words = gathered.add(answer)
        if gathered.finish is None:
            raise self._wire.faults.bad("no candidates", call.model, gathered.usage)
        model = text(answer.get("modelVersion")) or call.model
        return Completion(words, gathered.usage or Usage(), gathered.finish, tuple(gathered.calls), model)

    async def stream(self, call: Call) -> AsyncGenerator[Delta, None]:
        """Deltas as they arrive; the last one has `finish_reason`, `usage` and all tool calls."""
        body = generate_body(call, self._row)
        url = self._url(call.model, "streamGenerateContent")
        gathered = _Gathered()
        events = self._wire.events(url, body, call.model, call.timeout_seconds, gathered.ended, call.before_send)
        async with contextlib.aclosing(events):
            async for event in events:
                piece = gathered.add(event)
                if piece:
                    yield Delta(piece)
        if gathered.finish is None:
            raise self._wire.broke_off(gathered.delivered, call.model)
        yield Delta("", gathered.usage, gathered.finish, tuple(gathered.calls))

    async def embed(self, call: Call) -> Completion:
        """One vector for each of `call.texts`, in their order. Most models do not say what they used."""
        name = f"models/{_bare(call.model)}"
        requests = [{"model": name, "content": {"role": "user", "parts": [{"text": words}]}} for words in call.texts]
        url = self._url(call.model, "batchEmbedContents")
        answer = await self._wire.post(url, {"requests": requests}, call.model, call.timeout_seconds, call.before_send)
        used = read_usage(answer.get("usageMetadata"))
        try:
            found = tuple(vector(row["values"]) for row in answer["embeddings"])
        except (KeyError, TypeError, ValueError) as error:
            raise self._wire.faults.bad("no vectors", call.model, used) from error
        if len(found) != len(call.texts):
            raise self._wire.faults.bad(f"{len(found)} vectors for {len(call.texts)} texts", call.model, used)
        return Completion("", used or Usage(), model=call.model, vectors=found)

    def _url(self, model: str, method: str) -> URL:
        url = self._urls.get((model, method))
        if url is None:
            name = _bare(model)
            path = f"{name}:{method}" if name.startswith("tunedModels/") else f"models/{name}:{method}"
            url = self._wire.url(path, {"alt": "sse"} if method == "streamGenerateContent" else None)
            if len(self._urls) >= _MOST_URLS:
                self._urls.clear()
            self._urls[(model, method)] = url
        return url


def _bare(model: str) -> str:
    fits = _MODEL.fullmatch(model)
    if not fits:
        raise LLMValidationError(f"{model[:100]!r} is no name of a Gemini model: give one like gemini-2.5-flash")
    return fits.group(1)


class _Gathered:
    """What one answer, or a stream's events, add up to."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.finish: FinishReason | None = None
        self.delivered = 0
        self.calls: list[ToolCall] = []

    def ended(self) -> bool:
        return self.finish is not None

    def add(self, event: Mapping[str, Any]) -> str:
        """Take one event in, and give back the text that it brings."""
        self.usage = read_usage(event.get("usageMetadata")) or self.usage
        if mapping(event.get("promptFeedback")).get("blockReason"):
            self.finish = "refused"
        candidates = event.get("candidates")
        if not isinstance(candidates, list) or not candidates:
            return ""
        candidate = mapping(candidates[0])
        parts = mapping(candidate.get("content")).get("parts")
        words = "".join([self._part(mapping(part), event) for part in parts]) if isinstance(parts, list) else ""
        self.delivered += len(words)
        if candidate.get("finishReason"):
            finish = _FINISH.get(text(candidate["finishReason"]), "other")
            self.finish = "tool_calls" if finish == "stop" and self.calls else finish
        return words

    def _part(self, part: Mapping[str, Any], event: Mapping[str, Any]) -> str:
        if "functionCall" in part:
            call = mapping(part["functionCall"])
            made = f"call_{text(event.get('responseId'))[:24]}_{len(self.calls)}"
            arguments = orjson.dumps(call.get("args") or {}).decode()
            self.calls.append(
                ToolCall(id=text(call.get("id")) or made, name=text(call.get("name")), arguments=arguments)
            )
        return "" if part.get("thought") else text(part.get("text"))


def generate_body(call: Call, row: ProviderRow) -> dict[str, Any]:
    """The request as `generateContent` takes it.

    Raises:
        LLMValidationError: the model cannot express a field that is set.
    """
    rule = row.rule(call.model)
    refuse_unsupported(call, rule, row.name)
    if call.tools and call.schema is not None and not rule.schema_with_tools:
        raise refused(row.name, call.model, "output_schema", "beside tools")
    body: dict[str, Any] = {"contents": _contents(call.messages, rule)}
    system = "\n\n".join(message.content for message in call.messages if message.role == "system")
    if system:
        body["systemInstruction"] = {"role": "user", "parts": [{"text": system}]}
    if call.tools:
        body["tools"] = [{"functionDeclarations": [_tool(tool) for tool in call.tools]}]
    if call.tool_choice is not None:
        body["toolConfig"] = {"functionCallingConfig": _tool_choice(call.tool_choice)}
    body["generationConfig"] = _config(call, rule)
    return body


def _config(call: Call, rule: ModelRule) -> dict[str, Any]:
    config: dict[str, Any] = {"maxOutputTokens": call.max_tokens}
    temperature, top_p = sampling(call, rule)
    if temperature is not None:
        config["temperature"] = temperature
    if top_p is not None:
        config["topP"] = top_p
    if call.stop:
        config["stopSequences"] = list(call.stop)
    if call.seed is not None:
        config["seed"] = call.seed
    if call.schema is not None:
        config["responseMimeType"] = "application/json"
    if call.schema:
        config["responseJsonSchema"] = dict(call.schema)
    return config


def _contents(messages: Sequence[Message], rule: ModelRule) -> list[dict[str, Any]]:
    contents: list[dict[str, Any]] = []
    names: dict[str, str] = {}
    results: list[dict[str, Any]] | None = None
    for message in messages:
        if message.role == "system":
            continue
        if message.role == "tool":  # the results of one turn's calls belong into one turn
            if results is None:
                results = []
                contents.append({"role": "user", "parts": results})
            results.append(_result(message, names))
            continue
        results = None
        names.update({call.id: call.name for call in message.tool_calls})
        contents.append({"role": "model" if message.role == "assistant" else "user", "parts": _parts(message, rule)})
    if not contents:
        raise LLMValidationError("gemini needs a turn of the user besides the system's: put the question there")
    return contents


def _result(message: Message, names: Mapping[str, str]) -> dict[str, Any]:
    name = names.get(message.tool_call_id)
    if name is None:
        raise LLMValidationError(f"tool result {message.tool_call_id!r} answers no call of this chat: send the call")
    return {"functionResponse": {"id": message.tool_call_id, "name": name, "response": {"result": message.content}}}


def _parts(message: Message, rule: ModelRule) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [{"text": message.content}] if message.content or not message.tool_calls else []
    for index, call in enumerate(message.tool_calls):
        part: dict[str, Any] = {"functionCall": {"id": call.id, "name": call.name, "args": arguments(call)}}
        if rule.signed_calls and index == 0:
            part["thoughtSignature"] = _UNSIGNED
        parts.append(part)
    return parts


def _tool(tool: Tool) -> dict[str, Any]:
    declared: dict[str, Any] = {"name": tool.name}
    if tool.description:
        declared["description"] = tool.description
    if tool.parameters:
        declared["parametersJsonSchema"] = tool.parameters
    return declared


def _tool_choice(choice: str) -> dict[str, Any]:
    if choice in _MODES:
        return {"mode": _MODES[choice]}
    return {"mode": "ANY", "allowedFunctionNames": [choice]}


def read_usage(block: object) -> Usage | None:
    """The vendor's count; None where it sent none that can be read."""
    counts = mapping(block)
    prompt, said = counts.get("promptTokenCount"), counts.get("candidatesTokenCount", 0)
    if not is_count(prompt) or not is_count(said):
        return None
    thoughts = count(counts.get("thoughtsTokenCount"))
    total_in = count(prompt) + count(counts.get("toolUsePromptTokenCount"))
    return usage(
        total_in, count(said) + thoughts, cached=count(counts.get("cachedContentTokenCount")), reasoning=thoughts
    )
