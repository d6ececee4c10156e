"""A request's way through the cache: what is served, what never is, and what a hit costs."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import structlog
from pydantic import BaseModel

import tests.llm.cache.cached as parts
from catalyst.clock import SystemClock
from catalyst.errors import LLMServiceError, LLMValidationError, StorageError
from catalyst.http import Http
from catalyst.llm import LLMRequest
from catalyst.llm.assembly import assemble
from catalyst.llm.cache.keys import document_key
from catalyst.llm.cache.meaning import Verdict
from catalyst.llm.service import LLMService
from catalyst.llm.types import Message, Tool
from tests.llm.cache.cached import Missing, cache_of, cached_hub, warm
from tests.llm.hub import rows, settings_of

Q3 = "What was Apple's revenue in Q3 2022?"
Q3_AGAIN = "Tell me AAPL's revenue in the third quarter of 2022, please"
Q2 = "What was Apple's revenue in Q2 2022?"


def question(prompt: str = Q3, **asked: Any) -> LLMRequest:
    return LLMRequest(prompt=prompt, complexity="simple", **asked)


def always(kind: Any) -> Any:
    return lambda asked, kept: Verdict(kind, "as the test says")


async def test_the_same_request_is_answered_from_the_cache_and_says_what_it_saved(wire, tmp_path):
    async with cached_hub(wire, tmp_path) as (hub, _):
        first = await hub.query(question())
        again = await hub.query(question())
        stats = hub.get_stats()["cache"]
    assert (first.cached, again.cached, again.cache_kind) == (False, True, "exact")
    assert (again.text, again.cost_usd, again.attempts) == (first.text, Decimal(0), [])
    assert first.cache_key == again.cache_key != ""
    assert first.cost_usd > 0
    assert stats["saved_usd"] == first.cost_usd
    assert (stats["hits"]["exact"], stats["misses"]) == (1, 1)
    assert len(wire.openai.requests) == 1
    assert rows(tmp_path, "cache_kind, cost, saved")[-1] == ("exact", 0, int(first.cost_usd * 10**9))


async def test_another_wording_of_the_same_question_is_the_same_question(wire, tmp_path):
    async with cached_hub(wire, tmp_path) as (hub, _):
        await hub.query(question())
        again = await hub.query(question(Q3_AGAIN))
        other = await hub.query(question(Q2))
        assert hub.get_stats()["cache"]["hits"]["canonical"] == 1
    assert (again.cached, again.cache_kind, other.cached) == (True, "semantic", False)


@pytest.mark.parametrize(
    "changed",
    [{"tenant": "globex"}, {"temperature": 0.1}, {"system_prompt": "Be brief."}, {"documents": ["a filing"]},
     {"model": "dear"}, {"max_tokens": 7}, {"seed": 1}, {"output_format": "json"}],
)  # fmt: skip
async def test_only_the_question_may_be_worded_otherwise(wire, tmp_path, changed):
    wire.openai.says('{"a": 1}', times=2)
    wire.anthropic.says("other")
    async with cached_hub(wire, tmp_path) as (hub, cache):
        await hub.query(question())
        await warm(cache)
        assert not (await hub.query(question(Q3_AGAIN, **changed))).cached


async def test_the_nearest_question_is_served_only_when_the_guard_proves_it_the_same(wire, tmp_path):
    for kind, cached in (("serve", True), ("verify", False), ("refuse", False)):
        folder = tmp_path / kind
        folder.mkdir()
        async with cached_hub(wire, folder, judge=always(kind), floor=0.5) as (hub, cache):
            await warm(cache)
            await hub.query(question())
            await warm(cache)
            found = await hub.query(question(Q2))
            await cache.settled()
            assert (found.cached, found.cache_kind) == ((True, "semantic") if cached else (False, None))
            outcomes = {pair.outcome for pair in await cache._store.pairs(10)}
        assert outcomes == {{"serve": "served", "verify": "agreed", "refuse": "refused"}[kind]}


async def test_a_similarity_below_the_floor_is_not_even_judged(wire, tmp_path):
    async with cached_hub(wire, tmp_path, judge=always("serve"), floor=0.999) as (hub, cache):
        await warm(cache)
        await hub.query(question())
        await warm(cache)
        assert not (await hub.query(question(Q2))).cached


async def test_a_doubtful_answer_is_served_after_enough_comparisons_agreed(wire, tmp_path):
    async with cached_hub(wire, tmp_path, judge=always("verify"), floor=0.5) as (hub, cache):
        await warm(cache)
        first = await hub.query(question())
        await warm(cache)
        assert not (await hub.query(question(Q2))).cached
        await cache.settled()
        for _ in range(297):
            await cache._store.compared(bytes.fromhex(first.cache_key), True)
        assert not (await hub.query(question("What was Apple's revenue in Q1 2022?"))).cached
        await cache.settled()
        served = await hub.query(question("What was Apple's revenue in Q4 2022?"))
        assert (served.cached, served.cache_kind) == (True, "semantic")
        assert hub.get_stats()["cache"]["hits"]["verified"] == 1


async def test_one_disagreement_ends_a_doubtful_entrys_chance_for_long(wire, tmp_path):
    wire.openai.says("94.8 billion")
    wire.openai.says("82.9 billion")
    async with cached_hub(wire, tmp_path, judge=always("verify"), floor=0.5) as (hub, cache):
        await warm(cache)
        first = await hub.query(question())
        await warm(cache)
        await hub.query(question(Q2))
        await cache.settled()
        entry = await cache._store.by_key(bytes.fromhex(first.cache_key))
        assert entry is not None
        found = (await cache._store.by_ids([entry.id]))[entry.id]
    assert (found.trust.agreed, found.trust.total) == (0, 1)


async def test_audits_compare_served_answers_with_what_the_model_says_now(wire, tmp_path):
    wire.openai.says("94.8 billion", times=2)
    async with cached_hub(wire, tmp_path, random=lambda: 0.0) as (hub, cache):
        await hub.query(question())
        assert (await hub.query(question(Q3_AGAIN))).cached
        await cache.settled()
        audits = hub.get_stats()["cache"]["audits"]
        assert (audits["judged"], audits["wrong"], audits["false_hit_rate"]) == (1, 0, 0.0)
        assert audits["interval"][1] > 0.9
        assert len(wire.openai.requests) == 2
    async with cached_hub(wire, tmp_path) as (hub, cache):
        await hub.query(question())
        assert hub.get_stats()["cache"]["audits"]["judged"] == 1


async def test_two_wrong_audits_end_matching_by_meaning_for_the_template(wire, tmp_path):
    for number in range(12):
        wire.openai.says(f"{number + 10} billion")
    async with cached_hub(wire, tmp_path, random=lambda: 0.0) as (hub, cache):
        for strike in (1, 2):
            assert not (await hub.query(question())).cached
            assert (await hub.query(question(Q3_AGAIN))).cached
            await cache.settled()
            assert hub.get_stats()["cache"]["audits"]["wrong"] == strike
        await hub.query(question())
        assert not (await hub.query(question(Q3_AGAIN))).cached
        assert (await hub.query(question())).cached
        assert (await cache._store.figures())["struck"] == 1


async def test_an_audit_spends_the_tenants_budget_but_not_its_limits(wire, tmp_path):
    names = {"LLM_TENANT_LIMITS": "acme=1/0/0", "LLM_QUEUE_SECONDS": "0"}
    async with cached_hub(wire, tmp_path, random=lambda: 0.0, names=names) as (hub, cache):
        await hub.query(question(tenant="acme"))
        await hub.query(question(Q3_AGAIN, tenant="acme"))
        await cache.settled()
    assert rows(tmp_path, "tenant, cache_kind") == [("acme", ""), ("acme", "semantic"), ("acme", "")]


async def test_a_rejected_answer_is_gone_at_once_and_asked_anew(wire, tmp_path):
    async with cached_hub(wire, tmp_path) as (hub, cache):
        first = await hub.query(question())
        assert await cache.reject(first.cache_key)
        assert not (await hub.query(question())).cached
        assert not (await hub.query(question())).cached
        assert not await cache.reject(first.cache_key)
    assert len(wire.openai.requests) == 3


async def test_two_rejections_end_matching_by_meaning_for_the_template(wire, tmp_path):
    async with cached_hub(wire, tmp_path) as (hub, cache):
        for prompt in (Q3, Q2):
            await cache.reject((await hub.query(question(prompt))).cache_key)
        await hub.query(question("What was Apple's net income in 2021?"))
        assert not (await hub.query(question("Give me AAPL's net income for fiscal 2021"))).cached
        assert (await hub.query(question("What was Apple's net income in 2021?"))).cached


async def test_a_thumbs_down_while_the_answer_is_in_flight_keeps_it_out(wire, tmp_path):
    async with cached_hub(wire, tmp_path) as (hub, cache):
        known = (await hub.query(question())).cache_key
        await cache.settled()
        await cache._store.clear()
        wire.openai.says("poison", delay=0.3)
        flying = asyncio.create_task(hub.query(question()))
        async with asyncio.timeout(20):
            while len(wire.openai.requests) < 2:
                await asyncio.sleep(0.01)
        await cache.reject(known)
        assert (await flying).text == "poison"
        assert not (await hub.query(question())).cached


async def test_an_answer_dies_at_its_time_and_hits_do_not_renew_it(wire, tmp_path):
    async with cached_hub(wire, tmp_path, load=None) as (hub, cache):
        job = hub.prepare(question(cache_ttl_seconds=100))
        key = (await hub.query(job.request)).cache_key
        await cache.settled()
        kept = await cache._store.by_key(bytes.fromhex(key))
        assert kept is not None
        assert kept.expires - kept.created == 100
        hits = []
        for age in (50.0, 99.9, 100.0):
            late = cache_of(tmp_path, _Stopped(kept.created + age), load=None)
            hits.append((await late.visit(job)).hit is not None)
            await late.close()
    assert hits == [True, True, False]


class _Stopped:
    """A clock that stands still."""

    def __init__(self, at: float) -> None:
        self._at = at

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._at, UTC)

    def monotonic(self) -> float:
        return 1_000.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)

    def timeout(self, seconds: float | None) -> Any:
        return asyncio.timeout(seconds)

    def working(self) -> Any:
        return contextlib.nullcontext()


async def test_a_request_that_wants_a_younger_answer_gets_none_that_is_older(wire, tmp_path):
    async with cached_hub(wire, tmp_path, load=None) as (hub, cache):
        await hub.query(question())
        job = hub.prepare(question(cache_ttl_seconds=60))
        kept = await cache._store.by_key(bytes.fromhex((await cache.visit(job)).key))
        assert kept is not None
        late = cache_of(tmp_path, _Stopped(kept.created + 61), load=None)
        assert (await late.visit(job)).hit is None
        assert (await late.visit(hub.prepare(question()))).hit is not None
        await late.close()


async def test_an_expired_answer_is_served_while_a_new_one_is_fetched_where_that_is_wanted(wire, tmp_path):
    wire.openai.says("old")
    wire.openai.says("new")
    async with cached_hub(wire, tmp_path, load=None, ttl_seconds=0.2, stale_seconds=60) as (hub, cache):
        assert (await hub.query(question())).text == "old"
        await asyncio.sleep(0.25)
        stale = await hub.query(question())
        await cache.settled()
        fresh = await hub.query(question())
        assert hub.get_stats()["cache"]["stale"] >= 1
    assert (stale.text, stale.cached, fresh.text, fresh.cached) == ("old", True, "new", True)


async def test_a_request_that_asks_for_no_time_is_not_kept(wire, tmp_path):
    async with cached_hub(wire, tmp_path) as (hub, _):
        for _ in range(2):
            found = await hub.query(question(cache_ttl_seconds=0))
            assert (found.cached, found.cache_key) == (False, "")


async def test_a_truncated_answer_and_a_tool_call_are_not_kept(wire, tmp_path):
    wire.openai.says("cut o", finish="length")
    async with cached_hub(wire, tmp_path) as (hub, _):
        assert (await hub.query(question())).finish_reason == "length"
        assert not (await hub.query(question())).cached
        tool = question("Weather?", tools=[Tool(name="weather")])
        wire.openai.says("", tool_calls=[("call_1", "weather", "{}")])
        assert (await hub.query(tool)).tool_calls
        assert not (await hub.query(tool)).cached


async def test_an_answer_that_never_met_its_schema_is_not_kept(wire, tmp_path):
    wire.openai.says("no json", times=2)
    wire.openai.says('{"a": 1}')
    async with cached_hub(wire, tmp_path) as (hub, _):
        with pytest.raises(LLMValidationError):
            await hub.query(question(output_format="json"))
        assert not (await hub.query(question(output_format="json"))).cached
        assert (await hub.query(question(output_format="json"))).parsed_output == {"a": 1}


class Figure(BaseModel):
    value: int


async def test_a_kept_answer_is_parsed_again_into_the_model_class(wire, tmp_path):
    wire.openai.says('{"value": 7}')
    asked = question(output_format="pydantic", output_schema=Figure)
    async with cached_hub(wire, tmp_path) as (hub, _):
        await hub.query(asked)
        again = await hub.query(asked)
    assert again.cached
    assert again.parsed_output == Figure(value=7)


async def test_a_stream_that_ended_is_kept_and_replayed_as_a_stream(wire, tmp_path):
    async with cached_hub(wire, tmp_path) as (hub, _):
        first = hub.stream(question())
        told = "".join([delta.text async for delta in first])
        again = hub.stream(question())
        pieces = [delta async for delta in again]
        plain = await hub.query(question())
    assert first.response is not None
    assert again.response is not None
    assert "".join(piece.text for piece in pieces) == told == plain.text != ""
    assert (pieces[-1].finish_reason, pieces[-1].usage is not None) == ("stop", True)
    assert (first.response.cached, again.response.cached, plain.cached) == (False, True, True)
    assert again.response.cost_usd == 0
    assert len(wire.openai.requests) == 1


async def test_a_stream_abandoned_half_way_is_not_kept_and_lets_others_go(wire, tmp_path):
    wire.openai.says("one two three four five six seven eight")
    async with cached_hub(wire, tmp_path) as (hub, _):
        stream = hub.stream(question())
        async for _ in stream:
            break
        waiting = asyncio.create_task(hub.query(question()))
        await asyncio.sleep(0.05)
        await stream.aclose()
        assert not (await waiting).cached
    assert stream.response is None
    assert len(wire.openai.requests) == 2


async def test_a_withdrawn_document_takes_its_answers_along(wire, tmp_path):
    async with cached_hub(wire, tmp_path) as (hub, cache):
        asked = question("What is new?", documents=["the filing"])
        await hub.query(asked)
        assert await cache.forget_document("the filing") == 1
        assert not (await hub.query(asked)).cached
        assert document_key("the filing") != document_key("the filing ")


async def test_two_filings_under_one_prompt_head_never_share_an_answer(wire, tmp_path):
    head = "Read the filing below and tell what matters to a shareholder. " * 30
    async with cached_hub(wire, tmp_path, judge=always("serve"), floor=0.0) as (hub, cache):
        await warm(cache)
        await hub.query(question(f"{head} Item 2.02: revenue rose."))
        await warm(cache)
        assert not (await hub.query(question(f"{head} Item 4.02: do not rely on it."))).cached
        await hub.query(question("Analyse.", documents=[head + "a"]))
        assert not (await hub.query(question("Analyse.", documents=[head + "b"]))).cached


async def test_a_chat_matches_on_its_whole_history_only(wire, tmp_path):
    def chat(*said: str) -> LLMRequest:
        roles = ("user", "assistant")
        turns = [Message(role=roles[place % 2], content=text) for place, text in enumerate(said)]
        return LLMRequest(messages=turns, complexity="simple")

    async with cached_hub(wire, tmp_path) as (hub, _):
        await hub.query(chat("Hello", "Hi", Q3))
        assert not (await hub.query(chat("Hello", "Hey", Q3))).cached
        assert not (await hub.query(chat("Hello", "Hi", Q3_AGAIN))).cached
        assert (await hub.query(chat("Hello", "Hi", Q3))).cached


@pytest.mark.parametrize(
    "text",
    ["", " \n\t", "🚀🚀🚀", "アップルの売上高は?", "Какая выручка?", "x" * 500_000, "\x00\x01", "\ud800", "a" * 2_000],
)
async def test_odd_questions_are_answered_and_match_their_own_text_only(wire, tmp_path, text):
    cache = cache_of(tmp_path)
    async with cached_hub(wire, tmp_path) as (hub, _):
        response = await hub.query(question(enable_cache=False))
        request = LLMRequest(prompt=text or " ", complexity="simple")
        visit = await cache.visit(hub.prepare(request))
        assert visit.hit is None
        await visit.keep(response)
        again = await cache.visit(hub.prepare(request))
        other = await cache.visit(hub.prepare(LLMRequest(prompt=text + "!", complexity="simple")))
        assert again.hit is not None
        assert again.hit.kind == "exact"
        assert other.hit is None or other.hit.kind == "semantic"
        again.leave()
        other.leave()
    assert cache._tally.events["error"] == 0
    await cache.close()


async def test_without_the_models_package_exact_levels_go_on_and_it_is_said_once(wire, tmp_path):
    with structlog.testing.capture_logs() as logs:
        async with cached_hub(wire, tmp_path, load=Missing()) as (hub, cache):
            for prompt in (Q3, Q2, "What did Apple pay for Beats in 2014?"):
                await hub.query(question(prompt))
                await cache.settled()
            assert (await hub.query(question())).cached
            assert (await hub.query(question(Q3_AGAIN))).cached
            assert hub.get_stats()["cache"]["meaning"]["state"] == "missing"
    assert [entry["event"] for entry in logs].count("cache.meaning.off") == 1


async def test_a_cache_that_fails_is_a_miss(wire, tmp_path):
    async with cached_hub(wire, tmp_path) as (hub, cache):
        await hub.query(question())

        async def broken(key: bytes) -> None:
            raise StorageError("gone")

        cache._store.by_key = broken  # type: ignore[method-assign]
        assert not (await hub.query(question())).cached
        assert hub.get_stats()["cache"]["error"] == 1


async def test_a_database_that_vanishes_is_a_cold_cache(wire, tmp_path):
    async with cached_hub(wire, tmp_path) as (hub, cache):
        await hub.query(question())
        await cache.settled()
        for path in tmp_path.glob("cache.db*"):
            path.unlink()
        assert not (await hub.query(question())).cached
        assert (await hub.query(question())).cached


async def test_a_hundred_same_questions_at_once_are_one_call_and_read_by_one_reader(wire, tmp_path, monkeypatch):
    made: list[str] = []
    make = parts.reader

    def counted() -> Any:
        made.append("one")
        return make()

    monkeypatch.setattr(parts, "reader", counted)
    wire.openai.says("once", delay=0.2)
    async with cached_hub(wire, tmp_path) as (hub, _):
        found = await asyncio.gather(*(hub.query(question()) for _ in range(100)))
        assert hub.get_stats()["cache"]["waited"] == 99
    assert len(wire.openai.requests) == len(made) == 1
    assert sorted(answer.cached for answer in found) == [False] + [True] * 99


async def test_a_leader_that_fails_lets_the_others_ask(wire, tmp_path):
    wire.openai.says("cut o", finish="length", delay=0.2)
    async with cached_hub(wire, tmp_path) as (hub, _):
        found = await asyncio.gather(*(hub.query(question()) for _ in range(3)))
    assert [answer.cached for answer in found].count(False) >= 1
    assert all(answer.text for answer in found)


async def test_a_leader_that_is_cancelled_lets_the_others_ask(wire, tmp_path):
    wire.openai.says("never", delay=5.0)
    async with cached_hub(wire, tmp_path) as (hub, _):
        leader = asyncio.create_task(hub.query(question()))
        while not wire.openai.requests:
            await asyncio.sleep(0.01)
        follower = asyncio.create_task(hub.query(question()))
        await asyncio.sleep(0.05)
        leader.cancel()
        assert (await follower).text
        with pytest.raises(asyncio.CancelledError):
            await leader


async def test_a_waiter_that_loses_patience_asks_by_itself(wire, tmp_path):
    wire.openai.says("slow", delay=3.0)
    async with cached_hub(wire, tmp_path) as (hub, _):
        leader = asyncio.create_task(hub.query(question()))
        while not wire.openai.requests:
            await asyncio.sleep(0.01)
        answer = await hub.query(question(timeout_seconds=1.4))
        assert not answer.cached
        assert not leader.done()
        leader.cancel()
        with contextlib.suppress(asyncio.CancelledError, LLMServiceError):
            await leader


async def test_a_script_may_ask_twice_in_two_event_loops(wire, tmp_path):
    def script() -> list[bool]:
        clock = SystemClock()
        parts = assemble(settings_of(wire, tmp_path), Http(clock), clock, tmp_path, cache=cache_of(tmp_path))
        hub = LLMService(parts)
        found = [hub.query_sync(question()).cached for _ in range(3)]
        asyncio.run(hub.close())
        return found

    assert await asyncio.to_thread(script) == [False, True, True]
