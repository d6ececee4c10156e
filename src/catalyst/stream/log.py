"""The durable log's seam: dense offsets from 1, one epoch, a unique key per alert.

Backends: `stream/sqlite.py` (default); Redis Streams follows. All pass `tests/contracts/log.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from catalyst.stream.types import Alert, Record


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
        """Return the head as soon as it is greater than `after`; cancel to stop waiting."""
        ...
