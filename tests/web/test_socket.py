"""The protocol of `/ws/filings`, word by word, with a real client."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from catalyst.stream.types import Alert, Analysis, Fact
from tests.contracts.log import alert
from tests.web.service import QUICK, Service

pytestmark = pytest.mark.slow  # processes, or seconds of work: `make check` leaves it out

NOON = datetime(2025, 12, 12, 17, 0, tzinfo=UTC)


async def test_a_client_is_told_version_epoch_bounds_and_heartbeat_first(service: Service):
    await service.log.append([alert(1), alert(2)])
    await service.app.state.fanout.reach(2)
    async with service.client() as client:
        assert await client.receive() == {
            "type": "connected",
            "version": 1,
            "epoch": service.log.epoch,
            "head": 2,
            "oldest": 1,
            "heartbeat_s": 30,
        }


async def test_a_message_is_flat_and_has_every_field_of_the_contract(service: Service):
    fact = Fact(name="revenue", value=Decimal("394328000000"), unit="USD", period="2025-Q3", quote="…", verified=True)
    analysis = Analysis(
        sentiment=0.4,
        label="bullish",
        confidence=0.9,
        keywords=["results"],
        event_types=["earnings"],
        summary="Higher revenue.",
        priority="high",
        priority_score=0.9,
        rules=["item 2.02"],
        facts=[fact],
        risks=["rates"],
        grounded_share=1.0,
        source="llm",
        model="m",
        cost_usd=Decimal("0.000123"),
    )
    sent = Alert(
        filing_id="0000320193-25-000001",
        ticker="ACME",
        tickers=["ACME", "ACMW"],
        company="Acme Inc.",
        cik="0000320193",
        filing_type="8-K",
        item_code="2.02",
        items=["2.02", "9.01"],
        timestamp=NOON,
        accepted_at=NOON,
        seen_at=NOON,
        final=True,
        headline="Acme reports “results” </script>",
        analysis=analysis,
        url="https://www.sec.gov/x",
    )
    async with service.client() as client:
        await client.live()
        await service.log.append([sent])
        message = await client.receive()
    assert message.pop("ts_ns") > 1e18
    assert message == {
        "type": "filing_alert",
        "seq": 1,
        "prev": 0,
        "epoch": service.log.epoch,
        "replay": False,
        "filing_id": "0000320193-25-000001",
        "ticker": "ACME",
        "tickers": ["ACME", "ACMW"],
        "company": "Acme Inc.",
        "cik": "0000320193",
        "filing_type": "8-K",
        "item_code": "2.02",
        "items": ["2.02", "9.01"],
        "timestamp": "2025-12-12T17:00:00Z",
        "accepted_at": "2025-12-12T17:00:00Z",
        "seen_at": "2025-12-12T17:00:00Z",
        "version": 1,
        "final": True,
        "headline": "Acme reports “results” </script>",
        "analysis": {
            "sentiment": 0.4,
            "label": "bullish",
            "confidence": 0.9,
            "keywords": ["results"],
            "event_types": ["earnings"],
            "summary": "Higher revenue.",
            "priority": "high",
            "priority_score": 0.9,
            "rules": ["item 2.02"],
            "facts": [
                {
                    "name": "revenue",
                    "value": "394328000000",
                    "unit": "USD",
                    "period": "2025-Q3",
                    "scope": "",
                    "quote": "…",
                    "verified": True,
                }
            ],
            "risks": ["rates"],
            "grounded_share": 1.0,
            "source": "llm",
            "model": "m",
            "cost_usd": "0.000123",
        },
        "url": "https://www.sec.gov/x",
        "tags": [],
        "amends": "",
    }


async def test_a_silent_client_gets_everything_from_where_it_connected(service: Service):
    await service.log.append([alert(1)])
    await service.app.state.fanout.reach(1)
    async with service.client() as client:
        assert (await client.receive())["head"] == 1
        await service.log.append([alert(2)])
        subscribed = await client.receive()
        assert subscribed["type"] == "subscribed"
        assert (subscribed["pos"], subscribed["recovered"], subscribed["reason"]) == (1, False, "live")
        assert (await client.alerts(1))[0]["seq"] == 2
        await client.until("caught_up")
        await service.log.append([alert(3)])
        message = await client.receive()
        assert (message["seq"], message["prev"], message["replay"]) == (3, 2, False)


async def test_ping_is_answered_before_and_after_subscribing(service: Service):
    async with service.client() as client:
        await client.receive()
        await client.socket.send("ping")
        assert await client.socket.recv() == "pong"
        await client.live()
        await client.socket.send("ping")
        assert await client.socket.recv() == "pong"


async def test_resume_replays_what_was_missed_then_goes_on_live(service: Service):
    await service.log.append([alert(n) for n in range(1, 6)])
    async with service.client() as client:
        answer = await client.subscribe(resume={"epoch": service.log.epoch, "after": 2})
        assert answer == {
            "type": "subscribed",
            "pos": 2,
            "recovered": True,
            "reason": "",
            "filters": {"tickers": [], "forms": [], "min_priority": 0.0},
        }
        replayed = await client.alerts(3)
        assert [(m["seq"], m["prev"], m["replay"]) for m in replayed] == [(3, 2, True), (4, 3, True), (5, 4, True)]
        assert await client.receive() == {"type": "caught_up", "pos": 5}
        await service.log.append([alert(6)])
        live = await client.receive()
        assert (live["seq"], live["prev"], live["replay"]) == (6, 5, False)


async def test_no_gap_and_no_repeat_between_replay_and_live_while_publishing_hard(service: Service):
    async def publish() -> None:
        for number in range(1000):
            await service.log.append([alert(number), alert(number, version=2)])

    async def follow(after: int, delay: float) -> list[int]:
        await asyncio.sleep(delay)
        async with service.client() as client:
            await client.send(type="subscribe", resume={"epoch": service.log.epoch, "after": after})
            return [m["seq"] for m in await client.alerts(2000 - after)]

    drawn = random.Random(7)
    starts = [(0, drawn.random() * 0.6) for _ in range(12)]
    publishing = asyncio.create_task(publish())
    everyone = await asyncio.wait_for(asyncio.gather(*(follow(*start) for start in starts)), 60)
    await publishing
    for seqs in everyone:
        assert seqs == list(range(1, 2001))


async def test_a_filtered_client_sees_only_what_matches_and_prev_names_the_last_match(service: Service):
    async with service.client() as client:
        answer = await client.subscribe(tickers=["$zzz"], forms=["8-k"], min_priority=0.5)
        assert answer["filters"] == {"tickers": ["ZZZ"], "forms": ["8-K"], "min_priority": 0.5}
        await client.until("caught_up")
        await service.log.append([alert(1), alert(2, tickers=("ZZZ",)), alert(3, tickers=("ZZZ",), form="4")])
        await service.log.append([alert(4, tickers=("ZZZ",), score=0.4), alert(5, tickers=("ABC", "ZZZ"))])
        messages = await client.alerts(2)
    assert [(m["seq"], m["prev"]) for m in messages] == [(2, 0), (5, 2)]


async def test_a_filtered_resume_continues_prev_over_the_gap(service: Service):
    wanted = {"tickers": ["ZZZ"]}
    await service.log.append([alert(1, tickers=("ZZZ",)), alert(2), alert(3, tickers=("ZZZ",)), alert(4)])
    await service.log.append([alert(5, tickers=("ZZZ",)), alert(6)])
    async with service.client() as client:
        await client.subscribe(**wanted, resume={"epoch": service.log.epoch, "after": 4})
        replayed = await client.alerts(1)
        assert [(m["seq"], m["prev"], m["replay"]) for m in replayed] == [(5, 3, True)]
        assert (await client.until("caught_up"))["pos"] == 6
        await service.log.append([alert(7), alert(8, tickers=("ZZZ",))])
        live = await client.alerts(1)
        assert [(m["seq"], m["prev"], m["replay"]) for m in live] == [(8, 5, False)]
    async with service.client() as newcomer:
        await newcomer.live(**wanted)
        await service.log.append([alert(9, tickers=("ZZZ",))])
        assert [(m["seq"], m["prev"]) for m in await newcomer.alerts(1)] == [(9, 8)]


async def test_an_update_follows_its_alert_and_is_an_alert_to_whom_it_matches_only_now(service: Service):
    async with service.client() as low, service.client() as high:
        await low.live(min_priority=0.2)
        await high.live(min_priority=0.8)
        await service.log.append([alert(1, score=0.3), alert(1, score=0.9, version=2), alert(1, score=0.1, version=3)])
        to_low = [(m["seq"], m["type"], m["prev"]) for m in await low.alerts(3)]
        to_high = [(m["seq"], m["type"], m["prev"]) for m in await high.alerts(2)]
    assert to_low == [(1, "filing_alert", 0), (2, "filing_update", 1), (3, "filing_update", 2)]
    assert to_high == [(2, "filing_alert", 0), (3, "filing_update", 2)]
    async with service.client() as late:
        await late.send(type="subscribe", min_priority=0.8, resume={"epoch": service.log.epoch, "after": 0})
        assert [(m["seq"], m["type"], m["prev"]) for m in await late.alerts(2)] == to_high


async def test_an_unknown_epoch_is_not_recovered_and_says_so(service: Service):
    await service.log.append([alert(n) for n in range(1, 4)])
    await service.app.state.fanout.reach(3)
    async with service.client() as client:
        answer = await client.subscribe(resume={"epoch": "gone", "after": 2})
        assert (answer["pos"], answer["recovered"], answer["reason"]) == (3, False, "epoch_changed")
        assert answer["cursor"] == "4.3"


async def test_a_resume_older_than_retention_is_not_recovered_and_gives_a_rest_cursor(service: Service):
    await service.log.append([alert(n) for n in range(1, 11)])
    await service.log.retain(count=3)
    await service.app.state.fanout.reach(10)
    async with service.client() as client:
        answer = await client.subscribe(resume={"epoch": service.log.epoch, "after": 5})
        assert (answer["pos"], answer["recovered"], answer["reason"]) == (10, False, "too_old")
    async with service.client() as client:
        answer = await client.subscribe(resume={"epoch": service.log.epoch, "after": 7})
        assert answer["recovered"] is True
        assert [m["seq"] for m in await client.alerts(3)] == [8, 9, 10]


async def test_a_resume_beyond_the_head_is_not_recovered(service: Service):
    async with service.client() as client:
        answer = await client.subscribe(resume={"epoch": service.log.epoch, "after": 99})
        assert (answer["pos"], answer["recovered"], answer["reason"]) == (0, False, "ahead")


async def test_a_later_subscribe_replaces_the_earlier(service: Service):
    async with service.client() as client:
        await client.live(tickers=["ZZZ"])
        await service.log.append([alert(1)])
        await service.app.state.fanout.reach(1)
        assert (await client.live(tickers=["ACME"]))["pos"] == 1
        await service.log.append([alert(2, tickers=("ZZZ",)), alert(3)])
        assert [(m["seq"], m["prev"]) for m in await client.alerts(1)] == [(3, 1)]


async def test_heartbeats_tell_the_position(start):
    service = await start(replace(QUICK, heartbeat_s=0.15))
    async with service.client() as client:
        await client.live(tickers=["ZZZ"])
        await service.log.append([alert(1)])
        while (await client.until("heartbeat"))["pos"] != 1:
            pass
