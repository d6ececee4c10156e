"""`/api/usage` and `/api/metrics/latency`: sums of the ledger for whoever may see them, and how soon alerts came."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalyst.clock import SystemClock
from catalyst.llm.ledger import Row
from catalyst.web.keybook import KeyBook
from tests.contracts.log import NOON, alert
from tests.llm.hub import hub_of, settings_of
from tests.web.asking import ask, get
from tests.web.service import QUICK, Service


def row(number: int, **fields: Any) -> Row:
    named: dict[str, Any] = {
        "at": SystemClock().now().timestamp(),
        "request": f"r{number}",
        "tenant": "desk" if number % 2 else "default",
        "feature": "filings",
        "provider": "openai",
        "model": "m",
        "outcome": "ok",
        "cost": 1_000_000_000,
    }
    return Row(**(named | fields))


@pytest.fixture
async def hub(wire, tmp_path: Path):
    async with hub_of(settings_of(wire, tmp_path), tmp_path / "hub") as hub:
        ledger = hub._parts.attempts.ledger
        rows = [row(n) for n in range(4)]
        rows += [row(4, outcome="timeout", cost=500_000_000), row(5, cost=0, cache_kind="exact", saved=2_000_000_000)]
        for one in rows:
            ledger.record(one)
        await ledger.flush()
        yield hub


async def test_what_was_spent_saved_and_wasted_adds_up_in_every_list(start, hub):
    service = await start(hub=hub)
    found = await get(service, "/api/usage")
    assert found["available"] is True
    for name in ("days", "models", "features", "tenants", "providers", "cache_kinds"):
        assert sum(Decimal(line["cost_usd"]) for line in found[name]) == Decimal("4.5"), name
        assert sum(Decimal(line["wasted_usd"]) for line in found[name]) == Decimal("0.5"), name
        assert sum(Decimal(line["saved_usd"]) for line in found[name]) == 2, name
    assert [line["key"] for line in found["tenants"]] == ["default", "desk"]
    assert [(day["day"], day["model"]) for day in found["spend"]] == [(found["until"], "openai/m")]
    assert Decimal(found["money"]["monthly_limit_usd"]) == hub.settings.hard_limit_monthly
    assert Decimal(found["money"]["today_usd"]) == 0


async def test_days_before_the_asked_ones_are_left_out(start, hub):
    service = await start(hub=hub)
    assert (await get(service, "/api/usage?days=3&until=2020-01-03"))["days"] == []
    found = await get(service, "/api/usage?days=366&until=0001-01-01")
    assert (found["since"], found["days"]) == ("0001-01-01", [])


async def test_a_key_sees_its_own_tenant_and_admin_sees_all(start, hub, tmp_path: Path):
    book = KeyBook(tmp_path / "keys.db")
    _, desk = book.add("desk", scopes=["read"])
    _, chief = book.add("chief", scopes=["read", "admin"])
    service: Service = await start(hub=hub, keys=book)
    own = await get(service, "/api/usage", X_API_Key=desk)
    assert (own["tenant"], [line["key"] for line in own["tenants"]], own["money"]) == ("desk", ["desk"], None)
    assert (await ask(service, "/api/usage?tenant=default", X_API_Key=desk)).status == 403
    assert [line["key"] for line in (await get(service, "/api/usage", X_API_Key=chief))["tenants"]] == [
        "default",
        "desk",
    ]
    one = await get(service, "/api/usage?tenant=desk", X_API_Key=chief)
    assert [line["key"] for line in one["tenants"]] == ["desk"]
    assert (await ask(service, "/api/usage")).status == 401
    book.close()


async def test_without_models_usage_is_empty_and_says_so(service: Service):
    found = await get(service, "/api/usage")
    assert (found["available"], found["days"], found["money"], found["cache"]) == (False, [], None, None)


@pytest.mark.parametrize("query", ["days=0", "days=367", "days=x", "until=soon", "tenant=" + "x" * 65])
async def test_usage_that_makes_no_sense_is_422(service: Service, query: str):
    assert (await ask(service, f"/api/usage?{query}")).status == 422


def told(number: int, seconds: float, version: int = 1):
    return alert(number, version=version).model_copy(
        update={"accepted_at": NOON, "timestamp": NOON + timedelta(seconds=seconds)}
    )


async def test_latency_is_from_acceptance_to_the_first_message(service: Service):
    await service.log.append([told(1, 0.5), told(2, 1.4), told(2, 90, version=2), told(3, 61), told(4, 7200), alert(5)])
    found = await get(service, "/api/metrics/latency")
    assert (found["count"], found["p50_s"], found["p95_s"]) == (4, 61.0, 7200.0)
    filled = {bucket["le_s"]: bucket["count"] for bucket in found["buckets"] if bucket["count"]}
    assert filled == {0.5: 1, 2.0: 1, 300.0: 1, None: 1}
    assert [minute["alerts"] for minute in found["minutes"]] == [2, 1, 1]
    await service.log.append([told(6, 3)])
    assert (await get(service, "/api/metrics/latency"))["count"] == 5


async def test_latency_begins_anew_with_another_log(start):
    service = await start()
    assert (await get(service, "/api/metrics/latency"))["count"] == 0
    keyed = await start(replace(QUICK, api_keys=("k" * 20,)), name="other.db")
    assert (await ask(keyed, "/api/metrics/latency")).status == 401
