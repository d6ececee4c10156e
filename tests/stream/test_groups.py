"""Consumer groups in Redis: from the beginning, each record to one worker, none lost, the poisonous ones set aside."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from catalyst.stream.groups import Group
from tests.contracts.log import alert
from tests.fakes.redis import RedisServer
from tests.fakes.redis import redis_server as redis_server
from tests.stream.redis_logs import RedisLogs


@pytest.fixture
async def logs(redis_server: RedisServer, tmp_path: Path):
    made = RedisLogs(redis_server, tmp_path)
    yield made
    await made.close()


async def test_a_group_made_late_begins_at_the_beginning_and_shares_the_work(logs: RedisLogs):
    log, link = await logs.open(), logs.link()
    await log.append([alert(n) for n in range(1, 7)])
    first, second = Group(link, "digest", "one"), Group(link, "digest", "two")
    await first.open()
    await second.open()
    mine, yours = await first.read(2), await second.read(10, block_seconds=0)
    assert [record.offset for record in (*mine, *yours)] == [1, 2, 3, 4, 5, 6]
    assert mine == await log.read(0, 2)
    assert await first.read(10, block_seconds=0) == []
    waiting = asyncio.ensure_future(first.read(10, block_seconds=5))
    await asyncio.sleep(0.05)
    await log.append([alert(7)])
    assert [record.offset for record in await waiting] == [7]
    await link.close()


async def test_what_a_worker_left_undone_goes_to_another_and_at_last_to_the_dead_letters(logs: RedisLogs):
    log, link = await logs.open(), logs.link()
    await log.append([alert(1), alert(2)])
    one = Group(link, "digest", "one", idle_seconds=0, tries=3)
    two = Group(link, "digest", "two", idle_seconds=0, tries=3)
    await one.open()
    assert [record.offset for record in await one.read()] == [1, 2]
    await one.acknowledge([2])
    for worker in (two, one):
        assert [record.offset for record in await worker.read(block_seconds=0)] == [1]
    assert await two.read(block_seconds=0) == []
    assert await two.dead() == [1]
    await link.close()


async def test_trimming_waits_for_a_lagging_group(logs: RedisLogs):
    log, link = await logs.open(), logs.link()
    await log.append([alert(n) for n in range(1, 11)])
    group = Group(link, "digest", "one")
    await group.open()
    assert await log.retain(count=2) == 0, "the group has read nothing yet"
    await group.read(6)
    assert await log.retain(count=2) == 0, "nothing is acknowledged"
    await group.acknowledge([1, 2, 4])
    assert await log.retain(count=2) == 2, "3 is not done"
    await group.acknowledge([3, 5, 6])
    assert await log.retain(count=2) == 4
    assert [record.offset for record in await group.read(10)] == [7, 8, 9, 10]
    await link.close()
