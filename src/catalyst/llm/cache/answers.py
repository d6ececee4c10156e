"""Answers as they are kept: which ones may be, and the way to bytes and back."""

from __future__ import annotations

from typing import Any

import orjson

from catalyst.llm.job import Job
from catalyst.llm.structured import Mismatch, parse
from catalyst.llm.types import LLMResponse, Outcome

_FIELDS = (
    "text", "provider", "model", "tokens_input", "tokens_output", "tokens_cached", "confidence", "prompt_compressed",
)  # fmt: skip
LARGEST = 1 << 20
"""Bytes of an answer that is kept."""


def storable(job: Job, response: LLMResponse) -> bool:
    """Whole, by the model's own word, not refused, not empty, not a tool call; JSON that parsed where it was asked."""
    if response.cached or response.finish_reason != "stop" or response.tool_calls:
        return False
    if job.schema is not None and response.parsed_output is None:
        return False
    return bool(response.text.strip()) and len(response.text) <= LARGEST


def encoded(response: LLMResponse) -> bytes:
    """What is kept of it; the parsed output is parsed again on reading, by the schema that then asks."""
    return orjson.dumps({name: getattr(response, name) for name in _FIELDS})


def decoded(answer: bytes, job: Job) -> LLMResponse | None:
    """The response, or None where it is not readable or does not meet the request's schema."""
    try:
        fields: dict[str, Any] = orjson.loads(answer)
        parsed = None if job.schema is None else parse(job.request, job.schema, fields["text"])
        return LLMResponse(parsed_output=parsed, **fields)
    except (ValueError, KeyError, TypeError, Mismatch):
        return None


def cost(response: LLMResponse) -> int:
    """Nano-dollars of the attempt that answered: what asking again would cost."""
    answered = [attempt.cost_usd for attempt in response.attempts if attempt.outcome is Outcome.OK]
    return int(answered[-1] * 10**9) if answered else int(response.cost_usd * 10**9)


def text_of(answer: bytes) -> str:
    """The text of a kept answer; empty where it cannot be read."""
    try:
        return str(orjson.loads(answer)["text"])
    except (ValueError, KeyError, TypeError):
        return ""
