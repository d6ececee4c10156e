"""Cancellation anywhere and faults everywhere: nothing leaks, and purse and ledger agree to the nano-dollar."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Any

import pytest

from catalyst.errors import LLMServiceError
from catalyst.llm import LLMRequest
from catalyst.llm.breaker import BreakerRules
from tests.llm.hub import clean, hub_of, money, rows, settings_of


async def connections(hub) -> int:
    session = hub._parts.http._session
    return 0 if session is None else len(session.connector._acquired)


@pytest.mark.parametrize("fault", ["healthy", "retry", "stream", "repair"])
async def test_cancellation_at_every_await_point_leaks_nothing(wire, tmp_path, fault):
    settings = settings_of(wire, tmp_path, LLM_RETRY_DELAY="0.001", LLM_TENANT_LIMITS="acme=100000/0/0")
    async with hub_of(settings, tmp_path) as hub:

        async def once() -> None:
            if fault == "retry":
                wire.openai.answers(500)
            if fault == "repair":
                wire.openai.says("no json")
                wire.openai.says("{}")
            request = LLMRequest(
                prompt="Hello",
                model="cheap",
                tenant="acme",
                output_format="json" if fault == "repair" else "text",
            )
            if fault == "stream":
                async for _ in hub.stream(request):
                    pass
            else:
                await hub.query(request)

        await once()
        finished, turns = 0, 0
        while finished < 3 and turns < 400:
            task = asyncio.create_task(once())
            for _ in range(turns):
                await asyncio.sleep(0)
                if task.done():
                    break
            finished += task.done()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, LLMServiceError):
                await task
            wire.openai._script.clear()
            turns += 1 if turns < 60 else 7
        await clean(hub)
        assert await connections(hub) == 0
        circuit = hub._parts.attempts.breaker.of("openai/cheap")
        assert not circuit._probing
    assert turns > 8
    assert all(reserved == 0 for _, reserved in money(tmp_path).values())
    settled = next(settled for scope, (settled, _) in money(tmp_path).items() if scope.startswith("month/"))
    assert settled == sum(row[3] for row in rows(tmp_path))


async def test_a_cancelled_call_that_was_sent_is_charged_in_full(wire, tmp_path):
    wire.openai.answers(hang=True)
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        task = asyncio.create_task(hub.query(LLMRequest(prompt="Hello", model="cheap", max_tokens=1000)))
        while not wire.openai.requests:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await clean(hub)
    [(outcome, cost)] = rows(tmp_path, "outcome, cost")
    assert (outcome, cost >= 2_000_000) == ("cancelled", True)


@pytest.mark.parametrize("shared", [False, True], ids=["sqlite", "redis"])
async def test_under_faults_and_cancellations_the_purse_and_the_ledger_agree(wire, tmp_path, request, shared):
    rng = random.Random(5)
    names = {"LLM_MAX_CONCURRENT": "20", "LLM_MAX_CONCURRENT_REQUESTS": "40", "LLM_COST_HARD_LIMIT_MONTHLY": "0.03"}
    if shared:
        names["REDIS_URL"] = request.getfixturevalue("redis_server").url
    faults: list[dict[str, Any]] = [
        {"status": 500}, {"status": 429, "headers": {"retry-after-ms": "5"}}, {"reset": True}, {"raw": b"{"},
        {"delay": 0.05}, {"status": 400}, {}, {}, {}, {"close_after": True}, {"usage": None}, {"hang": True},
    ]  # fmt: skip
    for server in (wire.openai, wire.deepseek, wire.anthropic):
        for _ in range(400):
            fault = dict(rng.choice(faults))
            server.answers(fault.pop("status", 200), **fault)
    settings = settings_of(wire, tmp_path, **names)
    async with hub_of(settings, tmp_path, breaker_rules=BreakerRules(open_seconds=0.05)) as hub:

        async def one(number: int) -> None:
            query = LLMRequest(prompt="Hello", timeout_seconds=0.3, priority="high", max_tokens=200)
            task = asyncio.create_task(drained(hub, query) if number % 3 == 0 else hub.query(query))
            if number % 4 == 0:
                await asyncio.sleep(rng.uniform(0, 0.15))
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError, LLMServiceError):
                await task

        for _ in range(4):
            await asyncio.gather(*[one(number) for number in range(60)])
        await clean(hub)
        sums = await hub.spent()
        await hub._parts.attempts.ledger.flush()
    month = next(value for key, value in sums.items() if key.startswith("month/"))
    assert month.settled == sum(row[3] for row in rows(tmp_path)) > 0
    assert month.settled <= 30_000_000


async def drained(hub, query: LLMRequest) -> None:
    async for _ in hub.stream(query):
        await asyncio.sleep(0)
