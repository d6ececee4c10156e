"""The answer cache over a data directory, or over Redis where several processes share it."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

from catalyst.clock import Clock
from catalyst.llm.settings import HubSettings

if TYPE_CHECKING:
    from catalyst.llm.cache.embedder import Embedder
    from catalyst.llm.cache.kept import CacheStore
    from catalyst.llm.cache.ladder import LadderCache
    from catalyst.llm.cache.meaning import Reader

REDIS_SECONDS = 1.0
"""The longest that Redis may take for a look; a cache that is slower is no help."""


def answer_cache(
    settings: HubSettings,
    clock: Clock,
    data_dir: Path,
    registry: CollectorRegistry | None = None,
    *,
    nearest: bool = True,
) -> LadderCache | None:
    """The cache, nothing opened yet; None where LLM_CACHE_ENABLED is off.

    `nearest` is off for commands that end before an embedder would be of use: they match exact and canonical text.
    """
    if not settings.cache_enabled:
        return None
    from catalyst.llm.cache.ladder import CacheSettings, LadderCache
    from catalyst.llm.cache.near import Near
    from catalyst.llm.cache.tally import Tally

    store = cache_store(settings, data_dir)
    near = Near(store, clock, _embedder if nearest else None, data_dir / "cache-index")
    rules = CacheSettings(
        settings.cache_ttl_seconds, settings.cache_stale_seconds, settings.cache_similarity, zone=settings.zone
    )
    return LadderCache(store, near, _reader(data_dir), clock, rules, Tally(registry), random=random.Random().random)


def cache_store(settings: HubSettings, data_dir: Path) -> CacheStore:
    """Where answers are kept: Redis where REDIS_URL is set, else `data_dir`/cache.db."""
    if not settings.redis_url:
        from catalyst.llm.cache.sqlite import SqliteCache

        return SqliteCache(data_dir / "cache.db")
    from redis.asyncio import Redis

    from catalyst.llm.cache.redis import RedisCache

    redis: Any = Redis.from_url(
        settings.redis_url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS, max_connections=64
    )
    return RedisCache(redis, stale=settings.cache_stale_seconds)


def _embedder() -> Embedder:
    from catalyst.llm.cache.embedder import load
    from catalyst.llm.cache.prepare import cache_folder

    return load(cache_folder(os.environ))


def _reader(data_dir: Path) -> Callable[[], Reader]:
    """Reads questions with the newest list of companies that a source under `data_dir` fetched, or the shipped one."""

    def make() -> Reader:
        from catalyst.companies.aliases import Aliases
        from catalyst.companies.map import Companies
        from catalyst.llm.cache.meaning import Reader

        lists = [*data_dir.glob("companies.json"), *data_dir.glob("*/companies.json")]
        newest = max(lists, key=lambda path: path.stat().st_mtime, default=None)
        return Reader(Aliases.build(Companies.load(newest)))

    return make
