"""The newest records in memory, and those who wait for the next: a commit wakes them without touching the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from catalyst.stream.log import EpochChanged
from catalyst.stream.types import Record


class Tail:
    """A contiguous run of records that ends at the newest one seen; bounded in count and bytes."""

    def __init__(self, head: int = 0, max_records: int = 4096, max_bytes: int = 8 << 20) -> None:
        self.head = head
        self._records: list[Record] = []
        self._bytes = 0
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._waiting: set[asyncio.Future[None]] = set()

    def extend(self, records: Iterable[Record]) -> None:
        """Take committed records, in order, and wake the waiters."""
        for record in records:
            self._push(record)
        if len(self._records) > self._max_records or self._bytes > self._max_bytes:
            self._shrink()
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    def restart(self, head: int, *, changed: bool) -> None:
        """Go on behind `head`. Where the log is another one than before (`changed`), whoever waits is told."""
        self.head = head
        self._records.clear()
        self._bytes = 0
        for waiter in self._waiting:
            if not waiter.done():
                if changed:
                    waiter.set_exception(EpochChanged("the log goes on under other numbers: start from its head"))
                else:
                    waiter.set_result(None)
        self._waiting.clear()

    def read(self, after: int, limit: int) -> list[Record] | None:
        """Records after `after`, or None when some of them are no longer here."""
        if after >= self.head:
            return []
        if not self._records or self._records[0].offset > after + 1:
            return None
        start = after + 1 - self._records[0].offset
        return self._records[start : start + limit]

    async def wait(self, after: int) -> int:
        """Return the head once it is greater than `after`. Raises EpochChanged."""
        while self.head <= after:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.add(waiter)
            try:
                await waiter
            finally:
                self._waiting.discard(waiter)
        return self.head

    def _push(self, record: Record) -> None:
        if record.offset <= self.head:
            return  # a later commit was heard of first; this one is read from the disk
        if record.offset != self.head + 1:
            self._records.clear()
            self._bytes = 0
        self._records.append(record)
        self._bytes += len(record.body)
        self.head = record.offset

    def _shrink(self) -> None:
        """Drop the older part at once, so that the cost is spread over many records."""
        while len(self._records) > self._max_records * 3 // 4 or self._bytes > self._max_bytes * 3 // 4:
            dropped = self._records[: max(1, len(self._records) // 4)]
            self._bytes -= sum(len(record.body) for record in dropped)
            del self._records[: len(dropped)]
