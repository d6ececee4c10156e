"""The first start on a feed that is full already: only what is recent is told of; a restart changes nothing."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from catalyst.clock import NEW_YORK
from tests.filings.rig import DAY, acc, day, entry, watching
from tests.filings.test_watch import accessions, watch

NOON = datetime.fromisoformat(f"{DAY}T12:00:00").replace(tzinfo=NEW_YORK)
SINCE = NOON - timedelta(minutes=15)


def recorded(folder):
    late = entry(9001, "8-K", "12:00:20", cik=1)
    recent = entry(9000, "8-K", "11:50:00", cik=2)
    return day(folder, late, recent, *[entry(n, "4", "09:00:00", cik=n) for n in range(300)])


async def test_only_recent_filings_are_news_on_the_first_start(tmp_path):
    recording = recorded(tmp_path / "edgar")
    async with watching(recording, tmp_path, start=NOON, since=SINCE) as rig:
        await watch(rig, NOON + timedelta(seconds=30))
        assert set(await accessions(rig)) == {acc(9000), acc(9001)}
        counts = await rig.ledger.count()
        assert (counts["seen"], counts["before"]) == (2, 300)
        assert await rig.ledger.begun()


async def test_a_restart_takes_everything_unknown_for_news_however_old(tmp_path):
    """Once begun, an outage of any length is caught up: `since` speaks of the first start alone."""
    recording = recorded(tmp_path / "edgar")
    async with watching(recording, tmp_path, start=NOON - timedelta(hours=1), since=SINCE) as rig:
        await watch(rig, NOON - timedelta(minutes=50))
        assert await accessions(rig) == []
    async with watching(recording, tmp_path, start=NOON + timedelta(hours=2), since=NOON + timedelta(hours=2)) as rig:
        await watch(rig, NOON + timedelta(hours=2, seconds=20))
        assert set(await accessions(rig)) == {acc(9000), acc(9001)}


async def test_a_first_start_that_is_killed_begins_again(tmp_path):
    recording = recorded(tmp_path / "edgar")
    async with watching(recording, tmp_path, start=NOON, since=SINCE) as rig:
        task = asyncio.create_task(rig.poller.poll())
        await task
        assert not await rig.ledger.begun()
    async with watching(recording, tmp_path, start=NOON, since=SINCE) as rig:
        await watch(rig, NOON + timedelta(seconds=30))
        assert set(await accessions(rig)) == {acc(9000), acc(9001)}
        assert (await rig.ledger.count())["before"] == 300


async def test_a_later_start_keeps_to_what_the_first_one_said(tmp_path):
    """The first start is killed after its first look; what appears before the second is news all the same."""
    recording = recorded(tmp_path / "edgar")
    async with watching(recording, tmp_path, start=NOON, since=SINCE) as rig:
        await rig.ledger.since(SINCE)
    late = NOON + timedelta(hours=3)
    async with watching(recording, tmp_path, start=late, since=late - timedelta(minutes=15)) as rig:
        await watch(rig, late + timedelta(seconds=30))
        assert set(await accessions(rig)) == {acc(9000), acc(9001)}


async def test_what_was_released_this_morning_is_news_though_accepted_last_evening(tmp_path):
    held = entry(8000, "8-K", "2025-06-09T18:30:00", cik=3)
    recording = day(tmp_path / "edgar", entry(1, "4", "06:04:00", cik=1), held)
    six = NOON.replace(hour=6, minute=5)
    async with watching(recording, tmp_path, start=six, since=six - timedelta(minutes=15)) as rig:
        await watch(rig, six + timedelta(seconds=10))
        assert set(await accessions(rig)) == {acc(1), acc(8000)}
