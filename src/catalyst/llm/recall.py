"""A kept answer on its way out: as a response, as a stream, and in the ledger with what it saved."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from catalyst.llm.cache_seam import CacheHit, Visit
from catalyst.llm.job import Job
from catalyst.llm.ledger import Row
from catalyst.llm.types import Delta, LLMResponse, Usage

if TYPE_CHECKING:
    from catalyst.llm.assembly import Parts


async def visited(parts: Parts, job: Job) -> Visit:
    """What the cache knows of the request; an empty visit where there is no cache or it is not wanted."""
    if parts.cache is None or not job.request.enable_cache:
        return Visit()
    return await parts.cache.visit(job)


def recalled(parts: Parts, job: Job, hit: CacheHit, began: float) -> LLMResponse:
    """The kept answer as this request's: it costs nothing and counts against no limit."""
    parts.metrics.cache_hits.labels(hit.kind).inc()
    latency = (parts.clock.monotonic() - began) * 1000
    kept = hit.response
    parts.attempts.ledger.record(
        Row(
            at=parts.clock.now().timestamp(),
            request=job.id,
            tenant=job.request.tenant,
            feature=job.request.feature_name,
            provider=kept.provider,
            model=kept.model,
            outcome="ok",
            latency_ms=latency,
            cache_kind=hit.kind,
            saved=hit.saved,
            variant=job.request.template,
        )
    )
    changes: dict[str, Any] = {
        "cached": True, "cache_kind": hit.kind, "cache_key": hit.key, "latency_ms": latency,
        "cost_usd": Decimal(0), "retries": 0, "attempts": [], "route": "cache", "request_id": job.id,
    }  # fmt: skip
    return kept.model_copy(update=changes)


def replayed(response: LLMResponse) -> Iterator[Delta]:
    """A kept answer as a stream: its text at once, then what it once used and how it ended."""
    yield Delta(response.text)
    usage = Usage(response.tokens_input, response.tokens_output, response.tokens_cached)
    yield Delta(usage=usage, finish_reason=response.finish_reason)
