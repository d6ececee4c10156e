"""A streamed answer: iterate over its deltas, then read `response`. Leaving early closes and settles it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING

from catalyst.llm.recall import replayed
from catalyst.llm.trail import Trail
from catalyst.llm.types import Completion, Delta, LLMRequest, LLMResponse, ToolCall, Usage

if TYPE_CHECKING:
    from catalyst.llm.router import Target
    from catalyst.llm.service import LLMService


class AnswerStream:
    """`async for delta in stream`. `aclose`, `async with`, or simply dropping it ends it early."""

    def __init__(self, service: LLMService, request: LLMRequest, external: bool | None) -> None:
        self._whole = _Whole()
        self._pieces = _pieces(service, request, external, self._whole)

    @property
    def response(self) -> LLMResponse | None:
        """The whole answer with usage and cost; None until the stream ended by itself."""
        return self._whole.response

    def __aiter__(self) -> AsyncIterator[Delta]:
        return self._pieces

    async def __aenter__(self) -> AnswerStream:
        return self

    async def __aexit__(self, *ended: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the stream: the connection closes, the usage so far is settled."""
        await self._pieces.aclose()


async def _pieces(
    service: LLMService, request: LLMRequest, external: bool | None, whole: _Whole
) -> AsyncGenerator[Delta, None]:
    """Refers to no AnswerStream, so that dropping one frees this at once and the event loop closes it."""
    await service.start()
    began = service.monotonic()
    job = await service.prepared(request)
    visit = await service.visit(job)
    try:
        if visit.hit is not None:
            kept = service.recalled(job, visit.hit, began)
            for delta in replayed(kept):
                yield delta
            whole.response = kept
            return
        trail = Trail(job)
        await service.enter(job, external)
        pieces = service.pieces(trail)
        try:
            async for delta, target in pieces:
                whole.add(delta, target)
                yield delta
        finally:
            try:
                await pieces.aclose()
            finally:
                service.leave(trail)
        if whole.target is not None:
            whole.response = service.response_of(trail, whole.target, whole.completion(), began)
            whole.response.cache_key = visit.key
            await visit.keep(whole.response)
    finally:
        visit.leave()


class _Whole:
    """Gathers a stream's deltas."""

    def __init__(self) -> None:
        self.target: Target | None = None
        self.response: LLMResponse | None = None
        self._text: list[str] = []
        self._last = Delta()
        self._usage = Usage()
        self._calls: tuple[ToolCall, ...] = ()

    def add(self, delta: Delta, target: Target) -> None:
        self.target = target
        if delta.text:
            self._text.append(delta.text)
        if delta.usage is not None:
            self._usage = delta.usage
        if delta.finish_reason is not None:
            self._last = delta
        self._calls += delta.tool_calls

    def completion(self) -> Completion:
        return Completion("".join(self._text), self._usage, self._last.finish_reason or "stop", self._calls)
