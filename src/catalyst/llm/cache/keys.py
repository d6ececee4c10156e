"""What an answer is kept under. Everything that shapes an answer goes into a hash, each part with its type and length.

`scope` holds all but the question; `key` (L0) adds the question's exact text; `canon` (L1) adds its canonical text
instead; `bucket` (L2) the embedder and guard versions. Two requests that differ in anything share no key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from catalyst.llm.cache.policy import Policy, asked, policy_of
from catalyst.llm.job import Job
from catalyst.llm.types import LLMRequest, Message

LAYOUT = 1
"""Raised when the parts below change, so that no older key is read as a newer one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How one request stands to the cache. Hashes are 32 bytes."""

    policy: Policy
    key: bytes
    scope: bytes
    template: bytes
    """Whose strikes count: tenant, feature, template, system prompt and schema."""
    documents: tuple[bytes, ...]
    text: str
    """The user's question."""
    day: date
    """Today, for relative times."""

    @property
    def by_meaning(self) -> bool:
        return self.policy in (Policy.SEMANTIC, Policy.HEADLINE)

    def canon(self, guard: str, canonical: str) -> bytes:
        """The hash that all wordings of one question share."""
        return digest("canon", self.scope, guard, canonical)

    def bucket(self, guard: str, embedder: str) -> bytes:
        """The vectors that this question may be compared with."""
        return digest("bucket", self.scope, guard, embedder)


def plan(job: Job, zone: ZoneInfo) -> Plan | None:
    """None where nothing may be kept: caching is off, or a part of the request cannot be hashed."""
    request = job.request
    policy = policy_of(request)
    if policy is Policy.OFF or not (request.prompt or request.messages):
        return None
    day = job.now.astimezone(zone).date()
    documents = tuple(document_key(text) for text in request.documents)
    try:
        scope = digest("scope", LAYOUT, *_fixed(job, documents))
        # An exact text may hold "today"; what is read from documents alone does not.
        when = None if policy is Policy.EXACT and _dateless(request) else day.isoformat()
        key = digest("key", scope, when, _conversation(request))
    except TypeError:
        return None
    template = digest("template", request.tenant, request.feature_name, request.template, _system(job), job.schema)
    return Plan(policy, key, scope, template, documents, asked(request), day)


def document_key(text: str) -> bytes:
    """What a document is known by: the hash of its text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32).digest()


def _fixed(job: Job, documents: tuple[bytes, ...]) -> tuple[Any, ...]:
    request = job.request
    model = ("model", request.model) if request.model else ("tier", job.complexity)
    return (
        request.tenant,
        request.feature_name,
        request.template,
        _system(job),
        model,
        (request.max_tokens, request.temperature, request.top_p, list(request.stop), request.seed),
        (request.tool_choice, [tool.model_dump() for tool in request.tools]),
        (request.output_format, _type_name(request.output_schema), job.schema),
        documents,
        request.compress_prompt,
    )


def _conversation(request: LLMRequest) -> tuple[Any, ...]:
    if request.prompt:
        return ("prompt", request.prompt)
    return ("messages", [_turn(turn) for turn in request.messages])


def _turn(turn: Message) -> tuple[Any, ...]:
    calls = [(call.id, call.name, call.arguments) for call in turn.tool_calls]
    return (turn.role, turn.content, calls, turn.tool_call_id)


def _system(job: Job) -> list[str]:
    return [turn.content for turn in job.messages if turn.role == "system"]


def _dateless(request: LLMRequest) -> bool:
    """Pipelines' requests: their text names its dates."""
    return bool(request.template) or bool(request.feature_name and request.documents)


def _type_name(schema: Any) -> str | None:
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return f"{schema.__module__}.{schema.__qualname__}"
    return None


def digest(*parts: Any) -> bytes:
    """32 bytes of BLAKE2b. Each value is fed with its type and length. Raises TypeError for what has neither."""
    state = hashlib.blake2b(digest_size=32)
    _feed(state, parts)
    return state.digest()


def _feed(state: Any, value: Any) -> None:
    if isinstance(value, (list, tuple)):
        state.update(b"l%d:" % len(value))
        for item in value:
            _feed(state, item)
    elif isinstance(value, Mapping):
        # In the order given: a schema's order shapes what a model writes.
        state.update(b"m%d:" % len(value))
        for name, item in value.items():
            _feed(state, name)
            _feed(state, item)
    else:
        tag, body = _atom(value)
        state.update(b"%b%d:" % (tag, len(body)))
        state.update(body)


def _atom(value: Any) -> tuple[bytes, bytes]:
    if value is None:
        return b"n", b""
    if isinstance(value, bytes):
        return b"y", value
    if isinstance(value, str):
        return b"s", value.encode("utf-8", "surrogatepass")
    if isinstance(value, bool):
        return b"b", b"1" if value else b"0"
    if isinstance(value, int):
        return b"i", b"%d" % value
    if isinstance(value, float):
        return b"f", repr(value).encode()
    raise TypeError(f"{type(value).__name__} cannot be part of a cache key")
