"""What the Redis log does when Redis forgets, restarts, or another process takes over."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest

from catalyst.db import Database
from catalyst.errors import Behind, Fenced, Unavailable
from catalyst.stream.journal import Journal
from catalyst.stream.lease import Lease
from catalyst.stream.log import EpochChanged, Query
from catalyst.stream.redis_link import Fence
from catalyst.stream.redis_opening import Server, State, server, verdict, warning
from tests.contracts.log import alert
from tests.fakes.redis import RedisServer
from tests.fakes.redis import redis_server as redis_server
from tests.stream.redis_logs import RedisLogs


@pytest.fixture
async def logs(redis_server: RedisServer, tmp_path: Path):
    made = RedisLogs(redis_server, tmp_path)
    yield made
    await made.close()


async def test_a_second_process_reads_what_the_first_appends(logs: RedisLogs):
    writer, reader = await logs.open("a"), await logs.open("b", begin=False)
    await reader.started()
    waiting = asyncio.ensure_future(reader.wait(0))
    await writer.append([alert(1), alert(2)])
    assert await asyncio.wait_for(waiting, 5) in (1, 2)
    assert reader.epoch == writer.epoch
    assert await asyncio.wait_for(reader.wait(1), 5) == 2
    assert await reader.read(0, 10) == await writer.read(0, 10)


async def test_a_lost_tail_is_put_back_under_the_same_offsets(logs: RedisLogs):
    writer, reader = await logs.open("a"), await logs.open("b", begin=False)
    await writer.append([alert(1), alert(2, score=0.9)])
    copy = logs.server.copy()
    await writer.append([alert(3), alert(2, score=0.1, version=2)])
    before = await writer.read(0, 10)
    assert await reader.wait(3) == 4
    logs.server.stop()
    logs.server.start(copy=copy)
    with pytest.raises(Behind):
        await writer.append([alert(4)])
    epoch = writer.epoch
    writer.fence.writes = 0  # as a lease that is taken anew learns it
    await writer.begin()
    assert writer.epoch == epoch
    assert await writer.append([alert(3), alert(4)]) == [3, 5]
    assert await reader.wait(4) == 5
    again = await logs.open("c", begin=False)
    await again.started()
    assert (await again.read(0, 10))[:4] == before
    assert [record.offset for record in (await again.query(Query())).records] == [5, 4, 3, 1]
    assert (await again.filing(alert(2).filing_id))[1].earlier == ((("ACME",), 0.9),)


async def test_a_tail_that_nobody_can_put_back_changes_the_epoch_and_whoever_waits_is_told(logs: RedisLogs):
    first, reader = await logs.open("a"), await logs.open("b", begin=False)
    await first.append([alert(1)])
    copy, epoch = logs.server.copy(), first.epoch
    await first.append([alert(2)])
    assert await reader.wait(1) == 2
    waiting = asyncio.ensure_future(reader.wait(2))
    await first.close()
    logs.server.stop()
    logs.server.start(copy=copy)
    await reader.begin()  # another machine takes over: it has seen offset 2, but does not have it in its journal
    assert reader.epoch != epoch
    with pytest.raises(EpochChanged):
        await asyncio.wait_for(waiting, 5)
    reader.fence.writes = 0
    assert await reader.append([alert(9)]) == [2]
    bodies = [orjson.loads(record.body) for record in await reader.read(0, 10)]
    assert {body["epoch"] for body in bodies} == {reader.epoch}, "old records are read under the new numbering"


async def test_a_restart_that_loses_nothing_changes_no_epoch(logs: RedisLogs):
    first = await logs.open("a")
    await first.append([alert(1)])
    logs.server.stop()
    logs.server.start()
    other = await logs.open("b")
    assert other.epoch == first.epoch, "each write was synced: nothing can be missing"
    assert await other.append([alert(2)]) == [2]


async def test_an_emptied_redis_is_another_log(logs: RedisLogs):
    log = await logs.open("a")
    await log.append([alert(1), alert(2)])
    epoch = log.epoch
    logs.server.stop()
    logs.server.start(empty=True)
    with pytest.raises(Behind):
        await log.append([alert(3)])
    log.fence.writes = 0
    await log.begin()
    assert log.epoch != epoch
    assert await log.append([alert(3)]) == [1]
    assert [record.filing_id for record in await log.read(0, 10)] == [alert(3).filing_id]


SYNCED, LAZY = Server("run2", True, ""), Server("run2", False, "")


@pytest.mark.parametrize(
    ("state", "now", "seen", "told"),
    [
        (State("e", 10, "run2", "us", False), LAZY, 10, "whole"),
        (State("e", 8, "run1", "us", False), LAZY, 10, "refill"),
        (State("e", 8, "run2", "us", True), SYNCED, 0, "refill"),
        (State("e", 8, "run1", "us", False), LAZY, 11, "renew"),
        (State("e", 10, "run1", "us", False), LAZY, 0, "whole"),
        (State("e", 10, "run1", "them", False), LAZY, 0, "renew"),
        (State("e", 10, "run1", "them", True), LAZY, 0, "renew"),
        (State("e", 10, "run1", "them", True), SYNCED, 10, "whole"),
        (State("e", 10, "run1", "them", True), SYNCED, 11, "renew"),
        (State("e", 10, "run2", "them", False), LAZY, 10, "whole"),
        (State("other", 8, "run1", "us", False), LAZY, 0, "renew"),
    ],
)
async def test_who_may_go_on_and_who_must_begin_anew(tmp_path: Path, state: State, now: Server, seen: int, told: str):
    database = Database(tmp_path / "j.db")
    journal = Journal(database)
    journal.name, journal.epoch, journal.head = "us", "e", 10
    database.close()
    assert verdict(state, now, journal, seen) == told


async def test_settings_that_may_lose_something_are_said(logs: RedisLogs):
    link = logs.link()
    assert warning(await server(link)) == ""
    await link.call("CONFIG", "SET", "appendfsync", "everysec")
    assert "appendonly yes, appendfsync everysec" in warning(await server(link))
    await link.close()


async def test_appends_wait_out_a_short_absence_and_say_so_in_a_long_one(logs: RedisLogs):
    log = await logs.open("a")
    await log.append([alert(1)])
    logs.server.stop()
    appending = asyncio.ensure_future(log.append([alert(2)]))
    await asyncio.sleep(0.1)
    logs.server.start()
    assert await appending == [2]
    logs.server.stop()
    with pytest.raises(Unavailable):
        await log.append([alert(3)])
    with pytest.raises(Unavailable):
        await log.bounds()
    logs.server.start()
    assert await log.append([alert(3)]) == [3]


async def test_a_redis_without_room_refuses_whole_batches_and_is_read_meanwhile(logs: RedisLogs):
    log, link = await logs.open("a"), logs.link()
    await log.append([alert(1)])
    await link.call("CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(Unavailable, match="raise maxmemory"):
        await log.append([alert(2), alert(3)])
    assert [record.offset for record in await log.read(0, 10)] == [1]
    assert (await log.bounds()) == (1, 1)
    await link.call("CONFIG", "SET", "maxmemory", "0")
    assert await log.append([alert(2), alert(3)]) == [2, 3]
    await link.close()


async def test_a_holder_that_was_replaced_can_write_nothing(logs: RedisLogs):
    link, stale, fresh = logs.link(), Fence(), Fence()
    first, second = Lease(link, stale, "a"), Lease(link, fresh, "b")
    assert await first._take()
    log = await logs.open("a", fence=stale)
    assert await log.append([alert(1)]) == [1]
    assert not await second._take(), "it is held"
    await link.call("DEL", f"{link.prefix}:lease")  # as its time would have run out while the holder was stopped
    assert await second._take()
    other = await logs.open("b", fence=fresh)
    with pytest.raises(Fenced):
        await log.append([alert(2)])
    with pytest.raises(Fenced):
        await log.retain(count=1)
    assert await other.append([alert(2)]) == [2]
    assert await other.bounds() == (1, 2)
    await link.close()


async def test_the_lease_is_kept_while_it_is_renewed_and_work_ends_when_it_is_lost(logs: RedisLogs):
    link = logs.link()
    leases = [Lease(link, Fence(), name, ttl=0.6) for name in ("a", "b")]
    working: list[str] = []
    done = {name: asyncio.Event() for name in "ab"}

    def work(name: str):
        async def forever() -> None:
            working.append(name)
            done[name].set()
            try:
                await asyncio.Event().wait()
            finally:
                working.remove(name)

        return forever

    first = asyncio.create_task(leases[0].hold(work("a")))
    await done["a"].wait()
    second = asyncio.create_task(leases[1].hold(work("b")))
    await asyncio.sleep(1.0)
    assert working == ["a"], "renewed beyond its first term"
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await asyncio.wait_for(done["b"].wait(), 5)
    assert working == ["b"]
    await link.call("SET", f"{link.prefix}:lease", "someone else")
    async with asyncio.timeout(10):
        while working or leases[1].held:
            await asyncio.sleep(0.02)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    await link.close()


async def test_the_same_process_need_not_wait_for_itself_after_a_restart(logs: RedisLogs):
    link = logs.link()
    before, after = Fence(), Fence()
    assert await Lease(link, before, "a")._take()
    assert await Lease(link, after, "a")._take()
    assert after.token > before.token
    await link.close()


async def test_what_breaks_for_another_reason_is_not_hidden_by_the_lease(logs: RedisLogs):
    link = logs.link()

    async def broken() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await Lease(link, Fence(), "a").hold(broken)
    await link.close()


async def test_a_stale_holder_cannot_even_say_that_it_writes(logs: RedisLogs):
    stale = Fence()
    await logs.open("a")
    link = logs.link()
    await link.call("HSET", f"{link.prefix}:meta", "fence", "7")
    with pytest.raises(Fenced):
        await logs.open("b", fence=stale)
    assert await link.call("HGET", f"{link.prefix}:meta", "writer") != b"b"
    await link.close()
