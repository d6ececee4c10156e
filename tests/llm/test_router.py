"""Complexity as the spec scores it, the three strategies, the local tier, quotas, and the reasons."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, create_model

from catalyst.errors import LLMModelError, SettingsError
from catalyst.llm import LLMRequest
from catalyst.llm.models import load_catalog
from catalyst.llm.router import complexity_of, score
from catalyst.llm.structured import schema_of
from tests.llm.hub import hub_of, rows, settings_of


def scored(prompt: str = "x", **fields: Any) -> float:
    request = LLMRequest(prompt=prompt, **fields)
    return score(request, schema_of(request), prompt, len(prompt) + sum(map(len, request.documents)))


def wide(fields: int) -> type[BaseModel]:
    named: dict[str, Any] = {f"f{number}": (str, "") for number in range(fields)}
    return create_model("Wide", **named)


@pytest.mark.parametrize(
    ("points", "request_"),
    [
        (0.0, {"prompt": "x" * 500}),
        (0.2, {"prompt": "x" * 501}),
        (0.2, {"prompt": "x" * 2000}),
        (0.4, {"prompt": "x" * 2001}),
        (0.4, {"prompt": "x", "documents": ["y" * 2001]}),
        (0.1, {"prompt": "Analyze this; analyze it well"}),
        (0.0, {"prompt": "the analyzer extracted it"}),
        (0.3, {"prompt": "analyze, EXTRACT, summarize, compare, evaluate and explain"}),
        (0.0, {"prompt": "x", "output_format": "pydantic", "output_schema": wide(5)}),
        (0.2, {"prompt": "x", "output_format": "pydantic", "output_schema": wide(6)}),
        (0.0, {"prompt": "x", "max_tokens": 2048}),
        (0.1, {"prompt": "x", "max_tokens": 2049}),
    ],
)
def test_auto_scores_as_specified(points, request_):
    assert scored(**request_) == points


def test_the_tiers_and_an_explicit_complexity():
    request = LLMRequest(prompt="x")
    assert [complexity_of(request, points, 0.7) for points in (0.29, 0.3, 0.69, 0.7)] == [
        "simple",
        "medium",
        "medium",
        "complex",
    ]
    assert complexity_of(LLMRequest(prompt="x", complexity="critical"), 0.0, 0.7) == "critical"


def test_the_shipped_table_is_the_specs():
    catalog = load_catalog()
    assert catalog.routes["simple"] == (("flash-lite", 70), ("flash", 25), ("pro", 5))
    assert catalog.routes["medium"] == (("flash", 90), ("pro", 10))
    assert catalog.routes["complex"] == (("pro", 80), ("sonnet", 20))
    assert catalog.routes["critical"] == (("sonnet", 100),)
    assert catalog.find("sonnet").provider == "anthropic"
    assert catalog.quotas["gemini"].daily == 1500


def test_every_shipped_model_has_a_price():
    from datetime import UTC, datetime

    from catalyst.llm.prices import Prices

    prices, now = Prices(), datetime(2026, 11, 21, tzinfo=UTC)
    catalog = load_catalog()
    missing = [name for name, model in catalog.models.items() if not model.retired and prices.find(model, now) is None]
    assert missing == []


def test_the_operators_table_replaces_single_entries(tmp_path):
    table = tmp_path / "models.toml"
    table.write_text('[models."gemini-2.5-flash"]\ncontext = 5\n[routes]\nsimple = { sonnet = 1 }\n')
    catalog = load_catalog(table)
    assert catalog.find("gemini-2.5-flash").context == 5
    assert catalog.find("gemini-2.5-flash").provider == "gemini"
    assert catalog.routes["simple"] == (("sonnet", 1),)


@pytest.mark.parametrize(
    "text", ["nonsense", "[nosuch]\nx = 1\n", "[routes]\nsimple = { nosuch = 1 }\n", "[models.x]\ncontext = 1\n"]
)
def test_a_malformed_table_is_a_settings_error(tmp_path, text):
    table = tmp_path / "models.toml"
    table.write_text(text)
    with pytest.raises(SettingsError):
        load_catalog(table)


def test_an_unknown_model_is_answered_with_its_neighbours():
    with pytest.raises(LLMModelError, match=r"gemini-2\.5-flash"):
        load_catalog().find("gemini-2.5-flahs")


async def test_cost_optimized_takes_the_cheapest_for_this_request(wire, tmp_path):
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        for _ in range(5):
            assert (await hub.query(LLMRequest(prompt="hi"))).model == "cheap"


async def test_balanced_draws_by_the_weights(wire, tmp_path):
    import random

    settings = settings_of(wire, tmp_path, LLM_ROUTING_STRATEGY="balanced")
    async with hub_of(settings, tmp_path, rng=random.Random(3)) as hub:
        drawn = Counter([(await hub.query(LLMRequest(prompt="hi"))).model for _ in range(200)])
    assert set(drawn) == {"cheap", "third"}
    assert 90 <= drawn["cheap"] <= 150  # of 200 at 60 %


async def test_performance_takes_the_one_measured_fastest(wire, tmp_path):
    wire.openai.answers(delay=0.2)
    settings = settings_of(wire, tmp_path, LLM_ROUTING_STRATEGY="performance")
    async with hub_of(settings, tmp_path) as hub:
        models = [(await hub.query(LLMRequest(prompt="hi"))).model for _ in range(6)]
    assert models[0] == "cheap"
    assert models[2:] == ["third"] * 4


async def test_claude_sonnet_is_last_of_every_chain(wire, tmp_path):
    wire.openai.answers(500, times=2)
    wire.deepseek.answers(500, times=2)
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        answer = await hub.query(LLMRequest(prompt="hi"))
    assert [record.model for record in answer.attempts] == ["cheap", "cheap", "third", "third", "dear"]


async def test_substitutes_serve_where_no_target_of_the_row_has_a_key(wire, tmp_path):
    settings = settings_of(wire, tmp_path, LLM_MODELS_FILE="", ANTHROPIC_API_KEY="", DEEPSEEK_API_KEY="")
    wire.openai.says("hello")
    async with hub_of(settings, tmp_path) as hub:
        answer = await hub.query(LLMRequest(prompt="hi"))
    assert answer.provider == "openai"


async def test_a_free_quota_is_counted_in_the_ledger_and_survives_a_restart(wire, tmp_path):
    settings = settings_of(wire, tmp_path, LLM_DAILY_QUOTAS="")
    table = tmp_path / "models.toml"
    table.write_text(table.read_text() + "\n[quotas.openai]\ndaily = 5\nspare = 2\n")
    used = []
    for _ in range(3):
        async with hub_of(settings, tmp_path) as hub:
            for _ in range(2):
                used.append((await hub.query(LLMRequest(prompt="hi"))).provider)  # noqa: PERF401
    assert used == ["openai"] * 4 + ["deepseek"] * 2
    assert len(rows(tmp_path)) == 6


async def test_the_operators_default_model_replaces_the_tables(wire, tmp_path):
    settings = settings_of(
        wire, tmp_path, LLM_MODELS_FILE="", ANTHROPIC_MODEL_DEFAULT="claude-sonnet-4-6", OPENAI_API_KEY=""
    )
    async with hub_of(settings, tmp_path) as hub:
        answer = await hub.query(LLMRequest(prompt="hi", complexity="critical"))
    assert answer.model == "claude-sonnet-4-6"


async def test_the_local_tier_goes_first_for_short_simple_inputs(wire, tmp_path):
    settings = settings_of(
        wire,
        tmp_path,
        LLM_LOCAL_ENABLED="1",
        LLM_ENDPOINT_URL=f"{wire.ollama.origin}/api/generate",
        LLM_LOCAL_MAX_LENGTH="50",
    )
    async with hub_of(settings, tmp_path) as hub:
        short = await hub.query(LLMRequest(prompt="hi"))
        long = await hub.query(LLMRequest(prompt="hi " * 40))
        hard = await hub.query(LLMRequest(prompt="hi", complexity="complex"))
    assert (short.provider, short.model, short.cost_usd) == ("ollama", "local", Decimal(0))
    assert long.provider == "openai"
    assert hard.provider == "anthropic"


async def test_the_local_server_is_warmed_watched_and_released(wire, tmp_path):
    settings = settings_of(wire, tmp_path, LLM_LOCAL_ENABLED="1", LLM_ENDPOINT_URL=wire.ollama.origin)
    async with hub_of(settings, tmp_path) as hub:
        local = hub._parts.local
        assert local is not None
        await hub.query_batch([LLMRequest(prompt="hi")])
        assert local.warm
        warmed = [asked for asked in wire.ollama.requests if asked.path == "/api/generate"]
        assert warmed[0].body["options"] == {"num_predict": 1}
        assert [model.name for model in await local.resident()]
        wire.ollama.answers(500, times=3)
        assert (await hub.query(LLMRequest(prompt="hi"))).provider == "openai"
        await hub.query(LLMRequest(prompt="hi"))  # its first attempt is the third failure
        import asyncio

        for _ in range(50):
            await asyncio.sleep(0.01)
            released = [asked for asked in wire.ollama.requests if asked.body and asked.body.get("keep_alive") == 0]
            if released:
                break
        assert released
        assert not local.warm


def test_memory_left_is_read_from_the_system(tmp_path):
    from catalyst.llm.local import memory_left

    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:       1000 kB\nMemFree:  10 kB\nMemAvailable:    40 kB\n")
    assert memory_left(meminfo) == 0.04
    assert memory_left(tmp_path / "nothing") == 1.0


def test_gpu_memory_is_emptied_in_order_and_only_where_torch_holds_some():
    from catalyst.llm.local import empty_gpu

    class Cuda:
        def __init__(self, held: bool) -> None:
            self.calls: list[str] = []
            self.is_available = lambda: held
            self.is_initialized = lambda: held

        def __getattr__(self, name: str) -> Any:
            return lambda: self.calls.append(name)

    class Torch:
        def __init__(self, held: bool) -> None:
            self.cuda = Cuda(held)

    with_gpu, without = Torch(True), Torch(False)
    assert empty_gpu(with_gpu)
    assert with_gpu.cuda.calls == ["synchronize", "empty_cache", "reset_peak_memory_stats"]
    assert not empty_gpu(without)
    assert without.cuda.calls == []
