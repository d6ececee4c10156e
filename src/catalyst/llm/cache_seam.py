"""Where an answer cache stands in the hub. Issue 4's `cache` room satisfies it; without one nothing is cached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from catalyst.llm.job import Job
from catalyst.llm.types import LLMResponse


@dataclass(frozen=True, slots=True)
class CacheHit:
    """A kept answer. `saved` is what it did not cost, nano-dollars."""

    response: LLMResponse
    kind: Literal["exact", "semantic"]
    key: str
    saved: int = 0


class AnswerCache(Protocol):
    """Looked up before routing: its key holds the pinned model or the complexity tier, never the route."""

    async def get(self, job: Job) -> CacheHit | None:
        """The answer to the same question, if there is one. A cache that fails answers None."""
        ...

    async def put(self, job: Job, response: LLMResponse) -> None:
        """Keep a whole, valid answer; the cache decides what it does not keep."""
        ...
