"""The hub over a data directory: what `ask`, `digest` and every room that asks a model need."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from prometheus_client import CollectorRegistry

from catalyst.app.build.cache import answer_cache
from catalyst.app.settings import Settings
from catalyst.clock import SystemClock
from catalyst.http import Http
from catalyst.llm import LLMService
from catalyst.tracing import NO_TRACER, Tracer


@contextlib.asynccontextmanager
async def hub(
    settings: Settings,
    data_dir: Path,
    registry: CollectorRegistry | None = None,
    *,
    lasting: bool | None = None,
    tracer: Tracer = NO_TRACER,
) -> AsyncIterator[LLMService | None]:
    """The hub over `data_dir`/hub.db, or None where models are switched off or no provider is configured.

    It runs on the machine's clock, in a replay too: money that is spent today counts today. `lasting` says that the
    process lives long enough to load the cache's embedder; unset, whatever has a registry does.
    """
    if not settings.app.use_models:
        yield None
        return
    clock = SystemClock()
    lasting = registry is not None if lasting is None else lasting
    cache = answer_cache(settings.hub, clock, data_dir, registry, nearest=lasting)
    async with (
        Http(clock) as http,
        LLMService.from_settings(
            settings.hub, http, clock, data_dir, registry=registry, cache=cache, tracer=tracer
        ) as llm,
    ):
        yield llm if llm.is_available() else None
