"""Tenants' windows and the hub's queue: exact, fair, first in first out, and nothing left behind by who leaves."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.clock import SimClock, SystemClock
from catalyst.errors import QuotaExceeded
from catalyst.llm import LLMRequest, LLMResponse
from catalyst.llm.gate import Gate
from catalyst.llm.limits import Limits, LocalWindows, Windows
from catalyst.llm.redis_windows import RedisWindows
from catalyst.llm.settings import TenantLimits
from tests.llm.hub import hub_of, settings_of


@pytest.fixture(params=["local", "redis"])
async def windows(request, clock):
    """Both backends; the local one on the simulated clock."""
    if request.param == "local":
        yield LocalWindows(clock)
        return
    from redis.asyncio import Redis

    redis = Redis.from_url(request.getfixturevalue("redis_server").url)
    yield RedisWindows(redis, LocalWindows(clock))
    await redis.aclose()


async def test_exactly_the_limit_is_admitted_in_a_window(windows: Windows):
    spans = ((5, 60.0), (20, 3600.0))
    waits = [await windows.take("acme", spans, 0) for _ in range(8)]
    assert waits[:5] == [0.0] * 5
    assert all(59 < wait <= 60 for wait in waits[5:])
    assert await windows.take("globex", spans, 0) == 0.0


async def test_those_further_back_in_the_queue_are_told_longer_waits(windows: Windows):
    spans = ((2, 60.0),)
    assert [await windows.take("acme", spans, 0) for _ in range(2)] == [0.0, 0.0]
    waits = [await windows.take("acme", spans, place, place + 1, 400.0) for place in range(5)]
    assert [round(wait / 60) for wait in waits] == [1, 1, 2, 2, 3]


async def test_a_moving_window_frees_one_by_one(clock):
    windows = LocalWindows(clock)
    for _ in range(30):
        assert await windows.take("acme", ((3, 0.3),), 0) == 0
        await clock.sleep(0.1001)


async def test_a_window_in_redis_rolls_by_the_servers_clock(redis_server, clock):
    from redis.asyncio import Redis

    async with Redis.from_url(redis_server.url) as redis:
        windows = RedisWindows(redis, LocalWindows(clock))
        admitted = 0
        while admitted < 12:
            wait = await windows.take("acme", ((3, 0.2), (1_000, 3_600.0)), 0)
            assert wait <= 0.2
            admitted += wait == 0
            await asyncio.sleep(wait / 2)
        moments = [float(moment) for moment in await redis.lrange("catalyst:{hub}:tenant:acme", 0, -1)]
    assert all(later - earlier >= 0.2 - 1e-6 for earlier, later in zip(moments, moments[3:], strict=False))
    assert len(moments) == 12


async def test_two_processes_share_a_window_through_redis(redis_server, clock):
    from redis.asyncio import Redis

    async with Redis.from_url(redis_server.url) as one, Redis.from_url(redis_server.url) as two:
        both = [RedisWindows(one, LocalWindows(clock)), RedisWindows(two, LocalWindows(clock))]
        spans = ((50, 60.0),)
        waits = await asyncio.gather(*[both[turn % 2].take("acme", spans, 0) for turn in range(120)])
    assert sum(wait == 0 for wait in waits) == 50


async def test_without_redis_each_process_counts_alone(redis_server, clock):
    from redis.asyncio import Redis

    async with Redis.from_url(redis_server.url) as redis:
        windows = RedisWindows(redis, LocalWindows(clock))
        assert await windows.take("acme", ((2, 60.0),), 0) == 0
        redis_server.stop()
        waits = [await windows.take("acme", ((2, 60.0),), 0) for _ in range(3)]
        assert [wait > 0 for wait in waits] == [False, True, True]
        redis_server.start()
        assert await windows.take("acme", ((2, 60.0),), 0) == 0  # Redis remembers one


@pytest.fixture
async def two_processes(redis_server, clock):
    """Two owners of places in the same Redis."""
    from redis.asyncio import Redis

    async with Redis.from_url(redis_server.url) as one, Redis.from_url(redis_server.url) as two:
        yield RedisWindows(one, LocalWindows(clock)), RedisWindows(two, LocalWindows(clock))


async def test_processes_wait_in_one_line(two_processes):
    here, there = two_processes
    spans = ((1, 60.0),)
    assert await here.take("acme", spans, 0) == 0
    waits = [await both.take("acme", spans, 0, place, 600.0) for place in (1, 2) for both in (here, there)]
    assert [round(wait / 60) for wait in waits] == [1, 2, 3, 4]
    assert round(await here.take("acme", spans, 0, 3, 10.0) / 60) == 5  # who does not wait is told the truth too
    assert round(await there.take("acme", spans, 0, 1, 600.0) / 60) == 2  # asking again keeps the place
    assert round(await here.take("line:acme", spans, 0)) == 0


async def test_who_leaves_the_shared_line_makes_room(two_processes):
    here, there = two_processes
    spans = ((1, 60.0),)
    await here.take("acme", spans, 0)
    assert round(await here.take("acme", spans, 0, 1, 600.0) / 60) == 1
    assert round(await there.take("acme", spans, 0, 1, 600.0) / 60) == 2
    here.leave("acme", 1)
    for _ in range(100):
        if (wait := await there.take("acme", spans, 0, 1, 600.0)) < 61:
            break
        await asyncio.sleep(0.01)
    assert wait < 61


async def test_a_dead_processes_places_are_dropped_and_a_slow_one_gets_its_place_back(two_processes):
    here, there = two_processes
    spans = ((1, 60.0),)
    await here.take("acme", spans, 0)
    assert round(await there.take("acme", spans, 0, 1, 600.0) / 60) == 1
    assert round(await here.take("acme", spans, 0, 1, 600.0) / 60) == 2
    await there._redis.zadd("catalyst:{hub}:owners", {there._owner: 0.0})  # its lease ended long ago
    assert round(await here.take("acme", spans, 0, 1, 600.0) / 60) == 1
    assert round(await there.take("acme", spans, 0, 1, 600.0) / 60) == 1  # it was only slow, and came first
    assert round(await here.take("acme", spans, 0, 1, 600.0) / 60) == 2


async def test_a_burst_wider_than_the_connections_is_still_counted_once(redis_server, wire, tmp_path):
    def settings(name: str):
        (tmp_path / name).mkdir()
        return settings_of(
            wire, tmp_path / name, REDIS_URL=redis_server.url, LLM_TENANT_LIMITS="acme=7/0/0", LLM_QUEUE_SECONDS="0"
        )

    async with hub_of(settings("a"), tmp_path / "a") as one, hub_of(settings("b"), tmp_path / "b") as two:
        request = LLMRequest(prompt="Hello", tenant="acme", model="cheap")
        found = await asyncio.gather(
            *[hub.query(request) for _ in range(150) for hub in (one, two)], return_exceptions=True
        )
    assert sum(isinstance(one, LLMResponse) for one in found) == 7
    assert sum(isinstance(one, QuotaExceeded) for one in found) == 293
    assert len(wire.openai.requests) == 7


async def test_a_request_whose_wait_would_leave_no_time_to_answer_is_refused_at_once(wire, tmp_path):
    settings = settings_of(wire, tmp_path, LLM_TENANT_LIMITS="acme=1/0/0", LLM_QUEUE_SECONDS="300")
    async with hub_of(settings, tmp_path) as hub:
        await hub.query(LLMRequest(prompt="Hello", tenant="acme", model="cheap"))
        with pytest.raises(QuotaExceeded) as caught:
            await hub.query(LLMRequest(prompt="Hello", tenant="acme", model="cheap", timeout_seconds=60.2))
    assert 58 < caught.value.retry_after <= 60


async def test_a_waiter_whom_others_overtook_is_refused_at_its_deadline(clock):
    windows = LocalWindows(clock)
    limits = Limits(windows, clock, TenantLimits(minute=1, hour=0, day=0))
    await limits.acquire("acme", 0)
    waiting = [asyncio.create_task(limits.acquire("acme", 130)) for _ in range(2)]
    await clock.sleep(59)
    windows.note("acme", ((1, 60.0),))  # another process, while Redis was away
    began = clock.monotonic()
    assert await waiting[0] == pytest.approx(119, abs=1)
    with pytest.raises(QuotaExceeded) as caught:
        await waiting[1]
    assert clock.monotonic() - began <= 72
    assert caught.value.retry_after == pytest.approx(60, abs=12)
    assert limits.waiting == 0


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 40), min_size=1, max_size=80), st.integers(1, 5), st.integers(5, 9))
def test_no_window_anywhere_holds_more_than_its_limit(gaps, minute, hour):
    async def play() -> None:
        clock = SimClock(datetime(2025, 12, 12, tzinfo=UTC), speed=float("inf"))
        windows = LocalWindows(clock)
        spans = ((minute, 60.0), (hour, 600.0))
        admitted: list[float] = []
        for gap in gaps:
            await clock.sleep(gap)
            now = clock.monotonic()
            wait = await windows.take("acme", spans, 0)
            if wait == 0:
                admitted.append(now)
            expected = max(
                [0.0, *(admitted[-most] + span - now for most, span in spans if len(admitted) >= most and wait > 0)]
            )
            assert wait == pytest.approx(expected, abs=1e-6)
        for most, span in spans:
            for first in admitted:
                assert sum(first <= moment < first + span - 1e-6 for moment in admitted) <= most

    asyncio.run(play())


async def test_a_tenant_over_its_limit_waits_its_turn_or_is_told_when(clock):
    limits = Limits(LocalWindows(clock), clock, TenantLimits(minute=2, hour=0, day=0))
    assert [await limits.acquire("acme", 0) for _ in range(2)] == [0.0, 0.0]
    with pytest.raises(QuotaExceeded) as caught:
        await limits.acquire("acme", 10)
    assert caught.value.retry_after == pytest.approx(60, abs=0.1)
    began = clock.monotonic()
    order: list[int] = []

    async def wait(number: int) -> None:
        await limits.acquire("acme", 300)
        order.append(number)

    await asyncio.gather(*[wait(number) for number in range(5)])
    assert order == [0, 1, 2, 3, 4]
    assert clock.monotonic() - began == pytest.approx(180, abs=1)
    assert limits.waiting == 0


async def test_the_told_wait_is_true(clock):
    limits = Limits(LocalWindows(clock), clock, TenantLimits(minute=3, hour=0, day=0))
    for _ in range(3):
        await limits.acquire("acme", 0)
        await clock.sleep(7)
    with pytest.raises(QuotaExceeded) as caught:
        await limits.acquire("acme", 0)
    await clock.sleep(caught.value.retry_after - 0.01)
    with pytest.raises(QuotaExceeded):
        await limits.acquire("acme", 0)
    await clock.sleep(0.02)
    assert await limits.acquire("acme", 0) == 0.0


async def test_a_cancelled_waiter_leaves_no_place_in_the_queue(clock):
    limits = Limits(LocalWindows(clock), clock, TenantLimits(minute=1, hour=0, day=0))
    await limits.acquire("acme", 0)
    for turns in range(12):
        task = asyncio.create_task(limits.acquire("acme", 600))
        for _ in range(turns % 4):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert limits.waiting == 0
    began = clock.monotonic()
    await limits.acquire("acme", 600)
    assert clock.monotonic() - began < 121


async def test_a_clock_set_back_changes_no_window():
    class Fickle(SimClock):
        offset = timedelta()

        def now(self) -> datetime:
            return super().now() + self.offset

    clock = Fickle(datetime(2025, 12, 12, tzinfo=UTC), speed=float("inf"))
    windows = LocalWindows(clock)
    assert await windows.take("acme", ((1, 60.0),), 0) == 0
    clock.offset = -timedelta(hours=3)
    assert await windows.take("acme", ((1, 60.0),), 0) == pytest.approx(60, abs=0.1)


async def test_windows_survive_a_restart_by_their_wall_clock(clock):
    first = LocalWindows(clock)
    for _ in range(3):
        await first.take("acme", ((3, 60.0),), 0)
    kept = first.drain()
    await clock.sleep(20)
    second = LocalWindows(clock)
    second.load(kept, lambda tenant: 3)
    assert await second.take("acme", ((3, 60.0),), 0) == pytest.approx(40, abs=0.1)


async def test_120_tenants_over_their_limit_are_answered_in_turn_or_told_the_truth(clock):
    limits = Limits(LocalWindows(clock), clock, TenantLimits(minute=5, hour=0, day=0))
    admitted: dict[str, list[float]] = {}
    told: list[tuple[str, float]] = []

    async def ask(tenant: str) -> None:
        try:
            await limits.acquire(tenant, 70)
            admitted.setdefault(tenant, []).append(clock.monotonic())
        except QuotaExceeded as refusal:
            told.append((tenant, clock.monotonic() + refusal.retry_after))

    began = clock.monotonic()
    await asyncio.gather(*[ask(f"t{number % 120}") for number in range(120 * 15)])
    assert all(len(moments) == 10 for moments in admitted.values())
    assert all(moments[4] - began < 1 and 59 < moments[5] - began < 62 for moments in admitted.values())
    assert len(told) == 120 * 5
    assert all(119 <= moment - began <= 121 for _, moment in told)
    await clock.sleep(max(moment for _, moment in told) - clock.monotonic())
    for tenant, _ in told:
        assert await limits.acquire(tenant, 0) == 0.0


async def test_120_flooding_tenants_share_the_slots_evenly(clock):
    gate = Gate(4, clock)
    served: Counter[str] = Counter()
    first_half: Counter[str] = Counter()

    async def ask(tenant: str) -> None:
        await gate.enter(tenant, "normal", 1e6)
        served[tenant] += 1
        if sum(served.values()) <= 1200:
            first_half[tenant] += 1
        await clock.sleep(0.1)
        gate.leave()

    floods = [ask(f"t{number}") for number in range(120) for _ in range(20)]
    await asyncio.gather(*floods)
    assert all(count == 20 for count in served.values())
    assert max(first_half.values()) <= 2 * min(first_half.values())
    assert (gate.free, gate.waiting) == (4, 0)


async def test_high_priority_goes_first_but_the_rest_is_not_starved():
    gate = Gate(1, SystemClock())
    await gate.enter("x", "normal", 1)
    order: list[str] = []

    async def ask(priority: str) -> None:
        await gate.enter("x", priority, 1e6)
        order.append(priority)
        gate.leave()

    tasks = [asyncio.create_task(ask(priority)) for priority in ["low"] * 4 + ["high"] * 32]
    await asyncio.sleep(0)
    gate.leave()
    await asyncio.gather(*tasks)
    assert order[:5].count("high") >= 4
    assert "low" in order[:17]


async def test_a_full_gate_refuses_at_the_deadline_and_loses_no_slot(clock):
    gate = Gate(1, clock)
    await gate.enter("x", "normal", 1)
    with pytest.raises(QuotaExceeded, match="no slot"):
        await gate.enter("x", "normal", 0.5)
    tasks = [asyncio.create_task(gate.enter("x", "normal", 100)) for _ in range(5)]
    await asyncio.sleep(0)
    gate.leave()  # hands the slot to the first, which is cancelled before it wakes
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (gate.free, gate.waiting) == (1, 0)
