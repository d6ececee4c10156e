from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from catalyst.clock import NEW_YORK, SimClock
from tests.filings.rig import DAY, Rig, acc, day, entry, page, watching

NOON = datetime.fromisoformat(f"{DAY}T12:00:00").replace(tzinfo=NEW_YORK)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


async def accessions(rig) -> list[str]:
    return [one.filing.accession for one in (await rig.ledger.pending(math.inf, 10_000)).entries]


async def watch(rig, moment: datetime) -> None:
    """The poller alone: what it finds stays pending."""
    task = asyncio.create_task(rig.poller.run())
    rest = asyncio.create_task(rig.clock.sleep((moment - rig.clock.now()).total_seconds()))
    await asyncio.wait([task, rest], return_when=asyncio.FIRST_COMPLETED)
    assert not task.done()
    for one in (task, rest):
        one.cancel()
    await asyncio.gather(task, rest, return_exceptions=True)


async def test_a_burst_of_many_pages_is_walked_at_once(tmp_path):
    rows = [entry(n, "4", "11:59:59", role=role, cik=n) for n in range(450) for role in ("Issuer", "Reporting")]
    recording = day(tmp_path / "edgar", *rows)
    async with watching(recording, tmp_path, start=NOON) as rig:
        await watch(rig, NOON + timedelta(seconds=10))
        assert len(await accessions(rig)) == 450
        assert rig.server.limit.refused == 0


async def test_a_burst_while_watching_is_caught_to_the_last_row(tmp_path):
    old = [entry(n, "4", "09:00:00", cik=n) for n in range(150)]
    burst = [entry(1000 + n, "8-K", "12:00:30", cik=n) for n in range(380)]
    recording = day(tmp_path / "edgar", *burst, *old)
    async with watching(recording, tmp_path, start=NOON) as rig:
        await watch(rig, NOON + timedelta(seconds=28))
        assert len(await accessions(rig)) == 150
        await watch(rig, NOON + timedelta(seconds=42))
        assert len(await accessions(rig)) == 530


async def test_evening_filings_released_below_older_rows_are_found_at_six(tmp_path):
    """At 06:00 they sort below 700 rows that are known already: no time watermark would find them."""
    newer = [entry(n, "4", "2025-06-09T21:00:00", cik=n, filed="2025-06-09") for n in range(700)]
    held = [entry(2000 + n, "8-K", "2025-06-09T18:00:00", cik=n) for n in range(5)]
    older = [entry(3000 + n, "4", "2025-06-09T17:40:00", cik=n, filed="2025-06-09") for n in range(250)]
    recording = day(tmp_path / "edgar", *newer, *held, *older, background=True)
    async with watching(recording, tmp_path, start=recording.at(time(5, 50))) as rig:
        await watch(rig, recording.at(time(5, 59)))
        known = await accessions(rig)
        assert len(known) == 950
        await watch(rig, recording.at(time(6, 0, 30)))
        assert set(await accessions(rig)) - set(known) == {acc(2000 + n) for n in range(5)}


async def test_what_lies_deeper_than_the_first_page_is_found_by_the_walk_back(tmp_path):
    """A row that appears in the middle of the feed, 300 rows down, without any news above it."""
    rows = [entry(n, "4", f"11:{n // 10:02}:00", cik=n) for n in reversed(range(400))]
    recording = day(tmp_path / "edgar", *rows)
    async with watching(recording, tmp_path, start=NOON) as rig:
        rig.fault("vanish", accession=acc(50), end=(NOON + minutes(7)).time())
        await watch(rig, NOON + minutes(6))
        assert acc(50) not in await accessions(rig)
        await watch(rig, NOON + minutes(11))
        assert acc(50) in await accessions(rig)


async def test_late_roles_join_their_accession(tmp_path):
    recording = day(
        tmp_path / "edgar",
        entry(1, "4", "12:00:05", role="Issuer", cik=52, name="Oak Co"),
        entry(1, "4", "12:00:01", role="Reporting", cik=51, name="Roe Jane"),
    )
    async with watching(recording, tmp_path, start=NOON) as rig:
        await watch(rig, NOON + timedelta(seconds=15))
        kept = await rig.ledger.get(acc(1))
        assert kept is not None
        assert {party.role for party in kept.filing.parties} == {"reporting", "issuer"}
        assert rig.poller.state.filings == 1


async def test_a_refusal_stops_all_for_ten_minutes_and_then_everything_is_caught_up(tmp_path):
    rows = [entry(n, "4", f"12:{n // 10:02}:{n % 10:02}", cik=n) for n in reversed(range(140))]
    recording = day(tmp_path / "edgar", *rows)
    async with watching(recording, tmp_path, start=NOON) as rig:
        rig.fault("refused", start=(NOON + minutes(2)).time(), count=1)
        with capture_logs() as logs:
            await watch(rig, NOON + minutes(5))
            assert rig.poller.state.word == "stopped"
            asked = rig.server.requests
            await watch(rig, NOON + minutes(11.9))
            assert rig.server.requests == asked
        assert [told["log_level"] for told in logs if told["event"] == "edgar.refused"] == ["error"]
        await watch(rig, NOON + minutes(16))
        assert len(await accessions(rig)) == 140
        assert rig.poller.state.word == "live"
        assert rig.poller.state.failures == 0


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "down"},
        {"kind": "down", "status": 503},
        {"kind": "garbage"},
        {"kind": "truncated"},
        {"kind": "encoding"},
        {"kind": "bomb", "size": 16 << 20},
    ],
    ids=lambda fault: "-".join(str(part) for part in fault.values()),
)
async def test_any_fault_of_the_feed_is_outlived(tmp_path, fault):
    rows = [entry(n, "4", f"12:0{n // 60}:{n % 60:02}", cik=n) for n in reversed(range(300))]
    recording = day(tmp_path / "edgar", *rows)
    async with watching(recording, tmp_path, start=NOON) as rig:
        rig.fault(**fault, start=(NOON + minutes(1)).time(), end=(NOON + minutes(3)).time())
        await watch(rig, NOON + minutes(2))
        assert rig.poller.state.word == "failing"
        assert rig.poller.state.reason
        await watch(rig, NOON + minutes(5.5))
        assert rig.poller.state.word == "live"
        assert len(await accessions(rig)) == 300
        assert rig.server.limit.refused == 0


async def test_a_walk_that_broke_off_is_walked_again_from_the_top(tmp_path):
    """Page 3 of a catch-up fails: the next poll's first page shows nothing new, and yet it must go on down."""
    rows = [entry(n, "4", "11:59:00", cik=n) for n in range(600)]
    recording = day(tmp_path / "edgar", *rows)
    async with watching(recording, tmp_path, start=NOON) as rig:
        rig.fault("down", url="*start=200*", count=3)
        await watch(rig, NOON + minutes(1))
        assert len(await accessions(rig)) == 600


async def test_quiet_polls_write_nothing_and_the_state_tells_of_them(tmp_path):
    recording = day(tmp_path / "edgar", entry(1, "8-K", "11:00:00"))
    async with watching(recording, tmp_path, start=NOON) as rig:
        await watch(rig, NOON + timedelta(seconds=60.5))
        state = rig.poller.state
        assert (state.word, state.filings) == ("live", 1)
        assert 25 <= state.polls <= 32, "every two seconds"
        assert state.last_poll is not None
        assert rig.clock.now() - state.last_poll <= timedelta(seconds=3)
        assert state.lag_seconds == pytest.approx(3600, abs=5)


async def test_the_set_interval_wins_over_the_clock(tmp_path):
    recording = day(tmp_path / "edgar", entry(1, "8-K", "11:00:00"))
    async with watching(recording, tmp_path, start=NOON) as rig:
        rig.poller._poll_seconds = 20.0
        await watch(rig, NOON + timedelta(seconds=61))
        assert rig.poller.state.polls in (4, 5)


async def test_at_night_it_polls_once_a_minute_and_wakes_for_six(tmp_path):
    recording = day(tmp_path / "edgar", entry(1, "8-K", "2025-06-09T19:00:00"))
    clock = SimClock(recording.at(time(5, 57, 30)), math.inf)
    async with watching(recording, tmp_path, clock=clock) as rig:
        await watch(rig, recording.at(time(5, 59, 59)))
        assert rig.poller.state.word == "closed"
        assert rig.poller.state.polls <= 4
        await watch(rig, recording.at(time(6, 0, 4)))
        assert await accessions(rig) == [acc(1)]


class Shelf:
    """A feed of exactly these rows in exactly this order; pages from `broken` on answer 500."""

    def __init__(self, rows: Sequence[str]) -> None:
        self.rows = rows
        self.broken = math.inf
        self.asked = 0
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        start = int(request.query["start"])
        if start >= self.broken:
            return web.Response(status=500)
        return web.Response(body=page(*self.rows[start : start + 100]))


@contextlib.asynccontextmanager
async def shelved(data: Path, start: datetime, rows: Sequence[str]) -> AsyncIterator[tuple[Rig, Shelf]]:
    shelf = Shelf(rows)
    app = web.Application()
    app.router.add_get("/cgi-bin/browse-edgar", shelf.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    shelf.url = "http://{}:{}".format(*runner.addresses[0])
    try:
        stand_ins: Any = {"recording": None, "server": shelf}
        async with watching(data=data, start=start, **stand_ins) as rig:
            yield rig, shelf
    finally:
        await runner.cleanup()


async def test_one_row_with_an_odd_time_neither_ends_the_walk_back_nor_withdraws_the_rest(tmp_path):
    six = NOON.replace(hour=6, minute=2)
    rows = [entry(n, "4", f"05:{n // 10:02}:00", cik=n) for n in reversed(range(400))]
    rows.insert(1, entry(9999, "4", "2025-05-01T09:00:00"))
    async with shelved(tmp_path, six, rows) as (rig, shelf):
        await watch(rig, six + minutes(1))
        shelf.rows = [*rows[:300], entry(5000, "8-K", "05:09:30"), *rows[300:]]
        await watch(rig, six + minutes(16))
        assert (await rig.ledger.count())["withdrawn"] == 0
        assert acc(5000) in await accessions(rig)


async def test_a_page_far_down_that_stays_broken_is_asked_for_less_and_less_often(tmp_path):
    rows = [entry(n, "4", f"11:{n // 100:02}:00", cik=n) for n in reversed(range(1500))]
    async with shelved(tmp_path, NOON, rows) as (rig, shelf):
        await watch(rig, NOON + minutes(1))
        shelf.broken, before = 800, shelf.asked
        await watch(rig, NOON + minutes(11))
        assert shelf.asked - before < 500, "300 polls, and a few walks"
