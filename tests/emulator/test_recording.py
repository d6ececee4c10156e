"""Reading a folder, and the sample day that ships."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from catalyst.emulator import Recording, sample_path
from catalyst.emulator.submission import text_of
from catalyst.errors import UsageError

from .conftest import entry, page

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sample() -> Recording:
    return Recording.load(sample_path())


def test_a_missing_folder_says_so(tmp_path):
    with pytest.raises(UsageError, match="is no folder"):
        Recording.load(tmp_path / "none")


def test_a_folder_without_a_walk_says_so(tmp_path):
    with pytest.raises(UsageError, match="no feed walk"):
        Recording.load(tmp_path)


def test_pages_without_rows_say_so(folder):
    for place in (folder / "feeds" / "getcurrent").iterdir():
        place.write_text("<feed></feed>")
    with pytest.raises(UsageError, match="holds a row"):
        Recording.load(folder)


def test_a_broken_page_says_which(folder):
    (folder / "feeds" / "getcurrent" / "x.xml.gz").write_bytes(b"\x1f\x8b broken")
    with pytest.raises(UsageError, match=r"x\.xml\.gz"):
        Recording.load(folder)


def test_a_day_that_is_not_there_names_those_that_are(folder):
    from datetime import date

    with pytest.raises(UsageError, match="2025-06-09 to 2025-06-10"):
        Recording.load(folder, day=date(2024, 1, 1))


def test_an_earlier_day_can_be_chosen(folder):
    from datetime import date

    recording = Recording.load(folder, day=date(2025, 6, 9))
    assert recording.accessions == 2


def test_volume_is_bounded(folder):
    with pytest.raises(UsageError, match="volume"):
        Recording.load(folder, volume=0)


def test_a_row_that_makes_no_sense_is_left_out(folder):
    broken = "<entry><title>nothing</title></entry>\n"
    odd = entry("0009000010-25-000010", "8-K", "Odd Co", "not a time")
    place = folder / "feeds" / "getcurrent" / "getcurrent__walk__start-00010.xml"
    place.write_text(page((broken, odd)))
    assert Recording.load(folder).accessions == 7


def test_two_equal_rows_on_one_page_both_stay(folder):
    row = entry("0009000010-25-000010", "8-K", "Twice Co", "16:00:00")
    place = folder / "feeds" / "getcurrent" / "getcurrent__walk__start-00010.xml"
    place.write_text(page((row, row)))
    recording = Recording.load(folder)
    assert (recording.rows, recording.accessions) == (10, 8)


def test_a_start_that_is_no_time_says_so(folder):
    (folder / "recording.json").write_text('{"starts_at": "soon"}')
    with pytest.raises(UsageError, match="starts_at"):
        Recording.load(folder)


# The sample day.


def test_the_sample_has_every_kind_of_filing(sample):
    forms = [filing.row.form for filing in sample.filings()]
    assert sample.accessions == len(forms) >= 20
    assert {"8-K", "8-K/A", "10-Q", "10-K", "4", "3", "424B5", "S-1", "6-K", "SCHEDULE 13D", "NT 10-Q", "DEF 14A"} <= {
        *forms
    }
    items = {code for filing in sample.filings() for code, _ in filing.row.items}
    assert {"1.01", "1.05", "2.02", "5.02", "7.01", "8.01", "9.01"} <= items
    assert any(filing.row.held_over for filing in sample.filings())
    assert max(len(filing.rows) for filing in sample.filings()) >= 3


def test_the_sample_shows_a_handful_at_once_and_the_rest_within_ten_minutes(sample):
    begin = sample.starts_at.timestamp()
    assert sample.released(begin) >= 1
    assert sample.released(begin + 30) >= 8
    assert sample.released(begin + 30) < sample.accessions
    assert sample.released(begin + 600) == sample.accessions


def test_every_filing_of_the_sample_is_whole(sample):
    for filing in sample.filings():
        text = text_of(sample, filing)
        assert text.origin == "recorded"
        body = text.read().decode()
        assert f"ACCESSION NUMBER:\t\t{filing.accession}" in body
        assert f"CONFORMED SUBMISSION TYPE:\t{filing.row.form}" in body
        assert all(f"CENTRAL INDEX KEY:\t\t\t{row.cik}" in body for row in filing.rows)
        for xml in re.findall(r"<XML>\n(.*?)\n</XML>", body, re.DOTALL):
            ET.fromstring(xml)
        for xml in re.findall(r"<XBRL>\n(.*?)\n</XBRL>", body, re.DOTALL):
            facts = list(
                ET.fromstring(xml.replace("&#8217;", "'").encode()).iter(
                    "{http://www.xbrl.org/2013/inlineXBRL}nonFraction"
                )
            )
            assert len(facts) > 40
            assert any(fact.get("sign") == "-" for fact in facts)


def test_the_samples_amendment_names_its_original(sample):
    amendment = next(filing for filing in sample.filings() if filing.row.form == "8-K/A")
    original = re.search(r"accession number (\S+?)\)", text_of(sample, amendment).read().decode())
    assert original is not None
    assert sample.find(original[1]) is not None


def test_the_samples_labels_are_its_filings(sample):
    labels = [json.loads(line) for line in (sample_path() / "labels.jsonl").read_text().splitlines()]
    assert {one["accession"] for one in labels} == {filing.accession for filing in sample.filings()}
    assert all((sample_path() / place).is_file() for one in labels for place in one["files"])
    tickers = json.loads((sample_path() / "metadata/company_tickers/company_tickers.json").read_text())
    known = {one["ticker"] for one in tickers.values()}
    assert {ticker for one in labels for ticker in one["tickers_now"]} <= known


def test_the_sample_is_small_and_what_its_script_writes(tmp_path):
    spec = importlib.util.spec_from_file_location("make_sample", ROOT / "tools" / "make_sample.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path[:] = before
    module.write(tmp_path / "sample")
    made = {place.relative_to(tmp_path / "sample"): place.read_bytes() for place in _files(tmp_path / "sample")}
    shipped = {place.relative_to(sample_path()): place.read_bytes() for place in _files(sample_path())}
    assert made == shipped
    assert sum(map(len, shipped.values())) < 1_000_000


def _files(folder: Path) -> list[Path]:
    return [place for place in folder.rglob("*") if place.is_file()]
