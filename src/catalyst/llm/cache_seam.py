"""Where an answer cache stands in the hub. `catalyst.llm.cache` is one; without one nothing is kept.

A request visits the cache once: `visit` before routing, `keep` with the model's answer, `leave` in every case.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from catalyst.llm.job import Job
from catalyst.llm.types import LLMRequest, LLMResponse

Ask = Callable[[LLMRequest], Awaitable[LLMResponse]]
"""Asks a model past the cache, within the tenant's budget: for audits and refreshes."""


@dataclass(frozen=True, slots=True)
class CacheHit:
    """A kept answer. `saved` is what it did not cost, nano-dollars."""

    response: LLMResponse
    kind: Literal["exact", "semantic"]
    key: str
    saved: int = 0


class Visit:
    """One request at the cache. This plain one found nothing and keeps nothing."""

    hit: CacheHit | None = None
    key: str = ""
    """What the answer is, or will be, kept under; empty where it is not kept."""

    async def keep(self, response: LLMResponse) -> None:
        """Keep a whole, valid answer; the cache decides what it does not keep."""

    def leave(self) -> None:
        """The request ended: whoever waits for its answer goes on. Safe to call twice."""


class AnswerCache(Protocol):
    """Looked up before routing: its key holds the pinned model or the complexity tier, never the route."""

    def start(self, ask: Ask) -> None:
        """The hub stands; nothing slow may happen here."""
        ...

    async def visit(self, job: Job) -> Visit:
        """What is known of the request. Where the same is being asked already, its answer is awaited, for a while.

        A cache that fails answers an empty visit.
        """
        ...

    def snapshot(self) -> dict[str, Any]:
        """Its figures, for `get_stats`."""
        ...

    async def pause(self) -> None:
        """Let go of the event loop; the next visit may come on another."""
        ...

    async def close(self) -> None: ...
