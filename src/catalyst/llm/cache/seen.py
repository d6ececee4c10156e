"""One request's visit of the cache (`ladder.py`): what was found, and where its answer goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalyst.llm.cache.flight import Seat
from catalyst.llm.cache.sought import Sought
from catalyst.llm.cache_seam import CacheHit, Visit
from catalyst.llm.types import LLMResponse

if TYPE_CHECKING:
    from catalyst.llm.cache.ladder import LadderCache


class Seen(Visit):
    """A visit of this cache."""

    def __init__(
        self, cache: LadderCache, sought: Sought, *, hit: CacheHit | None = None, seat: Seat | None = None
    ) -> None:
        self.hit = hit
        self.key = hit.key if hit is not None else sought.plan.key.hex()
        self._cache = cache
        self._sought = sought
        self._seat = seat
        self._keeping = False

    async def keep(self, response: LLMResponse) -> None:
        """See `Visit`. The answer waits for it only where many are behind; who asks the same does, and has a hit."""
        self._keeping = True
        await self._cache.begin_keep(self._keep(response))

    async def _keep(self, response: LLMResponse) -> None:
        try:
            await self._cache.keep(self._sought, response)
        finally:
            self._cache.leave(self._seat)

    def leave(self) -> None:
        """See `Visit`."""
        if not self._keeping:
            self._cache.leave(self._seat)
