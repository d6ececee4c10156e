"""The ledger in Redis keeps the same contract as SQLite's, and refuses a writer that lost the lease."""

from __future__ import annotations

import pytest

from catalyst.errors import Behind, Fenced
from catalyst.filings.ledger import Mark, Stage
from catalyst.filings.ledger_redis import RedisAccessionLedger
from catalyst.stream.redis_link import Fence, Link
from tests.contracts.ledger import SEEN, LedgerContract, rank, rows
from tests.fakes.redis import RedisServer
from tests.fakes.redis import redis_server as redis_server
from tests.filings.rig import acc, entry

PREFIX = "catalyst:{test}"


class RedisLedgers:
    """One Redis, opened as often as the test likes."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._links: list[Link] = []

    async def open(self, fence: Fence | None = None) -> RedisAccessionLedger:
        self._links.append(Link(self._server.url, PREFIX))
        return RedisAccessionLedger(self._links[-1], fence or Fence(), rank)

    async def raw(self, *command: str) -> None:
        await self._links[0].call(*command)

    async def close(self) -> None:
        while self._links:
            await self._links.pop().close()


@pytest.fixture
async def ledgers(redis_server: RedisServer):
    made = RedisLedgers(redis_server)
    yield made
    await made.close()


class TestRedisAccessionLedger(LedgerContract):
    """One line joins the contract."""


async def test_a_writer_that_lost_the_lease_changes_nothing(ledgers: RedisLedgers):
    ledger = await ledgers.open(Fence(token=1))
    await ledgers.raw("HSET", f"{PREFIX}:meta", "fence", "1")
    await ledger.see(rows(entry(1, "8-K", "10:00:00")), SEEN)
    await ledgers.raw("HSET", f"{PREFIX}:meta", "fence", "2")
    with pytest.raises(Fenced):
        await ledger.see(rows(entry(2, "8-K", "10:00:00")), SEEN)
    with pytest.raises(Fenced):
        await ledger.mark(Mark(acc(1), Stage.FINAL))
    reader = await ledgers.open()
    assert (await reader.count())["pending"] == 1
    assert await reader.get(acc(2)) is None


async def test_a_writer_is_told_when_redis_lost_what_it_had_marked(ledgers: RedisLedgers):
    ledger = await ledgers.open()
    await ledger.see(rows(entry(1, "8-K", "10:00:00")), SEEN)
    await ledgers.raw("HINCRBY", f"{PREFIX}:meta", "writes", "-1")
    with pytest.raises(Behind):
        await ledger.mark(Mark(acc(1), Stage.FINAL))
