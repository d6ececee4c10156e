"""What traces say of a request and of each attempt, by OpenTelemetry's GenAI conventions. Never any text of either.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalyst.tracing import Tracer, Value

if TYPE_CHECKING:
    from catalyst.llm.ledger import Row
    from catalyst.llm.types import LLMRequest, LLMResponse

_NAMES = {"gemini": "gcp.gemini", "vertex": "gcp.vertex_ai", "mistral": "mistral_ai", "xai": "x_ai"}
"""Providers whose name in the conventions is not ours."""


def asked(request: LLMRequest) -> dict[str, Value]:
    """Of a request as it comes in."""
    return {
        "catalyst.tenant": request.tenant,
        "catalyst.feature": request.feature_name,
        "catalyst.complexity": request.complexity,
        "catalyst.template": request.template,
    }


def answered(response: LLMResponse) -> dict[str, Value]:
    """Of its answer, whoever gave it."""
    return {
        "catalyst.request.id": response.request_id,
        "catalyst.cost_usd": float(response.cost_usd),
        "catalyst.cache": response.cache_kind or "miss",
        "catalyst.retries": response.retries,
        "gen_ai.response.model": response.model,
        "gen_ai.response.finish_reasons": response.finish_reason,
    }


def tell_attempt(tracer: Tracer, row: Row, model_id: str, *, embeds: bool) -> None:
    """One attempt that has just ended, as its ledger row has it."""
    operation = "embeddings" if embeds else "chat"
    attributes: dict[str, Value] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": _NAMES.get(row.provider, row.provider),
        "gen_ai.request.model": model_id,
        "gen_ai.usage.input_tokens": row.tokens_in,
        "gen_ai.usage.output_tokens": row.tokens_out,
        "gen_ai.usage.cache_read.input_tokens": row.tokens_cached,
        "catalyst.request.id": row.request,
        "catalyst.cost_usd": row.cost / 1e9,
        "catalyst.retry": row.retry,
        "catalyst.estimated": row.estimated,
    }
    if row.outcome != "ok":
        attributes["error.type"] = row.outcome
    tracer.note(f"{operation} {model_id}", row.latency_ms / 1000, attributes, kind="client")
