"""Watchlists that several processes share: any may replace one, and all hear of it within a second."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import orjson

from catalyst.errors import Unavailable
from catalyst.filings.watchlist import Watchlist
from catalyst.stream.redis_link import Link

FOLLOW_SECONDS = 1.0

_REPLACE = """
local lists = ARGV[1] .. ':watchlists'
if ARGV[3] == '[]' then redis.call('HDEL', lists, ARGV[2]) else redis.call('HSET', lists, ARGV[2], ARGV[3]) end
return redis.call('INCR', lists .. ':version')
"""


class RedisLists:
    """One hash of owners."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._seen: bytes | None = None

    async def all(self) -> Mapping[str, tuple[str, ...]]:
        found = await self._link.call("HGETALL", f"{self._link.prefix}:watchlists")
        return {owner.decode(): tuple(orjson.loads(tickers)) for owner, tickers in found.items()}

    async def replace(self, owner: str, tickers: Sequence[str]) -> None:
        await self._link.run(_REPLACE, owner, orjson.dumps(list(tickers)))

    async def follow(self, watchlist: Watchlist) -> None:
        """Load `watchlist` again whenever any process changed a list, until cancelled."""
        while True:
            try:
                version = await self._link.call("GET", f"{self._link.prefix}:watchlists:version") or b"0"
                if version != self._seen:
                    await watchlist.load()
                    self._seen = version
            except Unavailable:
                pass  # the lists in memory serve; the log's own follower says what is wrong
            await asyncio.sleep(FOLLOW_SECONDS)
