"""Follow the stream as any process does: by the last id read, never `$`, so that nothing between two reads is missed.

`Follower.run` fills a `Tail`. It also notices that the log's epoch changed, which it tells whoever waits, and that
Redis is away, which `problem` says.
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from catalyst.errors import Unavailable
from catalyst.stream.redis_link import Link
from catalyst.stream.redis_records import entries, epoch_of, record_of
from catalyst.stream.tail import Tail

BLOCK_MS = 1000
"""After so long without a record the epoch is looked at."""

MOST = 500
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.05, 1.0

log = structlog.get_logger()


class Follower:
    """One process' view of the log's end. `link` is its own: it waits in Redis most of the time."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._stream = f"{link.prefix}:log"
        self.tail = Tail()
        self.epoch = ""
        self.problem = "the stream has not been read yet"
        self.started = asyncio.Event()
        """Set once the epoch and the head are known."""

    async def run(self) -> None:
        """Until cancelled. Never fails: what breaks is tried again."""
        wait = _FIRST_WAIT_S
        while True:
            try:
                await self._look()
                wait = _FIRST_WAIT_S
                while True:
                    await self._read()
            except Unavailable as error:
                if not self.problem:
                    log.warning("stream.redis.away", error=str(error))
                self.problem = str(error)
                await asyncio.sleep(wait)
                wait = min(_LONGEST_WAIT_S, wait * 2)

    async def _look(self) -> None:
        """Whether this is still the log that we follow."""
        epoch, head = await self._link.call("HMGET", f"{self._link.prefix}:meta", "epoch", "head")
        if epoch is not None:
            self.know(epoch.decode(), int(head or 0))
        elif self.epoch:
            self.problem = "Redis holds no log: it was emptied, and waits for the process that watches"
        if epoch is not None and self.problem:
            log.info("stream.redis.back", head=int(head or 0))
            self.problem = ""

    def know(self, epoch: str, head: int) -> None:
        """Follow `epoch` from `head` on, unless that is what we follow already."""
        if epoch == self.epoch:
            return
        changed, self.epoch = bool(self.epoch), epoch
        if changed:
            log.warning("stream.epoch.changed", epoch=epoch, head=head)
        self.tail.restart(head, changed=changed)
        self.problem = ""
        self.started.set()

    async def _read(self) -> None:
        last = f"{self.tail.head}-0"
        found = await self._link.call("XREAD", "COUNT", MOST, "BLOCK", BLOCK_MS, "STREAMS", self._stream, last)
        fresh = entries(_rows(found))
        if not fresh or epoch_of(fresh[-1]) != self.epoch:
            await self._look()
        if fresh and fresh[0].offset == self.tail.head + 1:
            self.tail.extend([record_of(entry, self.epoch) for entry in fresh])
        elif fresh and fresh[0].offset > self.tail.head:
            # Trimmed while we were away: whoever waits is to start over, not to step over the hole.
            self.tail.restart(fresh[0].offset - 1, changed=True)


def _rows(found: Any) -> list[Any]:
    """The rows of the one stream that was asked for."""
    return list(found[0][1]) if found else []
