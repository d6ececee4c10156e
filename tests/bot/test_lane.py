"""A lane between a real outbox and a strict Discord: two phases, terminal in every case, never twice, never lost."""

from __future__ import annotations

import asyncio
import math
import time
from decimal import Decimal

import pytest

from catalyst.bot.outbox import State
from catalyst.bot.prices import Screen
from catalyst.bot.quotes import Bar
from catalyst.bot.senders import Delivery
from catalyst.stream.types import AlertType
from tests.bot.rig import PNG, Prices, Rig, fact, told

AI = "AI analysis"


async def test_an_alert_is_posted_at_once_and_says_that_the_model_is_at_work(rig: Rig):
    hook = rig.webhook()
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until_states(posted=1)
    [message] = rig.discord.of(hook)
    assert message.embed["title"] == "ACME · Acme Widgets, Inc."
    assert message.value("Filing") == "8-K: item 2.02, 9.01"
    assert message.value("Price") == "price unavailable"
    assert message.value("Sentiment") == "▲ bullish +0.42 (rules)"
    due = math.ceil(rig.clock.now().timestamp() + 10)
    assert message.value(AI) == f"AI analysis: processing; due <t:{due}:R>"
    assert message.body["allowed_mentions"] == {"parse": []}
    assert rig.discord.refused == []


async def test_the_update_edits_the_same_message_with_verified_facts_only(rig: Rig):
    hook = rig.webhook()
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until_states(posted=1)
    facts = [fact("revenue", "1250000000", verified=True), fact("net_income", "77000000", verified=False)]
    update = told(rig.clock, version=2, final=True, facts=facts, summary="Revenue rose.", grounded_share=0.5)
    await rig.take(update)
    await rig.until_states(enriched=1)
    [message] = rig.discord.of(hook)
    assert len(message.edits) == 1
    assert "revenue: $1.25 billion" in message.value("Verified facts")
    assert "77" not in message.value("Verified facts")
    assert "1 not found" in message.value("Verified facts")
    assert "processing" not in message.value(AI)
    assert message.edits[0][1]["allowed_mentions"] == {"parse": []}
    assert len(message.embed["fields"]) <= 7


async def test_ten_seconds_without_an_update_end_in_a_note_and_a_later_update_still_edits(rig: Rig):
    hook = rig.webhook()
    rig.run()
    begun = rig.clock.now().timestamp()
    await rig.take(told(rig.clock))
    await rig.until_states(leap=True, timed_out=1)
    [message] = rig.discord.of(hook)
    assert "none within 10 s" in message.value(AI)
    assert 9.9 <= message.edits[0][0] - begun <= 10.5
    await rig.take(told(rig.clock, version=2, final=True))
    await rig.until_states(enriched=1)
    assert "none within" not in message.value(AI)


async def test_after_a_restart_the_ten_seconds_count_from_the_start(rig: Rig):
    hook = rig.webhook()
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until_states(posted=1)
    await rig.stop()
    rig.run()
    await rig.restart()
    begun = rig.clock.now().timestamp()
    await rig.until_states(leap=True, timed_out=1)
    [message] = rig.discord.of(hook)
    assert 9.0 <= message.edits[-1][0] - begun <= 10.5
    assert len(rig.discord.messages) == 1


async def test_an_update_that_overtakes_the_post_makes_one_message_that_is_final_at_once(rig: Rig):
    hook = rig.webhook()
    await rig.take(told(rig.clock), told(rig.clock, version=2, final=True))
    rig.run()
    await rig.until_states(enriched=1)
    [message] = rig.discord.of(hook)
    assert message.edits == []
    assert "processing" not in message.value(AI)


async def test_headlines_are_told_like_filings(rig: Rig):
    hook = rig.webhook()
    rig.run()
    await rig.take(told(rig.clock, kind=AlertType.HEADLINE_ALERT))
    await rig.until_states(posted=1)
    await rig.take(told(rig.clock, kind=AlertType.HEADLINE_UPDATE, version=2, final=True))
    await rig.until_states(enriched=1)
    [message] = rig.discord.of(hook)
    assert message.value("Source") == "8-K"


@pytest.mark.parametrize("trouble", ["hang", "raise", "none", "stale"])
async def test_a_price_never_blocks_an_alert(rig: Rig, trouble: str):
    prices = rig.prices = Prices(rig.clock)
    rig.boot()
    prices.hang = trouble == "hang"
    prices.error = RuntimeError("dead") if trouble == "raise" else None
    if trouble == "stale":
        prices.set("ACME", 3)
        await rig.sleep(4000)
    hook = rig.webhook()
    rig.run()
    begun = rig.clock.now().timestamp()
    await rig.take(told(rig.clock))
    await rig.until_states(posted=1)
    [message] = rig.discord.of(hook)
    assert message.value("Price") == "price unavailable"
    assert message.at - begun < 1.0


async def test_a_price_shows_its_change_and_its_delay(rig: Rig):
    prices = rig.prices = Prices(rig.clock)
    rig.boot()
    prices.set("ACME", "12.34", "12.00", delay_s=900, session="post")
    hook = rig.webhook()
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until_states(posted=1)
    assert rig.discord.of(hook)[0].value("Price") == "$12.34 (+2.8 %), 15 min delayed, after hours"


async def test_the_chart_comes_with_an_edit(rig: Rig):
    prices = rig.prices = Prices(rig.clock)
    prices.bar = [Bar(rig.clock.now(), 1, 2, 1, 2)]
    rig.chart = lambda bars, quote, alert: PNG
    rig.boot()
    hook = rig.webhook()
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until(lambda: rig.beside.chart(told(rig.clock).filing_id))
    await rig.take(told(rig.clock, version=2, final=True))
    await rig.until(lambda: rig.discord.of(hook)[0].files == ["chart.png"])
    assert rig.discord.of(hook)[0].embed["image"] == {"url": "attachment://chart.png"}
    await rig.until_states(enriched=1)
    assert rig.discord.refused == []


@pytest.mark.parametrize("trouble", ["raise", "garbage", "hang"])
async def test_a_chart_that_fails_changes_nothing(rig: Rig, trouble: str):
    def chart(*_: object):
        if trouble == "raise":
            raise ValueError("no")
        if trouble == "hang":
            time.sleep(3)
        return b"not a picture"

    prices = rig.prices = Prices(rig.clock)
    prices.bar = [Bar(rig.clock.now(), 1, 2, 1, 2)]
    rig.chart = chart
    rig.boot()
    hook = rig.webhook()
    rig.run()
    await rig.take(told(rig.clock), told(rig.clock, version=2, final=True))
    await rig.until_states(enriched=1)
    [message] = rig.discord.of(hook)
    assert message.files == []


async def test_a_card_that_cannot_be_drawn_is_told_with_the_least(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("catalyst.bot.lane.card", broken)
    hook = rig.webhook()
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until_states(leap=True, timed_out=1)
    [message] = rig.discord.of(hook)
    assert message.embed["title"] == "ACME · Acme Widgets, Inc."
    assert "processing" not in message.value(AI)


async def test_stopping_leaves_no_message_that_says_processing(rig: Rig):
    hook = rig.webhook()
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until_states(posted=1)
    await rig.stop()
    await rig.lane.last_words()
    [message] = rig.discord.of(hook)
    assert "interrupted" in message.value(AI)
    await rig.restart()
    await rig.take(told(rig.clock, version=2, final=True))
    await rig.until_states(enriched=1)
    assert "interrupted" not in message.value(AI)


async def test_a_deleted_message_is_gone_and_the_others_go_on(rig: Rig):
    hook = rig.webhook()
    rig.run()
    await rig.take(told(rig.clock, 1), told(rig.clock, 2))
    await rig.until_states(posted=2)
    rig.discord.delete_message(rig.discord.of(hook)[0].id)
    await rig.take(told(rig.clock, 1, version=2, final=True), told(rig.clock, 2, version=2, final=True))
    await rig.until_states(gone=1, enriched=1)


async def test_a_deleted_webhook_ends_its_lane_and_no_other(rig: Rig):
    first, second = rig.webhook(), rig.webhook()
    rig.run()
    rig.discord.delete_webhook(first)
    await rig.take(told(rig.clock))
    await rig.until_states(gone=1, posted=1)
    assert "10015" in rig.lane.gone
    await rig.take(told(rig.clock, 2))
    await rig.until(lambda: len(rig.discord.of(second)) == 2)
    assert len(rig.discord.refused) == 1


async def test_a_bot_without_the_right_waits_until_it_has_it(rig: Rig):
    channel = rig.bot()
    rig.discord.no_right.add(channel)
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until(lambda: rig.discord.refused)
    rig.discord.no_right.clear()
    await rig.until(lambda: rig.discord.of(channel), leap=True)


@pytest.mark.parametrize("kind", ["webhook", "bot"])
@pytest.mark.parametrize(
    "fault",
    [{"reset": True}, {"status": 500}, {"status": 502, "body": "no JSON"}, {"reset": True, "after": True},
     {"hang": True}, {"hang": True, "after": True}, {"delay": 0.05, "after": True}],
)  # fmt: skip
async def test_nothing_is_lost_and_a_bot_never_posts_twice(rig: Rig, kind: str, fault: dict):
    place = rig.webhook() if kind == "webhook" else rig.bot()
    rig.discord.fault("post", **fault)
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until_states(leap=True, detected=0)
    messages = rig.discord.of(place)
    accepted_unseen = fault.get("after") and not fault.get("delay")
    twice = kind == "webhook" and accepted_unseen
    assert len(messages) == (2 if twice else 1)
    counts = await rig.states()
    assert counts["doubts"] >= (1 if twice else 0)
    if kind == "bot":
        assert counts["doubts"] == 0


@pytest.mark.parametrize("fault", [{"reset": True}, {"status": 503}, {"reset": True, "after": True}, {"hang": True}])
async def test_an_edit_that_fails_is_tried_again(rig: Rig, fault: dict):
    hook = rig.webhook()
    rig.discord.fault("edit", times=2, **fault)
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until_states(posted=1)
    await rig.take(told(rig.clock, version=2, final=True))
    await rig.until_states(leap=True, enriched=1)
    assert "processing" not in rig.discord.of(hook)[0].value(AI)


async def test_a_bots_post_that_nobody_saw_end_is_found_again_long_after(rig: Rig):
    channel = rig.bot()
    rig.discord.fault("post", hang=True, after=True)
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until(lambda: rig.discord.of(channel), leap=True)
    await rig.stop()
    await rig.sleep(3000)
    await rig.restart()
    await rig.until_states(leap=True, detected=0)
    assert len(rig.discord.of(channel)) == 1
    assert (await rig.states())["doubts"] == 0


async def test_a_webhooks_send_that_a_kill_cut_off_is_counted(rig: Rig):
    hook = rig.webhook()
    rig.discord.fault("post", hang=True, after=True)
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until(lambda: rig.discord.of(hook))
    await rig.restart()
    await rig.until_states(leap=True, detected=0)
    assert len(rig.discord.of(hook)) == 2
    assert (await rig.states())["doubts"] == 1


async def test_off_means_one_message_with_the_final_word(rig: Rig):
    rig.progressive = False
    hook = rig.webhook()
    rig.run()
    await rig.take(told(rig.clock))
    await asyncio.sleep(0.05)
    assert rig.discord.of(hook) == []
    await rig.take(told(rig.clock, version=2, final=True))
    await rig.until_states(enriched=1)
    assert rig.discord.of(hook)[0].edits == []
    await rig.take(told(rig.clock, 2))
    await rig.until_states(leap=True, timed_out=1)


async def test_superseded_words_are_never_sent(rig: Rig):
    hook = rig.webhook()
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until_states(posted=1)
    await rig.stop()
    await rig.take(*(told(rig.clock, version=n, final=n == 9) for n in range(2, 10)))
    rig.run()
    await rig.until_states(enriched=1)
    [message] = rig.discord.of(hook)
    assert len(message.edits) == 1


async def test_an_old_messages_limit_of_edits_is_waited_for(rig: Rig):
    hook = rig.webhook()
    rig.run()
    await rig.take(*(told(rig.clock, n) for n in range(1, 6)))
    await rig.until_states(leap=True, timed_out=5)
    await rig.sleep(4000)
    await rig.take(*(told(rig.clock, n, version=2, final=True) for n in range(1, 6)))
    await rig.until_states(leap=True, enriched=5)
    assert all("none within" not in message.value(AI) for message in rig.discord.of(hook))
    assert State.ENRICHED.value == "enriched"


class Broken:
    """A sender with a fault of its own, for one filing."""

    exact = True

    def __init__(self) -> None:
        self.posts: list[str] = []
        self.edits: list[str] = []
        self.faults = 2

    async def post(self, delivery: Delivery) -> str:
        if self.faults:
            self.faults -= 1
            raise ZeroDivisionError
        self.posts.append(delivery.alerts[0].filing_id)
        return delivery.nonce

    async def edit(self, message_id: str, delivery: Delivery) -> None:
        if len(self.edits) < 2:
            self.edits.append("fault")
            raise KeyError("x")
        self.edits.append(message_id)


async def test_a_senders_own_fault_costs_neither_the_alert_nor_the_lane(rig: Rig):
    sender = Broken()
    rig.sender("broken", sender)
    rig.run()
    await rig.take(told(rig.clock, 1))
    await rig.until_states(leap=True, timed_out=1)
    assert len(sender.posts) == 1
    assert sender.edits[:2] == ["fault", "fault"]


async def test_what_ended_long_ago_is_let_go(rig: Rig):
    rig.webhook()
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until_states(leap=True, timed_out=1)
    await rig.outbox.retain(rig.stamps.now() + 6 * 86_400)
    assert await rig.outbox.latest("ACME", 5) != []
    await rig.outbox.retain(rig.stamps.now() + 8 * 86_400)
    assert await rig.outbox.latest("ACME", 5) == []
    assert (await rig.states())["timed_out"] == 0


async def test_alerts_outside_the_price_bounds_are_not_told_but_never_for_want_of_a_price(rig: Rig):
    prices = rig.prices = Prices(rig.clock)
    rig.screen = Screen(Decimal("1"))
    rig.boot()
    prices.set("PNNY", "0.02")
    prices.set("GOOD", "5")
    hook = rig.webhook()
    rig.run()
    for number, ticker in enumerate(("PNNY", "GOOD", "NONE")):
        await rig.take(told(rig.clock, number, ticker=ticker, kind=AlertType.HEADLINE_ALERT))
    await rig.take(told(rig.clock, 9, ticker="PNNY"))
    await rig.until_states(posted=2, gone=2)
    assert sorted(m.embed["title"][:4] for m in rig.discord.of(hook)) == ["GOOD", "NONE"]
    assert rig.screen.counts() == {"price_floor": 2}
