"""Redis logs of a test: several processes' worth over one server."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from catalyst.db import Database
from catalyst.stream.journal import Journal
from catalyst.stream.redis import RedisLog
from catalyst.stream.redis_link import Fence, Link
from tests.fakes.redis import RedisServer

PREFIX = "catalyst:{test}"


class RedisLogs:
    """`open` as often as the test likes; each `machine` has its own journal."""

    def __init__(self, server: RedisServer, folder: Path) -> None:
        self.server = server
        self._folder = folder
        self._opened: list[tuple[RedisLog, Database]] = []
        self.time_ns: Callable[[], int] = time.time_ns

    def link(self, retries: int = 4) -> Link:
        return Link(self.server.url, PREFIX, retries=retries)

    async def open(self, machine: str = "a", *, fence: Fence | None = None, begin: bool = True) -> RedisLog:
        database = Database(self._folder / f"{machine}.db", synchronous="NORMAL")
        links = (self.link(), self.link(1), self.link())
        log = RedisLog(*links, Journal(database), fence, time_ns=lambda: self.time_ns())
        self._opened.append((log, database))
        await log.open()
        if begin:
            if fence is None:
                found = await log._writer.call("HGET", f"{PREFIX}:meta", "writes")
                log.fence.heard(int(found or 0))
            await log.begin()
        return log

    async def close(self) -> None:
        while self._opened:
            log, database = self._opened.pop()
            await log.close()
            database.close()
