"""A consumer group on the log in Redis: several workers share the records, each is done by one of them, none is lost.

For parts of our own that read Redis directly; clients use the WebSocket. A record that its worker never acknowledged
goes to another one after `idle_seconds`, and after `tries` deliveries to the dead letters, where it waits for a person.
Retention never passes the oldest record that a group has not acknowledged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog

from catalyst.errors import Unavailable
from catalyst.stream.journal import Entry
from catalyst.stream.redis_link import Link
from catalyst.stream.redis_records import entries, epoch_of, record_of
from catalyst.stream.types import Record

CLAIM = """
local log, group, worker, idle, limit = ARGV[1] .. ':log', ARGV[2], ARGV[3], ARGV[4], ARGV[6]
local dead = ARGV[1] .. ':dead:' .. group
local buried = {}
for _, left in ipairs(redis.call('XPENDING', log, group, 'IDLE', idle, '-', '+', limit)) do
  if left[4] >= tonumber(ARGV[5]) then
    local entry = redis.call('XRANGE', log, left[1], left[1])[1]
    if entry then
      redis.call('XADD', dead, 'MAXLEN', '~', 10000, '*', 'offset', left[1], 'tries', left[4], unpack(entry[2]))
    end
    redis.call('XACK', log, group, left[1])
    buried[#buried + 1] = left[1]
  end
end
return {buried, redis.call('XAUTOCLAIM', log, group, worker, idle, '0-0', 'COUNT', limit)[2]}
"""
"""What others left undone: to the dead letters when it was given out too often, else to this worker."""

log = structlog.get_logger()


class Group:
    """One worker of group `name`. Read, do the work, `acknowledge`."""

    def __init__(self, link: Link, name: str, worker: str, *, idle_seconds: float = 60.0, tries: int = 5) -> None:
        self._link = link
        self._stream = f"{link.prefix}:log"
        self._name = name
        self._worker = worker
        self._idle_ms = int(idle_seconds * 1000)
        self._tries = tries

    async def open(self) -> None:
        """Create the group where it is missing. It begins at the log's beginning, not at what comes next."""
        try:
            await self._link.call("XGROUP", "CREATE", self._stream, self._name, "0", "MKSTREAM")
        except Unavailable as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def read(self, limit: int = 100, block_seconds: float = 1.0) -> list[Record]:
        """What another worker left undone, else what nobody was given yet; empty when there is nothing in time."""
        left = await self._left_undone(limit)
        if left:
            return left
        wait: tuple[Any, ...] = ("BLOCK", int(block_seconds * 1000)) if block_seconds > 0 else ()
        found = await self._link.call(
            "XREADGROUP", "GROUP", self._name, self._worker, "COUNT", limit, *wait, "STREAMS", self._stream, ">"
        )
        return _records(entries(found[0][1])) if found else []

    async def acknowledge(self, offsets: Sequence[int]) -> None:
        """These are done, for good."""
        if offsets:
            await self._link.call("XACK", self._stream, self._name, *(f"{offset}-0" for offset in offsets))

    async def dead(self) -> list[int]:
        """Offsets of the dead letters, oldest first."""
        found = await self._link.call("XRANGE", f"{self._link.prefix}:dead:{self._name}", "-", "+")
        return [int(fields[b"offset"].partition(b"-")[0]) for _, fields in found]

    async def _left_undone(self, limit: int) -> list[Record]:
        buried, claimed = await self._link.run(CLAIM, self._name, self._worker, self._idle_ms, self._tries, limit)
        for number in buried:
            log.error("stream.dead_letter", group=self._name, offset=number.decode(), tries=self._tries)
        return _records(entries(claimed))


def _records(found: Sequence[Entry]) -> list[Record]:
    return [record_of(entry, epoch_of(entry)) for entry in found]
