"""What is kept, and the seam of whoever keeps it: `Kept`, `Pair`, and the `CacheStore` Protocol.

Every store passes `tests/contracts/cache.py`. Times are Unix seconds of the caller's clock, money nano-dollars.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from catalyst.llm.cache.trust import Trust

MOST_ENTRIES = 100_000
"""Answers of one tenant; past it, the least valuable go."""

HALF_LIFE = 6 * 3600.0
"""An answer that saves twice as much is worth as much as one used so many seconds later."""

MOST_PAIRS = 10_000
"""Pairs of questions that are remembered for `catalyst cache audit`."""

Outcome = Literal["served", "refused", "agreed", "disagreed", "unclear"]


@dataclass(frozen=True, slots=True)
class Kept:
    """One answer and what it answers."""

    key: bytes
    tenant: str
    feature: str
    template: bytes
    question: str
    day: str
    """ISO date on which it was asked: relative times count from it."""
    answer: bytes
    """The response as JSON."""
    saved: int
    created: float
    expires: float
    canon: bytes | None = None
    documents: tuple[bytes, ...] = ()
    trust: Trust = field(default_factory=Trust)
    id: int = 0
    """Given by the store."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two questions, and what became of answering one with the other's answer."""

    at: float
    tenant: str
    level: str
    outcome: Outcome
    similarity: float
    asked: str
    kept: str
    reason: str


@dataclass(frozen=True, slots=True)
class Vector:
    """Where an entry lies in the index."""

    id: int
    bucket: bytes
    steps: bytes


class CacheStore(Protocol):
    """Answers by key, canonical hash and id; tombstones, strikes, figures. Errors are StorageError."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def by_key(self, key: bytes) -> Kept | None:
        """The entry, expired or not."""
        ...

    async def by_canon(self, canon: bytes) -> Kept | None:
        """The latest entry of this canonical question."""
        ...

    async def by_ids(self, ids: Sequence[int]) -> dict[int, Kept]:
        """Those of `ids` that still stand."""
        ...

    async def keep(self, entry: Kept) -> int | None:
        """Store over what the key held; its id, or None where a tombstone forbids it."""
        ...

    async def place(self, key: bytes, vector: Vector) -> None:
        """Store where the entry `vector.id` lies, for every process's index; nothing where it is gone."""
        ...

    async def vectors(self, after: str, limit: int) -> tuple[list[Vector], str]:
        """Vectors placed since `after` ("" is the beginning), and where the next reading begins."""
        ...

    async def ids(self) -> set[int] | None:
        """Every id that has a vector, at least; None where the store cannot say."""
        ...

    async def generation(self) -> str:
        """Changes when the store was made anew: no index of an older one fits."""
        ...

    async def used(self, hits: Mapping[bytes, int], now: float) -> None:
        """Note hits by key, for eviction."""
        ...

    async def compared(self, key: bytes, agreed: bool) -> None:
        """Count one comparison towards the entry's trust."""
        ...

    async def reject(self, key: bytes, now: float, until: float) -> Kept | None:
        """Remove the entry and forbid its key until then; what stood there."""
        ...

    async def forget(self, document: bytes) -> int:
        """Remove every answer that was drawn from this document; how many."""
        ...

    async def clear(self, tenant: str | None = None) -> int:
        """Remove every answer of a tenant, or all with strikes and tombstones; how many."""
        ...

    async def sweep(self, now: float) -> int:
        """Remove what expired before `now`; how many."""
        ...

    async def strike(self, template: bytes) -> int:
        """Count a wrong answer against a template; its strikes now."""
        ...

    async def strikes(self, template: bytes) -> int: ...

    async def note(self, pair: Pair) -> None:
        """Remember a pair, and count its level and outcome."""
        ...

    async def pairs(self, limit: int) -> list[Pair]:
        """The latest first."""
        ...

    async def figures(self) -> dict[str, int]:
        """`entries`, `tombstones`, `struck` (templates with two strikes), and `LEVEL.OUTCOME` counts of pairs."""
        ...

    async def lease(self, key: bytes, seconds: float) -> str | None:
        """A token for whoever may compute the answer now; None while another process has it."""
        ...

    async def release(self, key: bytes, token: str) -> None:
        """End a lease that is still ours."""
        ...


def value(saved: int, used: float) -> float:
    """What eviction sorts by: when it was last used, later by `HALF_LIFE` for each doubling of what it saves."""
    return used + HALF_LIFE * max(0, saved).bit_length()
