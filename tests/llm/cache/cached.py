"""What the cache's tests share: a hub with a cache over the fake vendors, a reader and an embedder of few words."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from catalyst.clock import Clock, SystemClock
from catalyst.companies.aliases import Aliases
from catalyst.companies.map import Companies
from catalyst.llm.cache.kept import CacheStore
from catalyst.llm.cache.ladder import CacheSettings, LadderCache
from catalyst.llm.cache.meaning import Question, Reader, Verdict, compare
from catalyst.llm.cache.near import Near
from catalyst.llm.cache.sqlite import SqliteCache
from catalyst.llm.cache.tally import Tally
from catalyst.llm.service import LLMService
from tests.llm.hub import hub_of, settings_of


class Words:
    """An embedder by hashed words: texts with the same words are near. For tests of everything but meaning."""

    dimensions = 64
    version = "words-1"

    def embed(self, text: str) -> npt.NDArray[np.float32] | None:
        words = re.findall(r"\w+", text.casefold())
        if not words or len(words) > 200:
            return None
        found = np.zeros(self.dimensions, np.float32)
        for word in words:
            found[sum(word.encode()) * 31 % self.dimensions] += 1.0
        length = float(np.linalg.norm(found))
        return found / np.float32(length)


class Missing:
    """Stands for an embedder whose package is not installed."""

    def __call__(self) -> Any:
        from catalyst.errors import NotSupported

        raise NotSupported("questions match by text only: the package is missing")


def reader() -> Reader:
    return Reader(Aliases.build(Companies.load()))


def cache_of(
    folder: Path,
    clock: Clock | None = None,
    *,
    store: CacheStore | None = None,
    load: Callable[[], Any] | None = Words,
    random: Callable[[], float] = lambda: 1.0,
    flat: int = 20_000,
    judge: Callable[[Question, Question], Verdict] = compare,
    **settings: Any,
) -> LadderCache:
    """A cache in `folder`; audits never happen unless `random` says so."""
    clock = clock or SystemClock()
    store = store or SqliteCache(folder / "cache.db")
    near = Near(store, clock, load, folder / "cache-index", flat=flat)
    return LadderCache(store, near, reader, clock, CacheSettings(**settings), Tally(), random=random, judge=judge)


@contextlib.asynccontextmanager
async def cached_hub(
    wire: Any, folder: Path, clock: Clock | None = None, *, names: dict[str, str] | None = None, **options: Any
) -> AsyncIterator[tuple[LLMService, LadderCache]]:
    """A hub with a cache; both are closed afterwards."""
    cache = cache_of(folder, clock, **options)
    async with hub_of(settings_of(wire, folder, **(names or {})), folder, clock, cache=cache) as hub:
        yield hub, cache


async def warm(cache: LadderCache) -> None:
    """The index is loaded, and all that was kept is in it."""
    cache._near.wake()
    await cache.settled()
