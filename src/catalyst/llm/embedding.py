"""Texts to vectors through the hub: the same limits, money, retries and ledger as any answer, and no fallback.

Vectors of two models cannot be compared, so one call never mixes them: the model is pinned. Long lists go in batches
that every provider takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from catalyst.errors import LLMValidationError
from catalyst.llm import tokens
from catalyst.llm.prices import usd
from catalyst.llm.trail import Trail
from catalyst.llm.types import Attempt, LLMRequest

if TYPE_CHECKING:
    from catalyst.llm.service import LLMService

MOST_TEXTS = 100
"""In one call: Gemini takes no more."""

MOST_BYTES = 256_000
"""In one call, unless a single text is longer."""


@dataclass(frozen=True, slots=True)
class Embeddings:
    """One vector for each text, in their order."""

    vectors: list[list[float]]
    provider: str = ""
    model: str = ""
    tokens_input: int = 0
    cost_usd: Decimal = Decimal(0)
    """Of all attempts, failed ones included."""
    attempts: tuple[Attempt, ...] = ()


async def embed(
    service: LLMService,
    texts: Sequence[str],
    model: str,
    *,
    tenant: str = "default",
    feature_name: str = "",
    timeout_seconds: float = 60.0,
    external: bool | None = None,
) -> Embeddings:
    """Vectors of `texts` by `model`. `timeout_seconds` is each batch's; a tenant's limits count the call once.

    Raises LLMValidationError for an empty text or a provider without embeddings; else what `LLMService.query` raises.
    What was embedded before a batch failed is paid for and lost.
    """
    if any(not text.strip() for text in texts):
        raise LLMValidationError("an empty text has no vector: leave it out")
    await service.start()
    found = Embeddings([])
    for batch in _batches(texts):
        request = LLMRequest(
            prompt="\n".join(batch),
            model=model,
            max_tokens=1,
            complexity="simple",
            tenant=tenant,
            feature_name=feature_name,
            timeout_seconds=timeout_seconds,
            enable_cache=False,
        )
        job = service.prepare(request)
        job = replace(job, texts=tuple(batch), bound=job.bound + tokens.PER_MESSAGE * len(batch))
        found = await _more(service, found, Trail(job), external if not found.vectors else False)
    return found


async def _more(service: LLMService, found: Embeddings, trail: Trail, external: bool | None) -> Embeddings:
    """`found` and one batch."""
    await service.enter(trail.job, external)
    try:
        completion, target = await service.attempted(trail)
    finally:
        service.leave(trail)
    found.vectors.extend(completion.vectors)
    return Embeddings(
        found.vectors,
        target.model.provider,
        target.model.name,
        found.tokens_input + trail.records[-1].usage.input,
        found.cost_usd + usd(trail.cost),
        (*found.attempts, *trail.records),
    )


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for text in texts:
        length = tokens.utf8_length(text)
        if batch and (len(batch) == MOST_TEXTS or size + length > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += length
    if batch:
        yield batch
