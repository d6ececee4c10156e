"""The cache's place in a request's life, chats with documents, tenants' and features' money, quotas a minute."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from catalyst.errors import BudgetExceeded, LLMValidationError, QuotaExceeded
from catalyst.llm import LLMRequest, LLMResponse, Message, Tool
from catalyst.llm.cache_seam import Ask, CacheHit, Visit
from catalyst.llm.job import Job
from tests.llm.hub import hub_of, rows, settings_of


class Kept:
    """The plainest cache: by the question alone."""

    def __init__(self) -> None:
        self.answers: dict[str, LLMResponse] = {}

    def start(self, ask: Ask) -> None: ...

    async def visit(self, job: Job) -> Visit:
        return _Visit(self.answers, job.request.prompt)

    def snapshot(self) -> dict[str, Any]:
        return {"answers": len(self.answers)}

    async def pause(self) -> None: ...

    async def close(self) -> None: ...


class _Visit(Visit):
    def __init__(self, answers: dict[str, LLMResponse], prompt: str) -> None:
        self._answers = answers
        self.key = prompt
        found = answers.get(prompt)
        self.hit = CacheHit(found, "exact", prompt, saved=7) if found is not None else None

    async def keep(self, response: LLMResponse) -> None:
        self._answers[self.key] = response


async def test_a_cached_answer_costs_nothing_and_counts_against_no_limit(wire, tmp_path):
    settings = settings_of(wire, tmp_path, LLM_TENANT_LIMITS="acme=1/0/0", LLM_QUEUE_SECONDS="0")
    async with hub_of(settings, tmp_path, cache=Kept()) as hub:
        first = await hub.query(LLMRequest(prompt="Hello", tenant="acme"))
        again = await hub.query(LLMRequest(prompt="Hello", tenant="acme"))
        assert hub.counted("catalyst_llm_cache_hits_total") == {"exact": 1.0}
        with pytest.raises(QuotaExceeded):
            await hub.query(LLMRequest(prompt="Hello", tenant="acme", enable_cache=False))
    assert (first.cached, again.cached, again.cache_kind, again.cost_usd) == (False, True, "exact", Decimal(0))
    assert again.text == first.text
    assert again.request_id != first.request_id
    assert rows(tmp_path, "outcome, cache_kind, saved")[-1] == ("ok", "exact", 7)
    assert len(wire.openai.requests) == 1


async def test_an_invalid_answer_is_never_handed_to_the_cache(wire, tmp_path):
    wire.openai.says("no json", times=2)
    cache = Kept()
    async with hub_of(settings_of(wire, tmp_path), tmp_path, cache=cache) as hub:
        with pytest.raises(LLMValidationError):
            await hub.query(LLMRequest(prompt="Hello", output_format="json"))
    assert cache.answers == {}


async def test_a_chat_keeps_its_turns_and_puts_documents_into_the_last_question(wire, tmp_path):
    turns = [
        Message(role="user", content="first"),
        Message(role="assistant", content="second"),
        Message(role="system", content="late rule"),
        Message(role="user", content="third"),
    ]
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        await hub.query(LLMRequest(messages=turns, system_prompt="rule", documents=["source"], model="cheap"))
        sent = wire.openai.last["messages"]
        with pytest.raises(LLMValidationError, match="user message"):
            await hub.query(LLMRequest(messages=[Message(role="assistant", content="x")], documents=["y"]))
    assert [turn["role"] for turn in sent] == ["system", "system", "user", "assistant", "user"]
    assert "source" in str(sent[-1])
    assert "source" not in str(sent[:-1])


async def test_tools_are_part_of_the_bound_and_their_calls_of_the_answer(wire, tmp_path):
    wire.openai.answers(tool_calls=(("c1", "price", {"ticker": "AAPL"}),))
    tool = Tool(name="price", description="x" * 500, parameters={"type": "object", "properties": {}})
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        plain, armed = LLMRequest(prompt="Hi", model="cheap"), LLMRequest(prompt="Hi", model="cheap", tools=[tool])
        assert hub.bound(armed) > hub.bound(plain) + 500_000
        answer = await hub.query(armed)
    assert answer.finish_reason == "tool_calls"
    assert answer.tool_calls[0].name == "price"


@pytest.mark.parametrize("who", ["tenant", "feature_name"])
async def test_a_tenants_and_a_features_money_is_their_own(wire, tmp_path, who):
    names = {"LLM_TENANT_BUDGETS": "acme=0.0005", "LLM_FEATURE_BUDGETS": "acme=0.0005"}
    async with hub_of(settings_of(wire, tmp_path, **names), tmp_path) as hub:
        small = {"model": "cheap", "max_tokens": 200, "prompt": "Hello"}
        with pytest.raises(BudgetExceeded, match="acme"):
            for _ in range(40):
                await hub.query(LLMRequest(**small, **{who: "acme"}))
        assert (await hub.query(LLMRequest(**small, **{who: "globex"}))).text
    acme = sum(row[1] for row in rows(tmp_path, f"{who.removesuffix('_name')}, cost") if row[0] == "acme")
    assert 0 < acme <= 500_000


async def test_a_providers_requests_a_minute_are_kept(wire, tmp_path):
    settings = settings_of(wire, tmp_path)
    table = tmp_path / "models.toml"
    table.write_text(table.read_text() + "\n[quotas.openai]\nper_minute = 3\n")
    async with hub_of(settings, tmp_path) as hub:
        used = [(await hub.query(LLMRequest(prompt="hi"))).provider for _ in range(5)]
    assert used == ["openai"] * 3 + ["deepseek"] * 2
