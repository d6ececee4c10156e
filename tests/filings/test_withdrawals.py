"""What EDGAR takes away: told once, proved by its own 404s, and never by a row that is missing alone."""

from __future__ import annotations

from datetime import datetime, timedelta

from catalyst.clock import NEW_YORK
from tests.filings.rig import DAY, acc, day, entry, watching

NOON = datetime.fromisoformat(f"{DAY}T12:00:00").replace(tzinfo=NEW_YORK)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def rows(count: int = 30) -> list[str]:
    return [entry(n, "4", f"11:{n:02}:00", cik=n + 1) for n in reversed(range(count))]


async def test_a_filing_that_vanishes_gets_one_more_final_update_that_says_so(tmp_path):
    recording = day(tmp_path / "edgar", *rows())
    async with watching(recording, tmp_path, start=NOON) as rig:
        rig.fault("vanish", accession=acc(20), start=(NOON + minutes(2)).time())
        await rig.run_until(NOON + minutes(6), everything=True)
        assert (await rig.ledger.count())["withdrawn"] == 0, "one walk proves nothing"
        await rig.run_until(NOON + minutes(40), everything=True)
        assert (await rig.ledger.count())["withdrawn"] == 1
        told = [message for message in await rig.messages() if "withdrawn" in message["tags"]]
        assert [(one["filing_id"], one["type"], one["final"]) for one in told] == [(acc(20), "filing_update", True)]
        assert "no longer" in told[0]["analysis"]["summary"]
        assert told[0]["version"] == 2


async def test_a_row_that_only_the_feed_lost_is_no_withdrawal(tmp_path):
    recording = day(tmp_path / "edgar", *rows())
    async with watching(recording, tmp_path, start=NOON) as rig:
        rig.fault("unlisted", accession=acc(20), start=(NOON + minutes(2)).time())
        await rig.run_until(NOON + minutes(60), everything=True)
        assert (await rig.ledger.count())["withdrawn"] == 0
        assert not [message for message in await rig.messages() if "withdrawn" in message["tags"]]


async def test_an_edgar_that_answers_404_to_every_page_withdraws_nothing_that_the_feed_shows(tmp_path):
    recording = day(tmp_path / "edgar", *rows())
    async with watching(recording, tmp_path, start=NOON) as rig:
        await rig.run_until(NOON + minutes(2), everything=True)
        rig.fault("missing", url="/Archives/*", seconds=80_000)
        await rig.run_until(NOON + minutes(60), everything=True)
        assert (await rig.ledger.count())["withdrawn"] == 0


async def test_one_that_comes_back_is_told_of_as_restored(tmp_path):
    recording = day(tmp_path / "edgar", *rows())
    async with watching(recording, tmp_path, start=NOON) as rig:
        rig.fault("vanish", accession=acc(20), start=(NOON + minutes(2)).time(), end=(NOON + minutes(45)).time())
        await rig.run_until(NOON + minutes(60), everything=True)
        told = [message for message in await rig.messages() if message["filing_id"] == acc(20)]
        assert [one["tags"][-1] for one in told[1:]] == ["withdrawn", "restored"]
        assert (await rig.ledger.count())["withdrawn"] == 0


async def test_it_is_told_once_over_a_restart(tmp_path):
    recording = day(tmp_path / "edgar", *rows())
    async with watching(recording, tmp_path, start=NOON) as rig:
        rig.fault("vanish", accession=acc(20), start=(NOON + minutes(2)).time())
        await rig.run_until(NOON + minutes(40), everything=True)
    async with watching(recording, tmp_path, start=NOON + minutes(41)) as rig:
        rig.fault("vanish", accession=acc(20))
        await rig.run_until(NOON + minutes(90), everything=True)
        assert len([message for message in await rig.messages() if "withdrawn" in message["tags"]]) == 1
