from __future__ import annotations

import asyncio
import math
import random
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from catalyst.clock import SimClock
from catalyst.errors import NotFound, Refused, Unreachable
from catalyst.filings.limiter import FIRST_PAGE, NEXT_PAGE, WALK_BACK, RateLimiter, fetch_rank

NOON = datetime(2025, 12, 12, 17, 0, tzinfo=UTC)


async def _ask(limiter: RateLimiter, clock: SimClock, rank: float, told: list, seconds: float = 0.0) -> None:
    async with limiter.slot(rank):
        told.append((clock.monotonic(), rank))
        if seconds:
            await clock.sleep(seconds)


def _most_in_a_second(moments: list[float]) -> int:
    return max(sum(start <= moment < start + 1.0 - 1e-6 for moment in moments) for start in moments)


async def test_no_second_holds_more_than_eight(clock: SimClock):
    limiter = RateLimiter(clock)
    told: list = []
    await asyncio.gather(*[_ask(limiter, clock, WALK_BACK, told) for _ in range(60)])
    moments = [moment for moment, _ in told]
    assert len(moments) == 60
    assert _most_in_a_second(moments) <= 8
    assert moments[-1] - moments[0] < 60 / 7 + 1.5, "seven fetches a second must get through"


async def test_random_arrivals_never_overfill_a_second(clock: SimClock):
    limiter = RateLimiter(clock)
    told: list = []
    draw = random.Random(7)

    async def later() -> None:
        await clock.sleep(draw.random() * 20)
        await _ask(limiter, clock, draw.choice([FIRST_PAGE, fetch_rank(draw.random()), WALK_BACK]), told)

    await asyncio.gather(*[later() for _ in range(200)])
    assert len(told) == 200
    assert _most_in_a_second([moment for moment, _ in told]) <= 8


async def test_an_unanswered_request_may_still_arrive_and_keeps_its_place(clock: SimClock):
    """Eight turns given, answered half a second later: the next ones wait a second from the answers on."""
    limiter = RateLimiter(clock)
    await clock.sleep(5)
    told: list = []
    await asyncio.gather(*[_ask(limiter, clock, FIRST_PAGE, told, seconds=0.5) for _ in range(16)])
    first, ninth = told[0][0], told[8][0]
    assert ninth - first == pytest.approx(1.5, abs=0.01)


async def test_an_answer_frees_the_window_before_the_body_has_come(clock: SimClock):
    limiter = RateLimiter(clock)
    await clock.sleep(5)

    async def slow() -> None:
        async with limiter.slot(fetch_rank(0.5)) as slot:
            slot.answered()
            await clock.sleep(30)

    slow_ones = [asyncio.create_task(slow()) for _ in range(7)]
    told: list = []
    began = clock.monotonic()
    await clock.sleep(0.01)
    await _ask(limiter, clock, fetch_rank(0.5), told)
    assert told[0][0] - began == pytest.approx(1.0, abs=0.05)
    await asyncio.gather(*slow_ones)


async def test_the_first_page_goes_before_fetches_by_score_before_the_walk_back(clock: SimClock):
    limiter = RateLimiter(clock)
    told: list = []
    ranks = [WALK_BACK, fetch_rank(0.2), fetch_rank(0.9), NEXT_PAGE, FIRST_PAGE, fetch_rank(0.9), WALK_BACK]
    blockers = [asyncio.create_task(_ask(limiter, clock, FIRST_PAGE, [])) for _ in range(8)]
    await asyncio.sleep(0)
    await asyncio.gather(*[_ask(limiter, clock, rank, told) for rank in ranks], *blockers)
    assert [rank for _, rank in told] == sorted(ranks)


async def test_equals_are_served_in_the_order_they_came(clock: SimClock):
    limiter = RateLimiter(clock)
    served: list[int] = []

    async def ask(number: int) -> None:
        async with limiter.slot(fetch_rank(0.5)):
            served.append(number)

    await asyncio.gather(*[ask(number) for number in range(30)])
    assert served == list(range(30))


async def test_a_refusal_stops_everyone_for_ten_minutes_and_raises_one_alarm(clock: SimClock):
    limiter = RateLimiter(clock)
    with capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(Refused):
                async with limiter.slot(FIRST_PAGE):
                    raise Refused("refused (403)", status=403)
            if limiter.stopped_for:
                break
        limiter.stop(600)
    assert [told["event"] for told in logs] == ["edgar.refused"]
    began = clock.monotonic()
    told: list = []
    await asyncio.gather(*[_ask(limiter, clock, rank, told) for rank in (FIRST_PAGE, WALK_BACK)])
    assert all(moment - began >= 599.9 for moment, _ in told)
    assert limiter.stopped_for == 0


async def test_a_refusal_that_asks_for_longer_gets_it_up_to_an_hour(clock: SimClock):
    limiter = RateLimiter(clock)
    with pytest.raises(Refused):
        async with limiter.slot(FIRST_PAGE):
            raise Refused("refused (429)", status=429, after=1e9)
    assert limiter.stopped_for == pytest.approx(3600, abs=1)


async def test_slow_fetches_never_keep_the_poll_waiting(clock: SimClock):
    limiter = RateLimiter(clock, open_most=4)
    slow = [asyncio.create_task(_ask(limiter, clock, fetch_rank(0.9), [], seconds=1000)) for _ in range(10)]
    await clock.sleep(30)
    told: list = []
    began = clock.monotonic()
    await _ask(limiter, clock, FIRST_PAGE, told)
    assert told[0][0] - began < 0.1
    assert limiter.waiting == 6
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


async def test_cancelled_waiters_leak_no_turn(clock: SimClock):
    limiter = RateLimiter(clock, open_most=2)
    draw = random.Random(3)
    for _ in range(40):
        told: list = []
        tasks = [
            asyncio.create_task(_ask(limiter, clock, fetch_rank(draw.random()), told, seconds=0.3)) for _ in range(6)
        ]
        await clock.sleep(draw.random())
        for task in draw.sample(tasks, 4):
            task.cancel()
            if draw.random() < 0.5:
                await asyncio.sleep(0)
        await asyncio.gather(*tasks, return_exceptions=True)
    assert limiter.waiting == 0
    told = []
    began = clock.monotonic()
    await asyncio.gather(*[_ask(limiter, clock, fetch_rank(0.5), told) for _ in range(2)])
    assert clock.monotonic() - began <= 2.0


async def test_it_knows_when_edgar_last_answered(clock: SimClock):
    limiter = RateLimiter(clock)
    with pytest.raises(Unreachable):
        async with limiter.slot(FIRST_PAGE):
            raise Unreachable("gone")
    assert limiter.answered_at == -math.inf
    with pytest.raises(NotFound):
        async with limiter.slot(FIRST_PAGE):
            raise NotFound("not there yet")
    assert limiter.answered_at == pytest.approx(clock.monotonic(), abs=0.1)


async def test_a_new_process_begins_gently_because_the_last_one_may_have_spent_this_second(clock: SimClock):
    limiter = RateLimiter(clock)
    told: list = []
    began = clock.monotonic()
    await asyncio.gather(*[_ask(limiter, clock, FIRST_PAGE, told) for _ in range(8)])
    assert sum(moment - began < 0.99 for moment, _ in told) == 2


def test_more_than_edgar_allows_is_refused(clock: SimClock):
    with pytest.raises(ValueError, match="EDGAR allows"):
        RateLimiter(clock, per_second=11)
