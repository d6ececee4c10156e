from __future__ import annotations

import asyncio
import math
import time
from datetime import UTC, datetime, timedelta

import pytest

from catalyst.clock import SimClock

NINE = datetime(2025, 12, 12, 14, 0, tzinfo=UTC)


async def test_sleepers_wake_in_order_and_exactly_on_time():
    clock = SimClock(NINE, math.inf)
    woken: list[tuple[str, timedelta]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.now() - NINE))

    async with asyncio.TaskGroup() as group:
        for name, seconds in (("b", 600.0), ("a", 2.5), ("c", 86_400.0)):
            group.create_task(sleeper(name, seconds))
    assert woken == [("a", timedelta(seconds=2.5)), ("b", timedelta(minutes=10)), ("c", timedelta(days=1))]


async def test_work_in_flight_slows_the_clock_to_real_time():
    clock = SimClock(NINE, 10_000)
    with clock.working():
        before, real = clock.monotonic(), time.monotonic()
        await asyncio.sleep(0.02)
        assert clock.monotonic() - before <= (time.monotonic() - real) * 1.5
    await clock.sleep(1000)
    assert clock.monotonic() - before >= 1000


async def test_a_timeout_fires_on_simulated_time_only():
    clock = SimClock(NINE, math.inf)
    with pytest.raises(TimeoutError):
        async with clock.timeout(600):
            await clock.sleep(601)
    async with clock.timeout(600):
        await clock.sleep(599)


async def test_speed_is_kept_while_idle():
    clock, real = SimClock(NINE, 1000), time.monotonic()
    await clock.sleep(50)
    assert time.monotonic() - real >= 0.049


async def test_simulated_time_never_repeats_over_a_restart(tmp_path):
    state = tmp_path / "clock"
    first = SimClock(NINE, math.inf, state)
    for _ in range(20):
        await first.sleep(3600)
    second = SimClock(NINE, math.inf, state)
    assert second.now() >= first.now()
    assert second.now() - first.now() < timedelta(hours=13)


def test_a_damaged_state_file_starts_over(tmp_path):
    state = tmp_path / "clock"
    state.write_text("\x00garbage")
    assert SimClock(NINE, 1.0, state).now() - NINE < timedelta(seconds=5)


async def test_a_cancelled_sleep_leaves_no_timer_that_wakes_anyone():
    clock = SimClock(NINE, math.inf)
    task = asyncio.create_task(clock.sleep(1e9))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await clock.sleep(1)
    assert clock.now() == NINE + timedelta(seconds=1)


def test_a_speed_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="not positive"):
        SimClock(NINE, 0)


async def test_at_real_time_late_timers_do_not_make_it_drift():
    clock, real = SimClock(NINE, 1.0), time.monotonic()
    for _ in range(30):
        await clock.sleep(0.001)
        time.sleep(0.002)  # the loop is late for the next one
    await clock.sleep(0.01)
    assert abs((clock.now() - NINE).total_seconds() - (time.monotonic() - real)) < 0.01


async def test_when_the_last_sleeper_is_cancelled_at_infinite_speed_no_time_passes():
    clock = SimClock(NINE, math.inf)
    task = asyncio.create_task(clock.sleep(3600))
    await asyncio.sleep(0)
    task.cancel()
    for _ in range(20):
        await asyncio.sleep(0)
    assert clock.now() == NINE
