"""What must hold when things go wrong: cancellation anywhere, clocks, midnights, lost databases, crashes."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from catalyst.clock import SystemClock
from catalyst.errors import BudgetExceeded, LLMServiceError, QuotaExceeded
from catalyst.llm import LLMRequest
from catalyst.llm.breaker import BreakerRules
from catalyst.llm.usage import report
from tests.fakes.server import Tokens
from tests.llm.hub import clean, hub_of, money, rows, settings_of


class Wall(SystemClock):
    """Real waiting under a wall clock that a test sets."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


async def test_a_connection_that_never_stood_costs_nothing(wire, tmp_path):
    settings = settings_of(wire, tmp_path, OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    async with hub_of(settings, tmp_path) as hub:
        answer = await hub.query(LLMRequest(prompt="Hello"))
    assert answer.provider == "deepseek"
    assert [(row[2], row[3]) for row in rows(tmp_path)][:2] == [("server", 0), ("server", 0)]


async def test_month_and_day_turn_at_midnight_of_the_operators_zone(wire, tmp_path):
    clock = Wall(datetime(2026, 1, 1, 4, 59, tzinfo=UTC))  # still December, the 31st, in New York
    settings = settings_of(wire, tmp_path, CATALYST_TIMEZONE="America/New_York")
    async with hub_of(settings, tmp_path, clock) as hub:
        await hub.query(LLMRequest(prompt="Hello"))
        clock.moment += timedelta(minutes=2)
        await hub.query(LLMRequest(prompt="Hello"))
        await hub._parts.attempts.ledger.flush()
        lines = await report(hub._parts.store, "day")
    assert {scope for scope in money(tmp_path)} == {
        "month/2025-12",
        "day/2025-12-31",
        "month/2026-01",
        "day/2026-01-01",
    }
    assert [line.key for line in lines] == ["2025-12-31", "2026-01-01"]


async def test_a_call_over_midnight_is_settled_in_the_month_that_reserved_it(wire, tmp_path):
    clock = Wall(datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC))
    wire.openai.says("late", delay=0.1, usage=Tokens(input=100, output=10))
    async with hub_of(settings_of(wire, tmp_path), tmp_path, clock) as hub:
        task = asyncio.create_task(hub.query(LLMRequest(prompt="Hello", model="cheap")))
        while not wire.openai.requests:
            await asyncio.sleep(0.005)
        clock.moment += timedelta(seconds=2)
        await task
    assert money(tmp_path)["month/2025-12"] == (120_000, 0)
    assert "month/2026-01" not in money(tmp_path)


async def test_a_clock_set_back_neither_frees_money_nor_breaks_a_call(wire, tmp_path):
    clock = Wall(datetime(2026, 2, 1, 0, 30, tzinfo=UTC))
    settings = settings_of(wire, tmp_path, LLM_COST_HARD_LIMIT_MONTHLY="0.0003", LLM_COST_ALERT_DAILY="0.00001")
    wire.openai.says("x", times=9, usage=Tokens(input=100, output=10))
    request = LLMRequest(prompt="Hello", model="cheap", max_tokens=10)

    async def spend(hub) -> int:
        answered = 0
        for _ in range(5):
            with contextlib.suppress(BudgetExceeded):
                await hub.query(request)
                answered += 1
        return answered

    async with hub_of(settings, tmp_path, clock) as hub:
        february = await spend(hub)
        clock.moment -= timedelta(hours=1)
        january = await spend(hub)
        clock.moment += timedelta(hours=1)
        assert await spend(hub) == 0
        alerts = hub.counted("catalyst_llm_budget_alerts_total")
    assert february == january > 0
    assert all(settled <= 300_000 for settled, _ in money(tmp_path).values())
    assert alerts == {"daily": 2.0}  # one of each day, the second visit told nothing new


async def test_usage_of_failed_attempts_is_priced(wire, tmp_path):
    wire.openai.says("not json", usage=Tokens(input=1000, output=100))
    wire.openai.says("not json", usage=Tokens(input=1000, output=100))
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        with pytest.raises(LLMServiceError):
            await hub.query(LLMRequest(prompt="Hello", model="cheap", output_format="json"))
    assert sum(row[3] for row in rows(tmp_path)) == 2_400_000
    assert next(iter(money(tmp_path).values())) == (2_400_000, 0)


async def test_wrong_usage_never_lowers_the_bill(wire, tmp_path):
    wire.openai.says("hello", usage={"prompt_tokens": -5, "completion_tokens": -9, "total_tokens": 0})
    wire.openai.says("hello", usage=None)
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        for _ in range(2):
            with contextlib.suppress(LLMServiceError):
                await hub.query(LLMRequest(prompt="Hello", model="cheap", max_retries=0))
    assert all(row[3] > 0 for row in rows(tmp_path))


async def test_an_absurd_usage_is_charged_the_bound_and_spoils_nobody(wire, tmp_path):
    huge = {"prompt_tokens": 10**30, "completion_tokens": 5, "total_tokens": 10**30}
    wire.openai.says("hello", usage=huge)
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        with contextlib.suppress(LLMServiceError):
            await hub.query(LLMRequest(prompt="Hello", model="cheap", max_retries=0, max_tokens=100))
        assert (await hub.query(LLMRequest(prompt="Hello", model="cheap"))).text
        await clean(hub)
    assert 90_000 <= rows(tmp_path)[0][3] < 1_000_000  # 85 tokens in at 1, five bytes out at 2 USD a million
    assert len(rows(tmp_path)) == 2


async def test_a_name_that_no_database_holds_loses_its_row_alone(wire, tmp_path):
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        odd = LLMRequest(prompt="Hello", model="cheap").model_copy(update={"feature_name": "\ud800"})
        answers = await hub.query_batch([LLMRequest(prompt="Hello", model="cheap"), odd] * 3)
        assert all(not isinstance(answer, BaseException) for answer in answers)
        await clean(hub)
    assert len(rows(tmp_path)) == 3


async def test_a_locked_database_delays_no_answer_and_the_rows_follow(wire, tmp_path):
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        await hub.query(LLMRequest(prompt="Hello"))
        await hub.spent()
        blocker = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
        blocker.execute("BEGIN EXCLUSIVE")
        began = asyncio.get_running_loop().time()
        answers = await asyncio.gather(*[hub.query(LLMRequest(prompt="Hello")) for _ in range(3)])
        again = await hub.query(LLMRequest(prompt="Hello"))
        assert asyncio.get_running_loop().time() - began < 3
        assert all(answer.text for answer in (*answers, again))
        blocker.execute("ROLLBACK")
        blocker.close()
    assert len(rows(tmp_path)) == 5
    assert money(tmp_path)[next(key for key in money(tmp_path) if key.startswith("month/"))] == (
        sum(row[3] for row in rows(tmp_path)),
        0,
    )


async def test_a_database_that_is_gone_loses_no_answer_and_later_rows_are_kept(wire, tmp_path):
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        await hub.query(LLMRequest(prompt="Hello"))
        await hub._parts.attempts.ledger.flush()
        for path in tmp_path.glob("hub.db*"):
            path.unlink()
        assert (await hub.query(LLMRequest(prompt="Hello"))).text
    assert len(rows(tmp_path)) == 1


async def test_rows_that_no_database_takes_wait_in_a_spool_file_and_follow(wire, tmp_path):
    settings = settings_of(wire, tmp_path)
    async with hub_of(settings, tmp_path) as hub:
        await hub.query(LLMRequest(prompt="Hello"))
        await hub._parts.attempts.ledger.flush()
        await hub.query(LLMRequest(prompt="Hello"))
        blocker = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
        blocker.execute("DROP TABLE attempts")
        blocker.close()
    assert (tmp_path / "hub-spool.jsonl").exists()
    for path in tmp_path.glob("hub.db*"):
        path.unlink()
    async with hub_of(settings, tmp_path) as hub:
        await hub.query(LLMRequest(prompt="Hello"))
    assert len(rows(tmp_path)) == 2
    assert not (tmp_path / "hub-spool.jsonl").exists()


async def test_the_hard_limit_is_never_passed_by_concurrent_callers(wire, tmp_path):
    settings = settings_of(
        wire, tmp_path, LLM_COST_HARD_LIMIT_MONTHLY="0.002", LLM_MAX_CONCURRENT="64", LLM_MAX_CONCURRENT_REQUESTS="64"
    )
    wire.openai.says("x", times=300, usage=Tokens(input=80, output=10))
    async with hub_of(settings, tmp_path) as hub:
        request = LLMRequest(prompt="Hello", model="cheap", max_tokens=10)
        found = await asyncio.gather(*[hub.query(request) for _ in range(200)], return_exceptions=True)
    answered = [one for one in found if not isinstance(one, BaseException)]
    assert all(isinstance(one, BudgetExceeded) for one in found if isinstance(one, BaseException))
    assert 0 < len(answered) < 200
    assert sum((one.cost_usd for one in answered), Decimal(0)) <= Decimal("0.002")
    assert len(wire.openai.requests) == len(answered)


async def test_money_left_shortens_an_answer_whose_length_was_not_asked_for(wire, tmp_path):
    settings = settings_of(wire, tmp_path, LLM_COST_HARD_LIMIT_MONTHLY="0.001")
    async with hub_of(settings, tmp_path) as hub:
        await hub.query(LLMRequest(prompt="Hello", model="cheap"))
        assert 64 <= wire.openai.last["max_tokens"] < 1024
        with pytest.raises(BudgetExceeded):
            await hub.query(LLMRequest(prompt="Hello", model="cheap", max_tokens=1024))


async def test_a_target_over_budget_is_skipped_for_a_cheaper_one(wire, tmp_path):
    settings = settings_of(wire, tmp_path, LLM_COST_HARD_LIMIT_MONTHLY="0.001", LLM_ROUTING_STRATEGY="balanced")
    table = tmp_path / "models.toml"
    table.write_text(
        table.read_text().replace("simple = { cheap = 60, third = 40 }", "simple = { dear = 1, cheap = 0 }")
    )
    async with hub_of(settings, tmp_path) as hub:
        answer = await hub.query(LLMRequest(prompt="Hello", complexity="simple", max_tokens=100))
    assert answer.model == "cheap"
    assert "cannot hold" in answer.attempts[0].detail


async def test_one_probe_at_a_time_passes_a_half_open_circuit_however_many_wait(wire, tmp_path):
    rules = BreakerRules(open_seconds=0.2)
    settings = settings_of(wire, tmp_path, LLM_MAX_CONCURRENT="50", LLM_MAX_CONCURRENT_REQUESTS="50")
    async with hub_of(settings, tmp_path, breaker_rules=rules) as hub:
        request = LLMRequest(prompt="Hello", model="cheap", max_retries=0, timeout_seconds=5)
        wire.openai.answers(500, times=5)
        for _ in range(5):
            with pytest.raises(LLMServiceError):
                await hub.query(request)
        wire.openai.says("probing", delay=1.0)
        before = len(wire.openai.requests)
        tasks = [asyncio.create_task(hub.query(request)) for _ in range(30)]
        while len(wire.openai.requests) == before:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.15)  # the probe is still under way
        assert len(wire.openai.requests) == before + 1
        answers = await asyncio.gather(*tasks)
        assert len(answers) == 30
        assert hub.counted("catalyst_llm_breaker_opened_total") == {"openai/cheap": 1.0}
        assert hub.counted("catalyst_llm_breaker_closed_total") == {"openai/cheap": 1.0}
        assert hub.counted("catalyst_llm_breaker_state") == {"openai/cheap": 0.0}
        await clean(hub)


async def test_a_tenants_limit_counts_only_requests_from_outside(wire, tmp_path):
    settings = settings_of(wire, tmp_path, LLM_TENANT_LIMITS="acme=2/0/0", LLM_QUEUE_SECONDS="0")
    async with hub_of(settings, tmp_path) as hub:
        for _ in range(2):
            await hub.query(LLMRequest(prompt="Hello", tenant="acme"))
        with pytest.raises(QuotaExceeded) as caught:
            await hub.query(LLMRequest(prompt="Hello", tenant="acme"))
        assert 55 < caught.value.retry_after <= 60
        await hub.query(LLMRequest(prompt="Hello", tenant="acme"), external=False)
        await hub.query(LLMRequest(prompt="Hello"))
        assert hub.counted("catalyst_llm_quota_refusals_total") == {"": 1.0}
    async with hub_of(settings, tmp_path) as hub:  # a restart forgets nothing
        with pytest.raises(QuotaExceeded):
            await hub.query(LLMRequest(prompt="Hello", tenant="acme"))


CHILD = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.fakes.plugin import Wire
from tests.llm.hub import hub_of, rows, settings_of
from catalyst.llm import LLMRequest
from catalyst.llm.breaker import BreakerRules

async def main():
    wire = Wire()
    for server in wire.servers.values():
        await server.start()
    folder = Path(sys.argv[2])
    async with hub_of(settings_of(wire, folder), folder) as hub:
        for number in range(20):
            await hub.query(LLMRequest(prompt="Hello"))
        for _ in range(200):
            if len(rows(folder)) == 20:
                break
            await asyncio.sleep(0.05)
        print("settled", flush=True)
        for number in range(5):
            await hub.query(LLMRequest(prompt="Hello"))
        print("ready", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_kill_9_loses_at_most_the_last_group_of_rows_and_no_money(wire, tmp_path):
    root = str(Path(__file__).parents[2])
    child = subprocess.Popen([sys.executable, "-c", CHILD, root, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    while (line := child.stdout.readline()) != b"ready\n":
        assert line, "the child ended early"
    child.kill()
    child.wait()
    child.stdout.close()
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        sums = await hub.spent()
    kept = rows(tmp_path)
    assert 20 <= len(kept) <= 25
    month = next(value for key, value in sums.items() if key.startswith("month/"))
    assert month.reserved == 0
    assert month.settled >= sum(row[3] for row in kept)


async def test_a_limit_that_redis_counts_holds_for_the_whole_hub(wire, tmp_path, redis_server):
    settings = settings_of(
        wire, tmp_path, REDIS_URL=redis_server.url, LLM_COST_HARD_LIMIT_MONTHLY="0.002", LLM_TENANT_LIMITS="acme=3/0/0",
        LLM_QUEUE_SECONDS="0",
    )  # fmt: skip
    wire.openai.says("x", times=99, usage=Tokens(input=80, output=10))
    async with hub_of(settings, tmp_path / "a") as one, hub_of(settings, tmp_path / "b") as two:
        request = LLMRequest(prompt="Hello", model="cheap", tenant="acme", max_tokens=10)
        found = await asyncio.gather(*[hub.query(request) for hub in (one, two) * 4], return_exceptions=True)
        assert sum(isinstance(result, QuotaExceeded) for result in found) == 5
        plain = request.model_copy(update={"tenant": "default"})
        found += await asyncio.gather(*[hub.query(plain) for hub in (one, two) * 20], return_exceptions=True)
        await clean(one)
    answered = [result for result in found if not isinstance(result, BaseException)]
    assert sum((answer.cost_usd for answer in answered), Decimal(0)) <= Decimal("0.002")
    assert any(isinstance(result, BudgetExceeded) for result in found)
