"""What no page of the feed ever shows is found all the same, and what fails on the way harms nobody."""

from __future__ import annotations

import asyncio
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest

from catalyst.clock import NEW_YORK, SimClock
from catalyst.filings.hours import until_check
from catalyst.filings.stops import StopFile
from tests.filings.rig import DAY, acc, assert_exactly_once, day, entry, watching

NOON = datetime.fromisoformat(f"{DAY}T12:00:00").replace(tzinfo=NEW_YORK)
HIDDEN, PLAIN = 5, 30


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{DAY}T{text}").replace(tzinfo=NEW_YORK)


def recording(folder: Path, form: str = "8-K"):
    rows = [entry(n, "4", f"11:{n:02}:00", cik=n + 1) for n in reversed(range(PLAIN)) if n != HIDDEN]
    return day(folder, *rows, entry(HIDDEN, form, "10:05:00", items=("2.02",) if form == "8-K" else ()))


@pytest.mark.parametrize(
    ("form", "source", "until"),
    [("10-Q", "rss", "12:25:00"), ("SCHEDULE 13D", "search", "12:45:00"), ("13F-HR", "index", "22:20:00")],
)
async def test_a_filing_that_no_page_of_the_feed_shows_is_found(tmp_path, form, source, until):
    start = at("22:00:30") if source == "index" else NOON
    async with watching(recording(tmp_path / "edgar", form), tmp_path, start=start) as rig:
        rig.fault("unlisted", accession=acc(HIDDEN))
        if source != "rss":
            rig.fault("down", url="*usgaap*", status=503)
        await rig.run_until(at(until), everything=True)
        assert_exactly_once(await rig.messages(), [acc(n) for n in range(PLAIN)])
        assert rig.reconciler.state.found == {source: 1}
        late = [message for message in await rig.messages() if message["filing_id"] == acc(HIDDEN)]
        assert "found-late" in late[-1]["tags"]
        assert late[-1]["accepted_at"].startswith(f"{DAY}T10:05:00"), "the text tells what the list does not"
        assert rig.server.limit.refused == 0


async def test_without_reconciliation_it_would_be_lost(tmp_path):
    """The test above can fail."""
    async with watching(recording(tmp_path / "edgar"), tmp_path, start=NOON) as rig:
        rig.fault("unlisted", accession=acc(HIDDEN))
        await rig.run_until(at("12:45:00"))
        assert len(await rig.messages()) == PLAIN - 1


async def test_the_index_of_a_past_day_is_read_after_a_night_without_us(tmp_path):
    async with watching(recording(tmp_path / "edgar", "13F-HR"), tmp_path, start=at("22:30:00")) as rig:
        rig.fault("unlisted", accession=acc(HIDDEN))
        assert isinstance(rig.clock, SimClock)
        rig.clock._base += 9 * 3600  # the next morning, before anything is asked
        await rig.run_until(rig.clock.now() + timedelta(minutes=5), everything=True)
        assert rig.reconciler.state.found == {"index": 1}


async def test_what_appeared_before_the_very_first_start_is_not_told_of(tmp_path):
    async with watching(
        recording(tmp_path / "edgar", "10-Q"), tmp_path, start=at("21:55:00"), since=at("21:55:00")
    ) as rig:
        rig.fault("unlisted", accession=acc(HIDDEN))
        await rig.run_until(at("22:40:00"), everything=True)
        assert await rig.messages() == []
        assert rig.reconciler.state.checks["index"] >= 1


async def test_a_day_that_began_after_the_first_start_is_compared_whole(tmp_path):
    async with watching(
        recording(tmp_path / "edgar", "13F-HR"), tmp_path, start=at("22:00:30"), since=at("05:58:00")
    ) as rig:
        rig.fault("unlisted", accession=acc(HIDDEN))
        await rig.run_until(at("22:10:00"), everything=True)
        assert rig.reconciler.state.found == {"index": 1}


@pytest.mark.parametrize("kind", ["garbage", "truncated", "down", "encoding"])
async def test_a_list_that_is_broken_is_counted_and_the_watch_goes_on(tmp_path, kind):
    async with watching(recording(tmp_path / "edgar"), tmp_path, start=at("21:50:00")) as rig:
        rig.fault(kind, url="*usgaap*")
        rig.fault(kind, url="*search-index*")
        rig.fault(kind, url="*daily-index*")
        await rig.run_until(at("22:20:00"), everything=True)
        assert set(rig.reconciler.state.failures) == {"rss", "search", "index"}
        assert rig.poller.state.word == "closed"
        assert_exactly_once(await rig.messages(), [acc(n) for n in range(PLAIN)])


async def test_a_list_that_refuses_stops_us_once_and_is_let_alone(tmp_path):
    async with watching(recording(tmp_path / "edgar"), tmp_path, start=NOON) as rig:
        rig.fault("refused", url="*search-index*")
        await rig.run_until(at("13:45:00"), everything=True)
        assert rig.limiter.stops == 1
        assert rig.reconciler.state.checks["rss"] > 6


async def test_no_index_is_asked_for_that_is_not_listed(tmp_path):
    """EDGAR's archive answers 403 for a file that is not there, and a 403 stops everything."""
    async with watching(recording(tmp_path / "edgar"), tmp_path, start=at("21:00:00")) as rig:
        rig.fault("refused", url="*.idx")
        await rig.run_until(at("21:55:00"), everything=True)
        assert rig.limiter.stops == 0


async def test_a_restart_within_a_stop_asks_no_earlier(tmp_path):
    """The stop is on disk before anybody can ask again; the next process waits it out, then catches up."""
    stops = StopFile(tmp_path / "edgar-stop")
    plan = recording(tmp_path / "edgar")
    async with watching(plan, tmp_path, start=NOON, stops=stops) as rig:
        rig.fault("refused", count=1, start=time(12, 1))
        await rig.run_until(at("12:02:00"), everything=True, settle=False)
        assert rig.poller.state.word == "stopped"
    async with watching(plan, tmp_path, start=at("12:03:00"), stops=stops) as rig:
        assert rig.limiter.stopped_for == pytest.approx(480, abs=2)
        task = asyncio.create_task(rig.run_until(at("12:10:59"), everything=True, settle=False))
        await asyncio.wait_for(task, 20)
        assert rig.server.requests == 0
        assert rig.poller.state.word == "stopped"
        await rig.run_until(at("12:20:00"), everything=True)
        assert_exactly_once(await rig.messages(), [acc(n) for n in range(PLAIN)])


def test_a_stop_file_that_makes_no_sense_is_no_stop(tmp_path):
    for text in ("", "nan", "later", "9" * 500):
        (tmp_path / "stop").write_text(text)
        StopFile(tmp_path / "stop").kept()
    assert StopFile(tmp_path / "none").kept() == 0.0
    StopFile(tmp_path / "no" / "folder").keep(1.0)


@pytest.mark.parametrize("source", ["rss", "search", "index"])
def test_the_next_comparison_is_always_ahead_and_soon(source):
    moment = at("00:00:00") - timedelta(days=3)
    for _ in range(400):
        wait = until_check(source, moment)
        assert 0 < wait <= 3600
        moment += timedelta(seconds=1117)
