"""The durable log's seam: dense offsets from 1, one epoch, a unique key per alert.

Backends: `stream/sqlite.py` (default) and `stream/redis.py` (where REDIS_URL is set). Both pass
`tests/contracts/log.py`. `Log` is what the pipeline and the fan-out need, `Archive` what REST and retention need
beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from catalyst.errors import StorageError
from catalyst.stream.filters import Filter
from catalyst.stream.types import Alert, Record


class EpochChanged(StorageError):
    """The log was lost in part, or another one stands in its place: positions from before mean nothing."""


class Log(Protocol):
    """Append-only, ordered, durable. Offsets are dense (no holes) and never reused within an epoch."""

    @property
    def epoch(self) -> str:
        """Names this log's numbering; a new one means that old offsets mean nothing."""
        ...

    async def append(self, batch: Sequence[Alert]) -> list[int]:
        """Store all, durably, and return their offsets in order.

        An alert whose `key` is already there is not stored again: its old offset is returned.
        """
        ...

    async def read(self, after: int, limit: int) -> list[Record]:
        """At most `limit` records with offset > `after`, in order, with no hole."""
        ...

    async def bounds(self) -> tuple[int, int]:
        """(oldest, head) offsets still held; (1, 0) when the log is empty and new."""
        ...

    async def wait(self, after: int) -> int:
        """Return the head as soon as it is greater than `after`; cancel to stop waiting. Raises EpochChanged."""
        ...


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended. `as_of` is the head when the first page was read: later messages don't move the pages."""

    before: int
    as_of: int


@dataclass(frozen=True, slots=True)
class Query:
    """Which filings, newest message first, one row a filing. Empty means no constraint."""

    limit: int = 50
    ticker: str = ""
    form: str = ""
    min_priority: float = 0.0
    since_ns: int = 0
    """POSIX nanoseconds at commit."""
    cursor: Cursor | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Records of a query; `next` is None when there are no more."""

    records: tuple[Record, ...]
    next: Cursor | None = None


class Archive(Log, Protocol):
    """A log that answers questions about its past and forgets what is old."""

    async def query(self, query: Query) -> Page:
        """Each filing's newest message, newest first."""
        ...

    async def filing(self, filing_id: str) -> list[Record]:
        """Every message of one filing that is still held, oldest first."""
        ...

    async def last_match(self, wanted: Filter, at: int) -> int:
        """The last offset <= `at` that `wanted` matches; 0 when none that is held does."""
        ...

    async def commit(self, consumer: str, offset: int) -> None:
        """Record, durably, that `consumer` is done with everything up to `offset`; it never moves back."""
        ...

    async def positions(self) -> dict[str, int]:
        """Every consumer's position."""
        ...

    async def forget(self, consumer: str) -> None:
        """Drop a consumer, so that retention no longer waits for it."""
        ...

    async def retain(self, *, seconds: float | None = None, count: int | None = None) -> int:
        """Delete what is older than `seconds` or beyond the newest `count`; return how many went.

        Never deletes beyond the smallest consumer position, and never the newest record.
        """
        ...
