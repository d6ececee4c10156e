"""Embeddings through the hub: order, batches, price, budget, ledger, limits, retries, and nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
from decimal import Decimal

import pytest

from catalyst.errors import (
    BudgetExceeded,
    LLMBadResponseError,
    LLMModelError,
    LLMServerError,
    LLMServiceError,
    LLMValidationError,
    QuotaExceeded,
)
from catalyst.llm.types import Outcome
from tests.llm.hub import clean, hub_of, money, rows, settings_of

SMALL = "text-embedding-3-small"


async def test_vectors_are_priced_budgeted_and_recorded(wire, tmp_path):
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        found = await hub.embed(["a", "bbb"], feature_name="search")
        assert hub.get_stats()["monitor"]["totals"]["requests"] == 1
    assert found.vectors == [[1.0, 0.5, -1.0], [3.0, 0.5, -1.0]]
    assert (found.provider, found.model, found.tokens_input) == ("openai", SMALL, 3)
    assert found.cost_usd == Decimal("0.00000006")  # 3 tokens at 0.02 USD a million
    assert rows(tmp_path, "provider, model, outcome, tokens_in, cost, feature, estimated") == [
        ("openai", SMALL, "ok", 3, 60, "search", 0)
    ]
    assert {settled for key, (settled, _) in money(tmp_path).items() if key.startswith("month/")} == {60}


async def test_a_provider_that_says_no_usage_is_charged_the_most_it_can_be(wire, tmp_path):
    names = {"OPENAI_API_KEY": "", "GEMINI_API_KEY": wire.gemini.key, "GEMINI_BASE_URL": wire.gemini.url}
    async with hub_of(settings_of(wire, tmp_path, **names), tmp_path) as hub:
        found = await hub.embed(["word " * 200])
    assert (found.provider, found.model) == ("gemini", "gemini-embedding-001")
    assert 150 < found.tokens_input < 400
    ((cost, estimated),) = rows(tmp_path, "cost, estimated")
    assert estimated == 1
    assert 1000 * 150 <= cost <= 1200 * 150  # as many tokens as bytes, at 0.15 USD a million


async def test_a_long_list_goes_in_batches_and_keeps_its_order(wire, tmp_path):
    texts = ["x" * (1 + number % 7) for number in range(250)]
    async with hub_of(settings_of(wire, tmp_path, LLM_TENANT_LIMITS="acme=1/0/0"), tmp_path) as hub:
        found = await hub.embed(texts, SMALL, tenant="acme")  # one request for its tenant
    assert [vector[0] for vector in found.vectors] == [float(len(text)) for text in texts]
    assert [len(asked.body["input"]) for asked in wire.openai.requests] == [100, 100, 50]
    assert (len(found.attempts), found.tokens_input) == (3, 9)


async def test_a_batch_is_bounded_in_bytes_too(wire, tmp_path):
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        found = await hub.embed(["y" * 100_000] * 5)
    assert [len(asked.body["input"]) for asked in wire.openai.requests] == [2, 2, 1]
    assert len(found.vectors) == 5


async def test_no_money_means_no_call(wire, tmp_path):
    async with hub_of(settings_of(wire, tmp_path, LLM_COST_HARD_LIMIT_MONTHLY="0"), tmp_path) as hub:
        with pytest.raises(BudgetExceeded):
            await hub.embed(["a"])
        assert sum(hub.counted("catalyst_llm_budget_refusals_total").values()) == 1
    assert wire.openai.requests == []


async def test_a_failing_provider_is_retried_but_never_replaced(wire, tmp_path):
    wire.openai.answers(500)
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        found = await hub.embed(["a"])
        assert [record.outcome for record in found.attempts] == [Outcome.SERVER, Outcome.OK]
        wire.openai.answers(500, times=9)
        with pytest.raises(LLMServerError):
            await hub.embed(["a"])
        await clean(hub)
    assert {row[0] for row in rows(tmp_path)} == {"openai"}


async def test_a_bad_answer_is_charged_what_it_said_it_used(wire, tmp_path):
    wire.openai.answers(json={"data": [], "usage": {"prompt_tokens": 1000}}, times=2)
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        with pytest.raises(LLMBadResponseError, match="0 vectors for 1 texts"):
            await hub.embed(["a"])
    assert rows(tmp_path, "outcome, tokens_in, cost") == [("bad_response", 1000, 20_000)] * 2


async def test_a_tenants_limit_counts_embeddings(wire, tmp_path):
    settings = settings_of(wire, tmp_path, LLM_TENANT_LIMITS="acme=1/0/0", LLM_QUEUE_SECONDS="0")
    async with hub_of(settings, tmp_path) as hub:
        await hub.embed(["a"], tenant="acme")
        with pytest.raises(QuotaExceeded):
            await hub.embed(["a"], tenant="acme")
        await hub.embed(["a"])  # our own pipelines are not counted


async def test_what_cannot_be_embedded_is_refused_before_it_costs(wire, tmp_path):
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        assert (await hub.embed([])).vectors == []
        with pytest.raises(LLMValidationError, match="empty text"):
            await hub.embed(["a", " "])
        with pytest.raises(LLMValidationError, match="embeddings"):
            await hub.embed(["a"], "anthropic/claude-haiku-4-5")
        await clean(hub)
    assert wire.openai.requests == []
    assert wire.anthropic.requests == []


async def test_without_a_provider_that_embeds_the_error_says_which_key_to_set(wire, tmp_path):
    async with hub_of(settings_of(wire, tmp_path, OPENAI_API_KEY=""), tmp_path) as hub:
        with pytest.raises(LLMModelError, match="OPENAI_API_KEY"):
            await hub.embed(["a"])


async def test_cancelled_embeddings_leave_nothing_behind(wire, tmp_path):
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        await hub.embed(["a"])
        for turns in range(40):
            task = asyncio.create_task(hub.embed(["a"]))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, LLMServiceError):
                await task
        await clean(hub)
