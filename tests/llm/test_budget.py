"""The purse: one contract for both backends, then what each does when a process or a store dies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst import db
from catalyst.errors import BudgetExceeded, StorageError
from catalyst.llm.budget import Budget, Claim, Periods, Scope, Thresholds
from catalyst.llm.budget_redis import RedisBudget
from catalyst.llm.budget_sqlite import SqliteBudget
from catalyst.llm.store import HubStore

pytestmark = pytest.mark.slow  # processes, or seconds of work: `make check` leaves it out

MONTH, DAY = "month/2025-12", "day/2025-12-12"
Make = Callable[..., contextlib.AbstractAsyncContextManager[Budget]]


def claim(amount: int, limit: int, at_least: int | None = None, *more: Scope, seconds: float = 60.0) -> Claim:
    least = amount if at_least is None else at_least
    return Claim(amount, least, (Scope(MONTH, limit), Scope(DAY), *more), seconds)


def quiet(daily: int = 0, monthly: int = 0, told: Callable[[str, str, Decimal], None] | None = None) -> Thresholds:
    return Thresholds(daily, monthly, told or (lambda kind, period, spent: None))


@contextlib.asynccontextmanager
async def sqlite_budget(folder: Path, thresholds: Thresholds | None = None) -> AsyncIterator[Budget]:
    store = HubStore(folder / "hub.db")
    budget = SqliteBudget(store, folder / "owners", thresholds or quiet())
    await budget.start()
    try:
        yield budget
    finally:
        await budget.close()
        store.close()


@contextlib.asynccontextmanager
async def redis_budget(url: str, thresholds: Thresholds | None = None) -> AsyncIterator[Budget]:
    from redis.asyncio import Redis

    redis = Redis.from_url(url, socket_timeout=2, socket_connect_timeout=1)
    budget = RedisBudget(redis, thresholds or quiet())
    await budget.start()
    try:
        yield budget
    finally:
        await budget.close()
        await redis.aclose()


@pytest.fixture(params=["sqlite", "redis"])
def purse(request, tmp_path) -> Make:
    """Makes budgets over one shared store."""
    if request.param == "sqlite":
        return lambda thresholds=None: sqlite_budget(tmp_path, thresholds)
    server = request.getfixturevalue("redis_server")
    return lambda thresholds=None: redis_budget(server.url, thresholds)


async def outcomes(budget: Budget, claims: list[Claim]):
    return await asyncio.gather(*[budget.reserve(one) for one in claims], return_exceptions=True)


async def test_money_for_five_calls_lets_five_of_two_hundred_through(purse):
    async with purse() as budget:
        found = await outcomes(budget, [claim(10, 50)] * 200)
        held = [one for one in found if not isinstance(one, BaseException)]
        assert len(held) == 5
        assert all(isinstance(one, BudgetExceeded) for one in found if isinstance(one, BaseException))
        sums = await budget.spent([MONTH])
        assert (sums[MONTH].settled, sums[MONTH].reserved) == (0, 50)


async def test_two_owners_share_one_limit(purse):
    async with purse() as one, purse() as two:
        found = await asyncio.gather(outcomes(one, [claim(10, 50)] * 50), outcomes(two, [claim(10, 50)] * 50))
        assert sum(not isinstance(result, BaseException) for results in found for result in results) == 5


async def test_settling_gives_back_what_was_not_used(purse):
    async with purse() as budget:
        held = await budget.reserve(claim(100, 100))
        with pytest.raises(BudgetExceeded, match="cannot hold"):
            await budget.reserve(claim(1, 100))
        await budget.sent(held)
        budget.settle(held, 30)
        budget.settle(held, 30)  # a second time does nothing
        again = await budget.reserve(claim(70, 100))
        assert again.amount == 70
        sums = await budget.spent([MONTH, DAY])
        assert [(one.settled, one.reserved) for one in sums.values()] == [(30, 70), (30, 70)]


async def test_a_claim_that_may_shrink_gets_what_is_left(purse):
    async with purse() as budget:
        held = await budget.reserve(claim(1000, 120, 100))
        assert held.amount == 120
        with pytest.raises(BudgetExceeded):
            await budget.reserve(claim(1000, 120, 100))


async def test_every_scope_must_hold_the_claim(purse):
    async with purse() as budget:
        tenant = Scope("tenant/acme/2025-12", 15)
        await budget.reserve(claim(10, 1000, 10, tenant))
        with pytest.raises(BudgetExceeded, match="tenant acme"):
            await budget.reserve(claim(10, 1000, 10, tenant))
        await budget.reserve(claim(10, 1000, 10, Scope("tenant/globex/2025-12", 15)))
        sums = await budget.spent([MONTH])
        assert sums[MONTH].reserved == 20


async def test_alerts_fire_once_per_period_over_all_processes(purse):
    told: list[tuple[str, str]] = []

    def tell(kind: str, period: str, spent: Decimal) -> None:
        told.append((kind, period))

    async with purse(quiet(50, 80, tell)) as one, purse(quiet(50, 80, tell)) as two:
        for budget in (one, two, one, two):
            held = await budget.reserve(claim(30, 1000))
            budget.settle(held, 30)
            await budget.spent([])
    assert sorted(told) == [("daily", "2025-12-12"), ("monthly", "2025-12")]


async def test_cancelling_a_reserve_at_any_moment_leaves_nothing_behind(purse):
    async with purse() as budget:
        for turns in range(30):
            task = asyncio.create_task(budget.reserve(claim(10, 10_000)))
            for _ in range(turns):
                await asyncio.sleep(0)
            if task.cancel():
                with contextlib.suppress(asyncio.CancelledError):
                    budget.settle(await task, 0)
            else:
                budget.settle(task.result(), 0)
        for _ in range(100):
            sums = await budget.spent([MONTH])
            if sums[MONTH].reserved == 0:
                break
            await asyncio.sleep(0.01)
        assert (sums[MONTH].settled, sums[MONTH].reserved) == (0, 0)


CHILD = """
import asyncio, sys
from pathlib import Path
from zoneinfo import ZoneInfo
sys.path.insert(0, sys.argv[3])
from tests.llm.test_budget import claim, redis_budget, sqlite_budget

async def main():
    make = redis_budget(sys.argv[2]) if sys.argv[1] == "redis" else sqlite_budget(Path(sys.argv[2]))
    async with make as budget:
        held = [await budget.reserve(claim(10, 50, seconds=1.0)) for _ in range(5)]
        for one in held[:2]:
            await budget.sent(one)
        print("ready", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def killed_holder(kind: str, place: str) -> None:
    """A process that holds five reservations, two of them sent, and is killed."""
    root = str(Path(__file__).parents[2])
    child = subprocess.Popen([sys.executable, "-c", CHILD, kind, place, root], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()


async def test_kill_9_strands_nothing_and_what_was_sent_stays_charged(tmp_path):
    killed_holder("sqlite", str(tmp_path))
    async with sqlite_budget(tmp_path) as budget:
        sums = await budget.spent([MONTH])
        assert (sums[MONTH].settled, sums[MONTH].reserved) == (20, 0)
        found = await outcomes(budget, [claim(10, 50)] * 20)
        assert sum(not isinstance(one, BaseException) for one in found) == 3
    assert not list((tmp_path / "owners").glob("*.flags"))


async def test_a_survivor_finds_a_dead_owners_money_when_it_needs_it(tmp_path):
    async with sqlite_budget(tmp_path) as budget:
        killed_holder("sqlite", str(tmp_path))
        found = await outcomes(budget, [claim(10, 50)] * 20)
        assert sum(not isinstance(one, BaseException) for one in found) == 3


async def test_with_redis_the_lease_ends_and_frees_what_was_not_sent(redis_server):
    killed_holder("redis", redis_server.url)
    async with redis_budget(redis_server.url) as budget:
        await asyncio.sleep(1.1)
        found = await outcomes(budget, [claim(10, 50)] * 20)
        assert sum(not isinstance(one, BaseException) for one in found) == 3
        sums = await budget.spent([MONTH])
        assert (sums[MONTH].settled, sums[MONTH].reserved) == (20, 30)


async def test_a_call_whose_lease_ended_before_it_was_sent_does_not_go_out(redis_server):
    async with redis_budget(redis_server.url) as budget:
        held = await budget.reserve(claim(10, 50, seconds=0.05))
        await asyncio.sleep(0.1)
        with pytest.raises(BudgetExceeded, match="lease"):
            await budget.sent(held)


async def test_redis_lost_refuses_and_redis_back_settles(redis_server):
    async with redis_budget(redis_server.url) as budget:
        held = await budget.reserve(claim(10, 50))
        await budget.sent(held)
        redis_server.stop()
        with pytest.raises(BudgetExceeded, match="cannot be read"):
            await budget.reserve(claim(10, 50))
        budget.settle(held, 4)
        redis_server.start()
        for _ in range(100):
            with contextlib.suppress(StorageError):
                sums = await budget.spent([MONTH])
                if sums[MONTH].settled:
                    break
            await asyncio.sleep(0.05)
        assert (sums[MONTH].settled, sums[MONTH].reserved) == (4, 0)
        await budget.reserve(claim(46, 50))


async def test_redis_that_came_back_empty_does_not_forget_what_was_spent(redis_server):
    async with redis_budget(redis_server.url) as budget:
        held = await budget.reserve(claim(40, 50))
        await budget.sent(held)
        budget.settle(held, 40)
        await budget.spent([])
        redis_server.stop()
        redis_server.start(empty=True)
        for _ in range(100):
            try:
                found = await outcomes(budget, [claim(10, 50)] * 5)
                granted = [one for one in found if not isinstance(one, BaseException)]
                if granted:
                    break
            except BudgetExceeded:
                pass
            await asyncio.sleep(0.05)
        assert len(granted) == 1


async def test_a_locked_database_is_lived_through_on_the_float(tmp_path):
    limit = 1_000 * 10**9
    async with sqlite_budget(tmp_path) as budget:
        first = await budget.reserve(claim(1_000, limit))
        budget.settle(first, 500)
        await budget.spent([])
        blocker = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
        blocker.execute("BEGIN EXCLUSIVE")
        held = await budget.reserve(claim(2_000, limit))
        await budget.sent(held)
        budget.settle(held, 700)
        with pytest.raises(BudgetExceeded):  # more than the float
            await asyncio.wait_for(budget.reserve(claim(2 * 10**9, limit, seconds=0.5)), 5)
        blocker.execute("ROLLBACK")
        blocker.close()
        for _ in range(200):
            sums = await budget.spent([MONTH])
            if sums[MONTH].settled == 1_200:
                break
            await asyncio.sleep(0.02)
        assert (sums[MONTH].settled, sums[MONTH].reserved) == (1_200, 0)
    with contextlib.closing(sqlite3.connect(tmp_path / "hub.db")) as connection:
        assert connection.execute("SELECT count(*) FROM reservations").fetchone() == (0,)


async def test_near_the_limit_there_is_no_float_and_no_call(tmp_path):
    async with sqlite_budget(tmp_path) as budget:
        held = await budget.reserve(claim(10, 50))
        budget.settle(held, 10)
        await budget.spent([])
        blocker = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
        blocker.execute("BEGIN EXCLUSIVE")
        with pytest.raises(BudgetExceeded, match="cannot be read"):
            await budget.reserve(claim(10, 50, seconds=0.3))
        blocker.execute("ROLLBACK")
        blocker.close()


async def test_a_deleted_database_is_made_anew_and_calls_go_on(tmp_path):
    async with sqlite_budget(tmp_path) as budget:
        await budget.reserve(claim(10, 50))
        for path in tmp_path.glob("hub.db*"):
            path.unlink()
        held = await budget.reserve(claim(10, 50))
        budget.settle(held, 10)
        sums = await budget.spent([MONTH])
        assert sums[MONTH].settled == 10


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 100), st.booleans()), min_size=1, max_size=40))
def test_no_order_of_claims_and_settlements_exceeds_the_limit(tmp_path_factory, steps):
    limit = 100

    async def play() -> None:
        async with sqlite_budget(tmp_path_factory.mktemp("purse")) as budget:
            held, spent = [], 0
            for amount, percent, early in steps:
                with contextlib.suppress(BudgetExceeded):
                    held.append((await budget.reserve(claim(amount, limit)), percent))
                if early and held:
                    one, share = held.pop(0)
                    budget.settle(one, one.amount * share // 100)
                    spent += one.amount * share // 100
                assert spent + sum(one.amount for one, _ in held) <= limit
            for one, share in held:
                budget.settle(one, one.amount * share // 100)
                spent += one.amount * share // 100
            sums = await budget.spent([MONTH])
            assert (sums[MONTH].settled, sums[MONTH].reserved) == (spent, 0)
            assert spent <= limit

    asyncio.run(play())


@pytest.mark.slow
async def test_a_lock_that_outlasts_the_wait_is_noticed_when_it_ends(tmp_path, monkeypatch):
    """Nothing was queued any more, and whoever is refused must be the one who asks whether the database is back."""
    monkeypatch.setattr(db, "BUSY_SECONDS", 3.2)
    async with sqlite_budget(tmp_path) as budget:
        held = await budget.reserve(claim(10, 50))
        budget.settle(held, 10)
        await budget.spent([])
        blocker = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
        blocker.execute("BEGIN EXCLUSIVE")
        with pytest.raises(BudgetExceeded, match="database is locked"):
            await budget.reserve(claim(10, 50))
        await asyncio.sleep(0.6)  # the busy wait ends too, with nothing left in the queue
        blocker.execute("ROLLBACK")
        blocker.close()
        for _ in range(100):
            with contextlib.suppress(BudgetExceeded):
                again = await budget.reserve(claim(10, 50))
                budget.settle(again, 10)
                return
            await asyncio.sleep(0.1)
        raise AssertionError("the hub refuses for ever")


def test_a_client_that_names_its_feature_stays_in_the_features_budget():
    periods = Periods(ZoneInfo("UTC"), 100, features={"gateway": 5, "gateway.chat": 1})
    now = datetime(2026, 3, 4, tzinfo=UTC)

    def limited(feature: str) -> list[tuple[str, int]]:
        return [(scope.key, scope.limit) for scope in periods.scopes(now, "t", feature)[2:]]

    month = ("feature/gateway/2026-03", 5)
    assert limited("gateway") == limited("gateway.mine") == limited("gateway.a.b") == [month]
    assert limited("gateway.chat") == [month, ("feature/gateway.chat/2026-03", 1)]
    assert limited("gatewayx") == limited("") == []
