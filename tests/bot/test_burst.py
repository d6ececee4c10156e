"""Many alerts at once: who goes first, what is merged, and that Discord never has to say 429."""

from __future__ import annotations

import pytest

from catalyst.bot.pace import Bucket, Globe, Moving, Pace, Urgency
from catalyst.clock import SimClock
from tests.bot.rig import Rig, told


def headers(limit: int, left: int, after: float, window: float, **more: str) -> dict[str, str]:
    named = {"Limit": limit, "Remaining": left, "Reset-After": after, "Reset": window}
    return {f"X-RateLimit-{name}": str(value) for name, value in named.items()} | more


async def test_three_hundred_at_once_lose_none_merge_the_low_and_never_meet_a_429(rig: Rig):
    hook = rig.webhook()
    rig.run()
    begun = rig.clock.now().timestamp()
    high = {7, 61, 120, 200, 290}
    await rig.take(*(told(rig.clock, n, high=n in high, final=True) for n in range(300)))
    await rig.until_states(leap=True, enriched=300)
    messages = rig.discord.of(hook)
    alone = {int(m.embed["footer"]["text"].split(" ")[0][-6:]): m for m in messages if "more" not in m.embed["title"]}
    assert high <= alone.keys()
    assert max(alone[n].at for n in high) - begun <= 2.5
    lines = sum(m.embed["description"].count("\n") + 1 for m in messages if "more" in m.embed["title"])
    assert lines + len(alone) == 300
    assert len(messages) < 40
    assert (rig.discord.limited, rig.discord.refused) == ([], [])


async def test_a_minute_of_urgent_alerts_keeps_under_the_channels_hidden_limit(rig: Rig):
    rig.webhook()
    rig.run()
    await rig.take(*(told(rig.clock, n, final=True) for n in range(70)))
    await rig.until_states(leap=True, enriched=70)
    assert rig.discord.limited == []


async def test_a_restart_remembers_what_the_channel_was_sent(rig: Rig):
    rig.webhook()
    rig.run()
    await rig.take(*(told(rig.clock, n, final=True) for n in range(28)))
    await rig.until_states(leap=True, enriched=28)
    await rig.restart()
    await rig.take(*(told(rig.clock, 100 + n, final=True) for n in range(10)))
    await rig.until_states(leap=True, enriched=38)
    assert rig.discord.limited == []


async def test_a_shared_429_is_waited_out_and_counts_against_nobody(rig: Rig):
    hook = rig.webhook()
    said = {"message": "You are being rate limited.", "retry_after": 41.5, "global": False}
    rig.discord.fault("post", status=429, body=said, headers={"X-RateLimit-Scope": "shared"})
    rig.run()
    begun = rig.clock.now().timestamp()
    await rig.take(told(rig.clock))
    await rig.until(lambda: rig.discord.of(hook), leap=True)
    assert rig.discord.of(hook)[0].at - begun >= 41.5
    assert len(rig.discord.requests) == 2


async def test_a_global_429_stops_every_lane(rig: Rig):
    first, second = rig.webhook(), rig.webhook()
    rig.discord.fault("post", status=429, body={"retry_after": 7.25, "global": True})
    rig.run()
    begun = rig.clock.now().timestamp()
    await rig.take(told(rig.clock))
    await rig.until(lambda: rig.discord.of(first) and rig.discord.of(second), leap=True)
    later = max(rig.discord.of(first)[0].at, rig.discord.of(second)[0].at)
    assert later - begun >= 7.25


async def test_a_digests_members_are_edited_together_and_an_urgent_one_leaves_it(rig: Rig):
    hook = rig.webhook()
    await rig.take(*(told(rig.clock, n, high=False) for n in range(20)))
    rig.run()
    await rig.until_states(leap=True, enriched=20)
    count = len(rig.discord.of(hook))
    await rig.take(*(told(rig.clock, n, version=2, final=True, high=n == 15) for n in range(10, 20)))
    await rig.until(lambda: len(rig.discord.of(hook)) == count + 1, leap=True)
    assert "number 15" in rig.discord.of(hook)[-1].embed["description"]
    await rig.until(lambda: any(m.edits for m in rig.discord.of(hook)), leap=True)
    digests = [m for m in rig.discord.of(hook) if "more" in m.embed["title"]]
    assert [len(message.edits) for message in digests] == [1]
    assert "number 15" not in digests[0].embed["description"]


def test_low_alerts_leave_requests_to_the_urgent(clock: SimClock):
    pace = Pace(Globe(clock))
    pace.take(Urgency.LOW)
    pace.answered(Urgency.LOW, 200, headers(5, 4, 2.0, 100.0))
    assert pace.wait(Urgency.LOW, keep=1) == 0
    assert pace.wait(Urgency.LOW, keep=1000) == pytest.approx(2.0)
    assert pace.wait(Urgency.HIGH) == 0


def test_an_answer_that_was_overtaken_gives_nothing_back():
    bucket = Bucket()
    bucket.take()
    bucket.flying -= 1
    bucket.told(0.0, 5, 4, 2.0, 100.0)
    for _ in range(3):
        bucket.take()
    bucket.flying -= 1
    bucket.told(0.1, 5, 1, 1.9, 100.0)
    bucket.flying -= 1
    bucket.told(0.2, 5, 3, 1.8, 100.0)
    assert bucket.left == -1


def test_a_window_that_ended_opens_again_and_one_that_never_showed_is_asked_for_anew():
    bucket = Bucket()
    bucket.take()
    bucket.flying -= 1
    bucket.told(0.0, 5, 0, 2.0, 100.0)
    assert bucket.wait(1.0, 0) == pytest.approx(1.0)
    assert bucket.wait(2.1, 0) == 0
    bucket.take()
    bucket.landed()
    assert bucket.limit == 0
    assert bucket.wait(2.2, 0) == 0


def test_posts_and_edits_that_share_a_window_are_counted_together(clock: SimClock):
    pace = Pace(Globe(clock))
    for urgency in (Urgency.HIGH, Urgency.EDIT):
        pace.take(urgency)
        pace.answered(urgency, 200, headers(5, 1, 2.0, 100.0, **{"X-RateLimit-Bucket": "b"}))
    assert pace.posts is pace.edits
    pace.take(Urgency.EDIT)
    assert pace.wait(Urgency.HIGH) > 0


def test_failed_requests_end_before_a_ban(clock: SimClock):
    globe = Globe(clock)
    for _ in range(1000):
        globe.failed()
    assert globe.wait(Urgency.HIGH) > 0


def test_a_moving_window_says_when_there_is_room():
    window = Moving(60)
    for moment in (0.0, 1.0, 2.0):
        window.add(moment)
    assert window.wait(3.0, 4) == 0
    assert window.wait(3.0, 3) == pytest.approx(57.0)
    assert window.wait(3.0, 2) == pytest.approx(58.0)
