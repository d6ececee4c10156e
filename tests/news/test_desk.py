"""A headline's walk over a real wire, a real log and a real ledger: once, in time, and to its end."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from catalyst.clock import SystemClock
from catalyst.errors import BadStatus, CatalystError, Refused, SettingsError, TooLarge
from catalyst.http import Http, Response
from catalyst.news.settings import NewsSettings
from catalyst.news.source import LONGEST_WAIT, Feed, FeedState, JsonLines, _next, wait_of
from catalyst.news.stories import State
from catalyst.news.types import Headline
from catalyst.sentiment import Score, Scorer
from tests.news.rig import Wire, desk, rss, serving

NOW = datetime.now


async def test_a_headline_becomes_one_final_alert_with_its_tickers_and_scores(tmp_path) -> None:
    wire = Wire()
    wire.put("Elm Robotics (NASDAQ: ELMR) beats estimates and raises guidance")
    async with serving(wire), desk(tmp_path, wire) as running:
        [message] = await running.until(1)
    assert message["type"] == "headline_alert"
    assert message["filing_id"] == message["headline_id"]
    assert (message["ticker"], message["filing_type"], message["source"]) == ("ELMR", "NEWS", "Loopback Wire")
    assert message["title"] == message["headline"]
    assert message["analysis"]["label"] == "bullish"
    assert message["analysis"]["sentiment"] == message["scores"]["value"] > 0
    assert message["scores"]["model"] is None
    assert message["relevances"] == {"ELMR": 1.0}
    assert message["final"] is True
    assert message["url"] == "https://wire.test/0"


async def test_the_same_story_from_several_wires_is_one_alert(tmp_path) -> None:
    one, two = Wire(), Wire()
    one.put("Elm Robotics announces $1.2 billion acquisition of Brook")
    two.put("Elm Robotics Inc. (NASDAQ: ELMR) announces $1.2bn acquisition of Brook", "Elm Robotics cuts jobs")
    async with serving(one, two), desk(tmp_path, one, two) as running:
        await running.until(2)
        await _polls(running, one, two, count=3)
        assert len(await running.messages()) == 2


async def test_the_same_words_about_another_company_are_another_story(tmp_path) -> None:
    wire = Wire()
    wire.put("Shareholder alert (NYSE: AAA)", "Shareholder alert (NYSE: BBB)")
    async with serving(wire), desk(tmp_path, wire) as running:
        messages = await running.until(2)
    assert {message["ticker"] for message in messages} == {"AAA", "BBB"}


async def test_what_is_older_than_half_an_hour_is_not_told(tmp_path) -> None:
    wire = Wire()
    wire.put("Elm Robotics fell long ago", at=NOW(UTC) - timedelta(minutes=31))
    wire.put("Elm Robotics rises now", at=NOW(UTC) - timedelta(minutes=29))
    async with serving(wire), desk(tmp_path, wire) as running:
        [message] = await running.until(1)
        await _polls(running, wire, count=3)
        assert len(await running.messages()) == 1
    assert message["title"] == "Elm Robotics rises now"


async def test_items_without_a_date_are_told_only_when_they_appear_after_the_first_look(tmp_path) -> None:
    wire = Wire(items=[("Elm Robotics was there before", None)])
    async with serving(wire), desk(tmp_path, wire) as running:
        await _polls(running, wire, count=2)
        wire.items.insert(0, ("Elm Robotics is new", None))
        [message] = await running.until(1)
        await _polls(running, wire, count=5)
        assert len(await running.messages()) == 1
    assert message["title"] == "Elm Robotics is new"


async def test_a_date_in_the_future_is_now(tmp_path) -> None:
    wire = Wire()
    wire.put("Elm Robotics rises", at=NOW(UTC) + timedelta(hours=5))
    async with serving(wire), desk(tmp_path, wire) as running:
        [message] = await running.until(1)
    assert datetime.fromisoformat(message["accepted_at"]) <= NOW(UTC)


async def test_an_unchanged_feed_is_asked_conditionally_and_answers_304(tmp_path) -> None:
    wire = Wire()
    wire.put("Elm Robotics rises")
    async with serving(wire), desk(tmp_path, wire) as running:
        await _polls(running, wire, count=3)
        assert running.desk.sources[0].state.unchanged >= 1
    assert "if-none-match" in wire.requests[-1]
    assert "if-modified-since" in wire.requests[-1]


async def test_a_restart_repeats_nothing_and_asks_on_where_it_was(tmp_path) -> None:
    wire = Wire(validators=False)
    wire.put("Elm Robotics rises", "Brook Securities falls")
    async with serving(wire):
        async with desk(tmp_path, wire) as running:
            await running.until(2)
        wire.put("Quoxley wins contract")
        async with desk(tmp_path, wire) as running:
            messages = await running.until(3)
            await _polls(running, wire, count=2)
            assert len(await running.messages()) == 3
    assert len({message["headline_id"] for message in messages}) == 3


async def test_a_story_recorded_before_a_kill_is_told_after_it_though_it_is_old_by_then(tmp_path) -> None:
    wire = Wire()
    wire.put("Elm Robotics files for bankruptcy")
    async with serving(wire), desk(tmp_path, wire, running=False) as stopped:
        source = stopped.desk.sources[0]
        await stopped.desk._take(source, await source.poll(None), first=True)
        assert (await stopped.stories.count())["seen"] == 1
    wire.status = 503
    async with serving(wire), desk(tmp_path, wire) as running:
        [message] = await running.until(1)
    assert message["title"] == "Elm Robotics files for bankruptcy"


async def test_a_kill_between_append_and_mark_repeats_nothing(tmp_path) -> None:
    wire = Wire()
    wire.put("Elm Robotics rises")
    async with serving(wire), desk(tmp_path, wire, running=False) as stopped:
        source = stopped.desk.sources[0]
        await stopped.desk._take(source, await source.poll(None), first=True)
        [story] = await stopped.stories.open(State.SEEN, 10)
        await stopped.log.append([stopped.desk._message(story, stopped.desk._judged(story), version=1, final=True)])
    async with serving(wire), desk(tmp_path, wire) as running:
        await _polls(running, wire, count=2)
        assert await running.desk.idle()
        assert len(await running.messages()) == 1


async def test_one_failing_feed_holds_up_no_other(tmp_path) -> None:
    good, bad, broken = Wire(), Wire(status=500), Wire(raw=b"<html>Sign in</html>")
    good.put("Elm Robotics rises")
    async with serving(good, bad, broken), desk(tmp_path, good, bad, broken) as running:
        await running.until(1)
        await _polls(running, good, count=3)
        states = [source.state for source in running.desk.sources]
        async with asyncio.timeout(5):
            while not (states[1].failures and states[2].failures):
                await asyncio.sleep(0.01)
    assert states[0].failures == 0
    assert "500" in states[1].reason
    assert "neither RSS nor Atom" in states[2].reason


def test_failures_are_put_off_longer_and_longer_and_a_servers_wish_counts() -> None:
    state = FeedState("feed")
    waits = []
    for failures in range(1, 12):
        state.failures = failures
        waits.append(wait_of(state, CatalystError("x"), 30.0, lambda: 1.0))
    assert waits == sorted(waits)
    assert waits[0] == 60.0
    assert waits[-1] == LONGEST_WAIT
    assert wait_of(state, Refused("x", after=1800.0), 30.0, lambda: 0.0) == 1800.0
    assert wait_of(state, Refused("x", after=1e9), 30.0, lambda: 0.0) <= 4 * LONGEST_WAIT
    assert 27 <= wait_of(state, None, 30.0, lambda: 0.0) <= 33


async def test_a_gzip_bomb_is_cut_off() -> None:
    wire = Wire(raw=gzip.compress(b"<rss>" + b" " * (64 << 20)), headers={"Content-Encoding": "gzip"})
    async with serving(wire), Http(SystemClock()) as http:
        with pytest.raises(TooLarge):
            await Feed(wire.url, http, SystemClock()).poll(None)


async def test_a_redirect_is_followed_a_few_times_and_never_out_of_http() -> None:
    target, hop, loop, out = Wire(), Wire(status=302), Wire(status=302), Wire(status=302)
    target.put("Elm Robotics rises")
    async with serving(target, hop, loop, out), Http(SystemClock()) as http:
        hop.headers = {"Location": target.url}
        loop.headers = {"Location": loop.url}
        out.headers = {"Location": "file:///etc/passwd"}
        assert len((await Feed(hop.url, http, SystemClock()).poll(None)).items) == 1
        with pytest.raises(BadStatus, match="more than 3 times"):
            await Feed(loop.url, http, SystemClock()).poll(None)
        assert len(loop.requests) == 4
        with pytest.raises(BadStatus, match="where no feed is"):
            await Feed(out.url, http, SystemClock()).poll(None)


@pytest.mark.parametrize(
    "inside",
    [
        "http://127.0.0.1/x",
        "http://10.0.0.8/",
        "http://[::1]/",
        "http://metadata.internal/",
        "http://127.1/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://2130706433/",
        "http://localhost./",
        "http://[::ffff:127.0.0.1]/",
        "//127.0.0.1/",
    ],
)
def test_a_public_host_cannot_send_us_to_a_private_one(inside: str) -> None:

    with pytest.raises(BadStatus):
        _next("https://feeds.example.com/a.xml", Response(302, {"Location": inside}, b""))


async def test_a_public_host_cannot_send_us_to_a_name_of_a_private_one() -> None:
    named = {"feeds.example.com": ["93.184.216.34"], "evil.example.com": ["93.184.216.34", "10.0.0.8"]}

    async def resolve(host: str) -> Sequence[str]:
        return named.get(host, ())

    async with Http() as http:
        feed = Feed("https://feeds.example.com/a.xml", http, SystemClock(), resolve)
        await feed._check_stays_out("https://other.example.com/", "https://feeds.example.com/b.xml")
        await feed._check_stays_out("http://localhost:8000/", "https://evil.example.com/b.xml")
        with pytest.raises(BadStatus):
            await feed._check_stays_out("https://feeds.example.com/a.xml", "https://evil.example.com/b.xml")


async def test_json_lines_are_followed_as_they_are_appended(tmp_path) -> None:
    path = tmp_path / "desk.jsonl"
    source = JsonLines(path)
    assert (await source.poll(None)).items == ()
    path.write_text('{"title": "Elm rises"}\n{"title": "half')
    answer = await source.poll(None)
    assert [item.title for item in answer.items] == ["Elm rises"]
    with path.open("a") as file:
        file.write(' told"}\n')
    later = await source.poll(answer.validators)
    assert [item.title for item in later.items] == ["half told"]
    assert (await source.poll(later.validators)).items == ()


async def test_the_same_words_the_next_day_are_news_again(tmp_path) -> None:
    async with desk(tmp_path, running=False) as idle:
        day = datetime(2025, 12, 12, 21, 0, tzinfo=UTC)

        async def seen(when: datetime) -> int:
            return await idle.stories.record([Headline("", "Stocks close higher", "Wire", "", when, when)])

        assert await seen(day) == 1
        assert await seen(day + timedelta(minutes=20)) == 0
        [story] = await idle.stories.open(State.SEEN, 5)
        await idle.stories.mark([(story.key, State.FINAL, 0.0)])
        assert await seen(day + timedelta(hours=1)) == 0
        assert await seen(day + timedelta(days=1)) == 1


async def test_stories_are_forgotten_when_they_are_old_and_told_but_never_before(tmp_path) -> None:
    async with desk(tmp_path, running=False) as idle:
        day = datetime(2025, 12, 12, tzinfo=UTC)
        await idle.stories.record([Headline("", f"Elm story {number}", "Wire", "", day, day) for number in range(5)])
        [first, *_] = await idle.stories.open(State.SEEN, 5)
        await idle.stories.mark([(first.key, State.FINAL, 0.0)])
        assert await idle.stories.forget(day + timedelta(days=30)) == 1
        assert len(await idle.stories.open(State.SEEN, 10)) == 4


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("ftp://a.test/x", "feed 1"),
        ("https://a.test/x, nonsense", "feed 2"),
        (",".join(f"https://a.test/{n}" for n in range(201)), "more than 200"),
    ],
)
def test_feeds_that_make_no_sense_are_named_by_number(text: str, match: str) -> None:

    with pytest.raises(SettingsError, match=match):
        NewsSettings.from_env({"NEWS_FEEDS": text})


def test_settings_are_read_and_bounded() -> None:

    found = NewsSettings.from_env(
        {"NEWS_FEEDS": "https://a.test/x, desk.jsonl", "MISTRAL_MIN_PRESCALE": "0.3", "MISTRAL_BATCH_SIZE": "7"}
    )
    assert (found.feeds, found.min_relevance, found.batch_size) == (("https://a.test/x", "desk.jsonl"), 0.3, 7)
    for bad in ({"MISTRAL_BATCH_DELAY": "nan"}, {"MISTRAL_MIN_PRESCALE": "2"}, {"FEATURE_LLM_CLASSIFIER": "perhaps"}):
        with pytest.raises(SettingsError, match=next(iter(bad))):
            NewsSettings.from_env(bad)


async def _polls(running, *wires: Wire, count: int) -> None:
    """Until each wire was asked `count` times more, and what it brought is told."""
    marks = [len(wire.requests) + count for wire in wires]
    async with asyncio.timeout(10):
        while any(len(wire.requests) < mark for wire, mark in zip(wires, marks, strict=True)):
            await asyncio.sleep(0.01)
        while not await running.desk.idle():
            await asyncio.sleep(0.01)


def test_the_rig_speaks_rss() -> None:
    assert b"<rss" in rss([("x", None)])


class Faulty(Scorer):
    """A scorer with a fault that one text brings out."""

    def score(self, text: str) -> Score:
        if "poison" in text:
            raise ValueError("no such thing")
        return super().score(text)


async def test_one_story_that_cannot_be_told_holds_up_no_other(tmp_path) -> None:
    wire = Wire()
    wire.put("Elm Robotics poison", "Elm Robotics rises")
    async with serving(wire), desk(tmp_path, wire, scorer=Faulty()) as running:
        [message] = await running.until(1)
        await _polls(running, wire, count=2)
        assert running.desk.counts["errors"] == 1
        assert (await running.stories.count())["skipped"] == 1
    assert message["title"] == "Elm Robotics rises"
