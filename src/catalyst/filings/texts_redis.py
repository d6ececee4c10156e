"""Texts in a shared Redis, which forgets each by itself when its alert goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from catalyst.filings.texts import Text
from catalyst.stream.redis_link import Link


class RedisTexts:
    """One string for each filing. `seconds` is how long alerts are kept."""

    def __init__(self, link: Link, seconds: float) -> None:
        self._link = link
        self._seconds = int(seconds)

    async def keep(self, accession: str, text: Text) -> None:
        await self._link.call("SET", self._name(accession), text.packed(), "EX", self._seconds)

    async def get(self, accession: str) -> Text | None:
        body = await self._link.call("GET", self._name(accession))
        return Text.unpacked(body) if body else None

    async def trim(self, held: Callable[[str], Awaitable[bool]]) -> int:
        """Nothing to do here."""
        return 0

    def _name(self, accession: str) -> str:
        return f"{self._link.prefix}:text:{accession}"
