"""The feed as it looked at a simulated moment."""

from __future__ import annotations

import dataclasses
import gzip
import re
import time as real_time
from datetime import datetime, time
from pathlib import Path

import pytest

from catalyst.emulator import Recording
from catalyst.emulator.feed import Query
from catalyst.emulator.rows import read_page
from catalyst.filings.feed import parse_feed

from .conftest import Opens, new_york

ALL = Query(count=100)


def shown(recording: Recording, at: datetime, query: Query = ALL) -> list[str]:
    return [row.accession[7:10] for row, _ in recording.feed.window(at.timestamp(), query)]


def test_a_row_appears_at_its_acceptance(recording):
    assert "003" not in shown(recording, new_york("09:29:59"))
    assert shown(recording, new_york("09:30:00"))[0] == "003"


def test_an_evening_filing_is_released_at_six_below_newer_rows(recording):
    assert shown(recording, new_york("05:59:59")) == ["008"]
    assert shown(recording, new_york("06:00:00")) == ["008", "001"]


def test_rows_of_earlier_days_are_shown_only_as_background(folder):
    recording = Recording.load(folder, background=True)
    assert shown(recording, new_york("05:59:59")) == ["008", "004"]
    assert shown(recording, new_york("06:00:00")) == ["008", "001", "004"]
    assert recording.accessions == 7


def test_pages_that_overlap_give_each_row_once(recording):
    assert shown(recording, new_york("23:00:00")) == ["009", "007", "005", "005", "003", "002", "008", "001"]
    assert recording.rows == 8


def test_type_is_a_prefix(recording):
    at = new_york("23:00:00")
    assert shown(recording, at, Query(form="8-K", count=100)) == ["007", "003", "008", "001"]
    assert shown(recording, at, Query(form="4", count=100)) == ["005", "005", "002"]
    assert shown(recording, at, Query(form="4", count=100, owner="exclude")) == ["002"]
    assert shown(recording, at, Query(form="8-K", start=1, count=2)) == ["003", "008"]


def test_a_withdrawn_accession_leaves_no_row(recording):
    gone = frozenset({"0009000005-25-000005"})
    rows = recording.feed.window(new_york("23:00:00").timestamp(), Query(start=1, count=2), gone)
    assert [row.accession[7:10] for row, _ in rows] == ["007", "003"]


def test_volume_brings_each_accession_so_many_times_under_valid_numbers(folder):
    recording = Recording.load(folder, volume=10)
    page = parse_feed(recording.feed.page(new_york("23:00:00").timestamp(), Query(count=100)))
    numbers = {one.accession for one in page.entries}
    assert (len(page.entries), len(numbers), page.skipped) == (80, 70, 0)
    assert recording.accessions == 70
    assert all(re.fullmatch(r"\d{10}-25-\d{6}", number) for number in numbers)
    assert {recording.find(number).row.accession for number in numbers} == set(recording._rows)  # type: ignore[union-attr]
    again = Recording.load(folder, volume=10)
    assert {one.accession for one in again.filings()} == {one.accession for one in recording.filings()} >= numbers


def test_bursts_let_the_rows_of_a_span_arrive_together(folder):
    recording = Recording.load(folder, bursts=3600)
    assert "003" not in shown(recording, new_york("09:59:59"))
    assert shown(recording, new_york("10:00:00"))[:1] == ["003"]
    assert "001" in shown(recording, new_york("06:00:00"))


async def test_the_page_is_served_in_the_recorded_form(recording, edgar: Opens):
    async with edgar(recording, new_york("12:00:00")) as sec:
        answer = await sec.get("/cgi-bin/browse-edgar?action=getcurrent&type=&company=&count=40&start=0&output=atom")
    assert answer.headers["Content-Type"] == "application/atom+xml"
    assert answer.body.startswith(b'<?xml version="1.0" encoding="ISO-8859-1" ?>\n<feed xmlns=')
    assert b"<title>Latest Filings - Tue, 10 Jun 2025 12:00:00 EDT</title>" in answer.body
    entries = parse_feed(answer.body).entries
    assert [entry.party.role for entry in entries[:2]] == ["reporting", "issuer"]
    assert (entries[2].party.name, entries[2].items) == ("Elm & Sons", ("2.02", "9.01"))


@pytest.mark.parametrize(("asked", "given"), [("7", 10), ("10", 10), ("79", 40), ("100", 100), ("5000", 100)])
async def test_count_is_one_that_edgar_knows(folder, edgar: Opens, asked, given):
    recording = Recording.load(folder, volume=20)
    async with edgar(recording, new_york("23:00:00")) as sec:
        assert len((await sec.feed(count=asked)).entries) == given


async def test_a_parameter_that_makes_no_sense_is_refused(recording, edgar: Opens):
    async with edgar(recording, new_york("12:00:00")) as sec:
        assert (await sec.get("/cgi-bin/browse-edgar?action=getcurrent&start=x")).status == 400


def test_a_page_costs_little_at_ten_times_the_volume(folder):
    evening = new_york("23:00:00").timestamp()
    row = Recording.load(folder).feed.window(evening, ALL)[0][0]
    many = [
        dataclasses.replace(
            row,
            accession=f"{n:010d}-25-000009",
            accepted=row.accepted - n,
            released=row.released - n,
            entry=row.entry.replace(b"0009000009", b"%010d" % n),
        )
        for n in range(4000)
    ]
    recording = Recording(folder, row.filed, many, volume=10)
    began = real_time.process_time()
    for start in range(0, 40_000, 1000):
        assert recording.feed.page(evening, Query(start=start, count=100)).count(b"<entry>") == 100
    assert (real_time.process_time() - began) / 40 < 0.004


# Against the recorded day.


@pytest.fixture(scope="module")
def friday(corpus: Path) -> Recording:
    return Recording.load(corpus / "edgar", background=True)


def recorded_pages(corpus: Path) -> list[bytes]:
    pages = sorted((corpus / "edgar" / "feeds" / "getcurrent").glob("*test_get_all_current_filings*"))
    return [gzip.decompress(page.read_bytes()) for page in pages]


@pytest.mark.corpus
def test_the_recorded_day_has_its_accessions(friday):
    assert (friday.accessions, str(friday.day)) == (2600, "2025-12-12")
    assert friday.ends_at.isoformat() == "2025-12-12T18:02:43-05:00"
    assert friday.starts_at.isoformat() == "2025-12-12T05:58:00-05:00"


@pytest.mark.corpus
def test_pages_are_the_recorded_ones_byte_for_byte(friday, corpus):
    pages = recorded_pages(corpus)
    for number, body in enumerate(pages[:26]):
        updated = datetime.fromisoformat(re.search(rb"<updated>(.*?)</updated>", body)[1].decode())  # type: ignore[index]
        assert friday.feed.page(updated.timestamp(), Query(start=number * 100, count=100)) == body


@pytest.mark.corpus
async def test_a_walk_down_the_pages_finds_every_accession_of_the_day(friday, corpus, edgar: Opens):
    found: set[str] = set()
    async with edgar(friday, datetime(2025, 12, 12, 18, 10, tzinfo=friday.starts_at.tzinfo)) as sec:
        start = 0
        while (page := await sec.feed(count=100, start=start)).entries:
            found |= {one.accession for one in page.entries if "2025-12-12" in (str(one.filed), str(one.accepted)[:10])}
            start += 100
    assert len(found) == 2600
    assert found >= {row.accession for body in recorded_pages(corpus)[:10] for row in read_page(body)}


@pytest.mark.corpus
def test_held_over_filings_come_at_six_below_newer_rows(friday):
    six = friday.at(time(6)).timestamp()
    before = {row.accession for row, _ in friday.feed.there(six - 1)}
    rows = [row for row, _ in friday.feed.there(six)]
    new = [place for place, row in enumerate(rows) if row.accession not in before]
    assert len({rows[place].accession for place in new}) == 146
    assert min(new) > 0
    assert [row.accepted for row in rows] == sorted((row.accepted for row in rows), reverse=True)


@pytest.mark.corpus
def test_the_day_loads_in_a_moment(corpus):
    began = real_time.process_time()
    Recording.load(corpus / "edgar")
    assert real_time.process_time() - began < 3
