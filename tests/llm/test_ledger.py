"""Rows, daily sums, the report, the export, and what the ledger costs."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from catalyst.llm import LLMRequest
from catalyst.llm.ledger import Ledger, Row
from catalyst.llm.store import HubStore
from catalyst.llm.usage import GROUPS, merged, report
from tests.fakes.server import Tokens
from tests.llm.hub import hub_of, settings_of

NOON = datetime(2025, 12, 12, 12, 0, tzinfo=UTC).timestamp()


def row(number: int, **fields) -> Row:
    named: dict[str, Any] = {
        "at": NOON + number,
        "request": f"r{number}",
        "tenant": f"t{number % 3}",
        "feature": "ask",
        "provider": "openai",
        "model": "m",
        "outcome": "ok",
        "tokens_in": 10,
        "tokens_out": 5,
        "cost": 1000,
        "latency_ms": 20.0,
    }
    return Row(**(named | fields))


async def written(folder, clock, rows, zone="UTC", **options) -> HubStore:
    store = HubStore(folder / "hub.db")
    ledger = Ledger(store, clock, ZoneInfo(zone), **options)
    for one in rows:
        ledger.record(one)
    await ledger.close()
    return store


async def test_the_report_adds_up_by_day_model_feature_and_tenant(tmp_path, clock):
    rows = [row(number) for number in range(6)]
    rows += [row(7, outcome="timeout", cost=500), row(8, cost=0, cache_kind="exact", saved=1000, tenant="t0")]
    store = await written(tmp_path, clock, rows)
    [day] = await report(store, "day")
    assert (day.key, day.calls, day.answered, day.failed, day.cache_hits) == ("2025-12-12", 7, 6, 1, 1)
    assert (day.cost_usd, day.saved_usd, day.wasted_usd) == (
        Decimal("0.0000065"),
        Decimal("0.000001"),
        Decimal("0.0000005"),
    )
    assert [line.key for line in await report(store, "tenant")] == ["t1", "t0", "t2"]
    assert [line.key for line in await report(store, "model")] == ["openai/m"]
    assert [line.key for line in await report(store, "feature")] == ["ask"]
    assert await report(store, "day", since="2025-12-13") == []
    assert merged("day", [[day], [day]])[0].calls == 14
    store.close()


async def test_days_are_the_operators(tmp_path, clock):
    at = datetime(2025, 12, 13, 4, 59, 59, tzinfo=UTC).timestamp()
    store = await written(tmp_path, clock, [row(0, at=at), row(1, at=at + 2)], "America/New_York")
    assert [line.key for line in await report(store, "day")] == ["2025-12-12", "2025-12-13"]
    store.close()


async def test_every_attempt_is_exported_as_a_json_line(tmp_path, clock):
    place = tmp_path / "logs" / "usage.jsonl"
    store = await written(tmp_path, clock, [row(number) for number in range(3)], log_path=place)
    lines = [json.loads(line) for line in place.read_text().splitlines()]
    assert [line["request"] for line in lines] == ["r0", "r1", "r2"]
    assert lines[0]["cost_usd"] == "0.000001000"
    store.close()


async def test_memory_is_bounded_while_the_database_is_away(tmp_path, clock, monkeypatch):
    monkeypatch.setattr("catalyst.llm.ledger.MOST_WAITING", 50)
    store = HubStore(tmp_path / "hub.db")
    store.open()
    blocker = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    ledger = Ledger(store, clock, ZoneInfo("UTC"))
    for number in range(200):
        ledger.record(row(number))
    assert ledger.waiting <= 50
    await asyncio.sleep(0.3)
    blocker.execute("ROLLBACK")
    blocker.close()
    await ledger.close()
    [line] = await report(store, "day")
    assert line.calls >= 50
    second = Ledger(store, clock, ZoneInfo("UTC"))
    second.record(row(999))
    await second.close()
    [line] = await report(store, "day")
    assert line.calls == 201
    store.close()


@pytest.mark.slow
async def test_a_million_rows_are_reported_within_a_second(tmp_path, clock):
    store = HubStore(tmp_path / "hub.db")
    ledger = Ledger(store, clock, ZoneInfo("UTC"))
    for start in range(0, 1_000_000, 20_000):
        group = [
            row(number % 172_800, tenant=f"t{number % 120}", model=f"m{number % 5}", feature=f"f{number % 4}")
            for number in range(start, start + 20_000)
        ]
        await store.write(partial(ledger._insert, rows=group, admitted=[]))
    for by in GROUPS:
        began = time.process_time()
        lines = await report(store, by)
        assert time.process_time() - began < 1.0
        assert sum(line.calls for line in lines) == 1_000_000
    store.close()


async def test_a_soft_limit_tells_the_webhook_once(wire, tmp_path):
    hook = wire.deepseek
    settings = settings_of(wire, tmp_path, LLM_COST_ALERT_DAILY="0.0001", LLM_COST_ALERT_WEBHOOK=f"{hook.origin}/hook")
    wire.openai.says("x", times=5, usage=Tokens(input=100, output=50))
    async with hub_of(settings, tmp_path) as hub:
        for _ in range(4):
            await hub.query(LLMRequest(prompt="Hello", model="cheap"))
            await hub.spent()
        for _ in range(50):
            await asyncio.sleep(0.01)
            if hook.requests:
                break
        assert hub.counted("catalyst_llm_budget_alerts_total") == {"daily": 1.0}
        left = hub.counted("catalyst_llm_budget_usd")
    assert [asked.body["alert"] for asked in hook.requests] == ["llm_cost_daily"]
    assert left["settled"] > 0
    assert left["remaining"] < 1000


async def test_metrics_count_calls_tokens_cost_retries_and_fallbacks(wire, tmp_path):
    wire.openai.answers(500, times=2)
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        await hub.query(LLMRequest(prompt="Hello"))
        assert hub.counted("catalyst_llm_calls_total") == {"openai/cheap/server": 2.0, "deepseek/third/ok": 1.0}
        assert hub.counted("catalyst_llm_retries_total") == {"": 1.0}
        assert hub.counted("catalyst_llm_fallbacks_total") == {"": 1.0}
        assert hub.counted("catalyst_llm_cost_usd_total")["deepseek/third"] > 0
        assert hub.counted("catalyst_llm_latency_seconds_count")["openai/cheap"] == 2.0


async def test_machines_share_one_ledger_through_redis(tmp_path, clock, redis_server):
    from redis.asyncio import Redis

    from catalyst.llm.ledger_redis import SharedLedger

    lines = {}
    async with Redis.from_url(redis_server.url, socket_connect_timeout=1) as redis:
        for name in ("a", "b"):
            store = HubStore(tmp_path / name / "hub.db")
            ledger = Ledger(store, clock, ZoneInfo("UTC"))
            ledger.shared = SharedLedger(redis, ledger.day)
            for number in range(4):
                ledger.record(row(number, quota_day="2025-12-12"))
            ledger.record(row(5, outcome="timeout", cost=500))
            if name == "b":
                redis_server.stop()
                await ledger.flush()
                redis_server.start()
                ledger.record(row(6, cache_kind="exact", cost=0, saved=1000))
            await ledger.close()
            store.close()
        shared = SharedLedger(redis, str)
        for by in GROUPS:
            lines[by] = await shared.report(by)
        assert await shared.calls_today("openai", "2025-12-12") == 8
        assert await shared.report("day", since="2025-12-13") == []
    [day] = lines["day"]
    assert (day.calls, day.answered, day.failed, day.cache_hits) == (10, 8, 2, 1)
    assert (day.cost_usd, day.wasted_usd, day.saved_usd) == (
        Decimal("0.000009"),
        Decimal("0.000001"),
        Decimal("0.000001"),
    )
    assert day.mean_latency_ms == 20.0
    assert [line.key for line in lines["model"]] == ["openai/m"]
    assert sorted(line.key for line in lines["tenant"]) == ["t0", "t1", "t2"]


async def test_a_spool_is_counted_once_though_we_die_before_it_is_gone(tmp_path, clock):
    store = await written(tmp_path, clock, [row(1)])
    spool = tmp_path / "hub-spool-7.jsonl"
    lines = json.dumps(asdict(row(2))) + "\n"
    for number in (3, 4):
        spool.write_text(lines)  # as after a kill between the commit and the unlink
        store.close()
        store = await written(tmp_path, clock, [row(number)])
        assert not spool.exists()
    [day] = await report(store, "day")
    assert day.calls == 4
    store.close()


async def test_what_was_spooled_reaches_the_export_and_the_shared_ledger(tmp_path, clock):
    seen: list[Row] = []

    class Everywhere:
        async def add(self, rows):
            seen.extend(rows)

        async def calls_today(self, provider, day):
            return 0

    (tmp_path / "hub-spool.jsonl").write_text(json.dumps(asdict(row(1))) + "\n")
    store = await written(tmp_path, clock, [row(2)], shared=Everywhere(), log_path=tmp_path / "out.jsonl")
    store.close()
    assert {one.request for one in seen} == {"r1", "r2"}
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2


async def test_single_attempts_are_forgotten_after_400_days_and_their_sums_stay(tmp_path, clock):
    now = clock.now().timestamp()
    old = [row(number, at=now - 401 * 86_400) for number in range(5)]
    store = await written(tmp_path, clock, [*old, row(9, at=now)])
    store.close()
    store = await written(tmp_path, clock, [row(10, at=now)])
    left = await store.read(lambda run: run.execute("SELECT request FROM attempts ORDER BY id").fetchall())
    assert left == [("r9",), ("r10",)]
    assert sum(line.calls for line in await report(store, "day")) == 7
    store.close()
