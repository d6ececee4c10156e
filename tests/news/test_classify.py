"""What goes to the model and what comes back, over a provider that speaks the wire."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from catalyst.clock import SimClock, SystemClock
from catalyst.http import Http
from catalyst.llm.prompts import PromptRegistry
from catalyst.news.classify import MOST_AT_ONCE, Classifier
from catalyst.news.settings import NewsSettings
from catalyst.sentiment import Scorer
from catalyst.web.classify import MOST_TEXTS, classify_router
from tests.llm.hub import hub_of, settings_of
from tests.news.rig import Wire as FeedWire
from tests.news.rig import desk, serving
from tests.web.service import QUICK, Service

GOOD = "Elm Robotics beats estimates and raises guidance"
BAD = "Elm Robotics misses estimates and cuts guidance"
DULL = "Where to eat in Lisbon this spring"
QUIET = NewsSettings(poll_seconds=0.05, batch_delay=0.0)


def reading(**fields: Any) -> str:
    plain = {
        "label": "bearish", "sentiment": -0.7, "relevance": 0.9, "confidence": 0.8, "event_type": "guidance",
        "reason": "It cuts its outlook.",
    }  # fmt: skip
    return json.dumps(plain | fields)


def by_rules(clock: Any = None, **settings: Any) -> Classifier:
    return Classifier(Scorer(), clock or SystemClock(), NewsSettings(**settings))


async def test_without_a_model_the_rules_answer_and_say_so() -> None:
    good, bad, dull = await by_rules().classify_batch([GOOD, BAD, DULL])
    assert (good.label, bad.label, dull.label) == ("bullish", "bearish", "neutral")
    assert (good.wanted, bad.wanted, dull.wanted) == (True, True, False)
    assert {found.source for found in (good, bad, dull)} == {"rules"}
    assert good.scores.model is None
    assert good.sentiment == good.scores.value
    assert good.keywords


async def test_bad_news_goes_to_the_model_as_good_news_does_and_dull_news_does_not(tmp_path, wire) -> None:
    wire.openai.says(reading(), times=2)
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        judge = Classifier(Scorer(), SystemClock(), QUIET, hub, PromptRegistry.load())
        good, bad, dull = await judge.classify_batch([GOOD, BAD, DULL])
    assert len(wire.openai.requests) == 2
    assert (good.source, bad.source, dull.source) == ("llm", "llm", "rules")
    assert bad.label == "bearish"
    assert bad.scores.model == -0.7
    assert bad.scores.value < 0
    assert (bad.event_type, bad.reason, bad.confidence) == ("guidance", "It cuts its outlook.", 0.8)
    assert bad.model
    assert bad.cost_usd > 0


async def test_one_failure_spoils_no_other_and_the_rules_stand_in_for_it(tmp_path, wire) -> None:
    wire.openai.says("no JSON at all", times=1)
    wire.openai.says("still none", times=1)
    async with hub_of(settings_of(wire, tmp_path, DEEPSEEK_API_KEY="", ANTHROPIC_API_KEY=""), tmp_path) as hub:
        judge = Classifier(Scorer(), SystemClock(), QUIET, hub, PromptRegistry.load())
        failed = await judge.classify(BAD)
        wire.openai.says(reading(sentiment=0.6, label="bullish"))
        fine = await judge.classify(GOOD)
    assert (failed.source, failed.label, failed.sentiment) == ("rules", "bearish", failed.scores.value)
    assert failed.error
    assert (fine.source, fine.error) == ("llm", "")


async def test_a_label_against_its_own_sentiment_is_no_label(tmp_path, wire) -> None:
    wire.openai.says(reading(label="bullish", sentiment=-0.9))
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        found = await Classifier(Scorer(), SystemClock(), QUIET, hub, PromptRegistry.load()).classify(BAD)
    assert (found.label, found.sentiment, found.confidence) == ("neutral", 0.0, 0.0)
    assert found.scores.model == -0.9


async def test_a_model_cannot_put_an_address_before_a_trader(tmp_path, wire) -> None:
    wire.openai.says(reading(reason="See https://evil.test/now", event_type="www.evil.test"))
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        found = await Classifier(Scorer(), SystemClock(), QUIET, hub, PromptRegistry.load()).classify(BAD)
    assert (found.reason, found.event_type) == ("", "")


async def test_the_feature_flag_keeps_every_headline_from_the_model(tmp_path, wire) -> None:
    settings = NewsSettings(use_model=False)
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        found = await Classifier(Scorer(), SystemClock(), settings, hub, PromptRegistry.load()).classify(BAD)
    assert found.source == "rules"
    assert wire.openai.requests == []


async def test_batches_are_spaced_but_not_for_high_priority(tmp_path, wire, clock: SimClock) -> None:
    texts = [f"Elm Robotics misses estimates for the {number}th time" for number in range(6)]
    wire.openai.says(reading(), times=20)
    async with Http(clock), hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        settings = NewsSettings(batch_size=2, batch_delay=2.0)
        judge = Classifier(Scorer(), clock, settings, hub, PromptRegistry.load())
        began = clock.monotonic()
        await judge.classify_batch(texts, priority="high")
        assert clock.monotonic() - began < 0.5
        began = clock.monotonic()
        with clock.working():
            pass
        await judge.classify_batch([text + " again" for text in texts])
        assert clock.monotonic() - began >= 2.0


def test_batches_grow_and_pauses_shrink_under_backlog() -> None:
    judge = by_rules()
    assert (judge.batch_size(3), judge.batch_size(20), judge.batch_size(40)) == (5, 5, 10)
    assert judge.batch_size(10_000) == MOST_AT_ONCE
    pauses = [judge.pause(waiting, urgent=False) for waiting in (5, 10, 20, 200)]
    assert pauses == [2.0, 2.0, 1.0, 0.1]
    assert judge.pause(5, urgent=True) == 0.0
    assert judge.pause(0, urgent=False) == 0.0


async def test_a_headline_gets_an_alert_at_once_and_the_models_word_as_its_last(tmp_path, wire) -> None:
    feed = FeedWire()
    feed.put(BAD, DULL)
    wire.openai.says(reading())
    async with (
        serving(feed),
        hub_of(settings_of(wire, tmp_path), tmp_path) as hub,
        desk(tmp_path, feed, settings=QUIET, hub=hub, prompts=PromptRegistry.load()) as running,
    ):
        messages = await running.until(3)
    told = {message["title"]: message for message in messages if message["version"] == 1}
    [update] = [message for message in messages if message["type"] == "headline_update"]
    assert told[BAD]["final"] is False
    assert told[BAD]["analysis"]["source"] == "rules"
    assert told[DULL]["final"] is True
    assert (update["headline_id"], update["version"], update["final"]) == (told[BAD]["headline_id"], 2, True)
    assert update["scores"]["model"] == -0.7
    assert update["scores"]["value"] == told[BAD]["scores"]["value"]
    assert update["analysis"]["summary"] == "It cuts its outlook."


async def test_a_headline_of_high_priority_waits_for_no_pause(tmp_path, wire) -> None:
    feed = FeedWire()
    feed.put("Elm Robotics (NYSE: ELMR) sees mixed demand", "Brook (NYSE: BRKS) reviews its offices")
    wire.openai.says(reading(), times=5)
    hour = NewsSettings(poll_seconds=0.05, batch_size=1, batch_delay=3600.0, min_relevance=0.0)
    urgent = "Quoxley (NASDAQ: QUOX) plunges 40% after profit warning, cuts guidance"
    async with (
        serving(feed),
        hub_of(settings_of(wire, tmp_path), tmp_path) as hub,
        desk(tmp_path, feed, settings=hour, hub=hub, prompts=PromptRegistry.load()) as running,
    ):
        first = await running.until(3)
        assert sum(message["final"] for message in first) == 1
        feed.put(urgent)
        messages = await running.until(5)
    assert (messages[-1]["title"], messages[-1]["final"]) == (urgent, True)


async def test_when_the_model_fails_the_last_word_is_the_rules(tmp_path, wire) -> None:
    feed = FeedWire()
    feed.put(BAD)
    for vendor in (wire.openai, wire.deepseek, wire.anthropic):
        vendor.answers(500, times=20)
    async with (
        serving(feed),
        hub_of(settings_of(wire, tmp_path, LLM_MAX_RETRIES="0"), tmp_path) as hub,
        desk(tmp_path, feed, settings=QUIET, hub=hub, prompts=PromptRegistry.load()) as running,
    ):
        _, update = await running.until(2)
        async with asyncio.timeout(5):
            while not await running.desk.idle():
                await asyncio.sleep(0.01)
        assert running.desk.counts["model_failures"] == 1
    assert update["final"] is True
    assert update["analysis"]["source"] == "rules"
    assert update["scores"]["model"] is None


async def test_an_alert_whose_update_was_not_written_before_a_kill_gets_it_after(tmp_path, wire) -> None:
    feed = FeedWire()
    feed.put(BAD)
    wire.openai.says(reading(), hang=True)
    async with (
        serving(feed),
        hub_of(settings_of(wire, tmp_path), tmp_path) as hub,
        desk(tmp_path, feed, settings=QUIET, hub=hub, prompts=PromptRegistry.load()) as running,
    ):
        await running.until(1)
    async with serving(feed), desk(tmp_path, feed, settings=QUIET) as running:
        first, last = await running.until(2)
    assert (first["final"], last["final"]) == (False, True)
    assert (first["version"], last["version"]) == (1, 2)
    assert first["headline_id"] == last["headline_id"]


@pytest.fixture
async def service(tmp_path):
    running = Service(tmp_path / "stream.db", QUICK, routers=[classify_router(by_rules())])
    await running.start()
    yield running
    await running.stop()


async def test_classify_over_http(service) -> None:
    async with Http(SystemClock()) as http:
        body = json.dumps({"texts": [GOOD, "not bullish"]}).encode()
        headers = {"Content-Type": "application/json"}
        answer = await http.request("POST", service.http + "/classify", headers=headers, body=body)
        results = json.loads(answer.body)["results"]
        assert [found["label"] for found in results] == ["bullish", "bearish"]
        assert results[0]["scores"]["value"] > 0
        wrong: list[dict[str, Any]] = [
            {},
            {"texts": []},
            {"texts": [""]},
            {"texts": ["x"] * (MOST_TEXTS + 1)},
            {"texts": ["x"], "y": 1},
        ]
        for bad in wrong:
            refused = await http.request(
                "POST", service.http + "/classify", headers=headers, body=json.dumps(bad).encode(), check=False
            )
            assert refused.status == 422
