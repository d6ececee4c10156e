"""Everything else EDGAR publishes: daily index, structured RSS, tickers, submissions, full-text search."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from catalyst.clock import SimClock
from catalyst.emulator import Fault, Faults, Recording
from catalyst.filings.indexes import daily_names, parse_daily, parse_rss, parse_search

from .conftest import DAY, Opens, new_york

DAILY = "/Archives/edgar/daily-index/2025/QTR2"
SEARCH = "/LATEST/search-index?dateRange=custom"


async def test_the_daily_index_is_there_from_ten_in_the_evening(recording, edgar: Opens):
    async with edgar(recording, new_york("21:59:59")) as sec:
        assert (await sec.get(f"{DAILY}/master.20250610.idx")).status == 404
        await sec.to(new_york("22:00:00"))
        lines = (await sec.get(f"{DAILY}/master.20250610.idx")).body.decode().splitlines()
        assert (await sec.get("/Archives/edgar/daily-index/2025/QTR3/master.20250610.idx")).status == 404
        assert (await sec.get(f"{DAILY}/master.20251399.idx")).status == 404
    assert lines[5] == "CIK|Company Name|Form Type|Date Filed|File Name"
    assert "9000001|Elm & Sons|8-K|20250610|edgar/data/9000001/0009000003-25-000003.txt" in lines
    assert len(lines) == 7 + recording.rows


@pytest.mark.parametrize("kind", ["form", "company"])
async def test_the_other_daily_indexes_have_fixed_columns(recording, edgar: Opens, kind):
    async with edgar(recording, new_york("22:00:00")) as sec:
        lines = (await sec.get(f"{DAILY}/{kind}.20250610.idx")).body.decode().splitlines()
    head = next(line for line in lines if "Date Filed" in line)
    place = head.index("File Name")
    rows = lines[lines.index(head) + 2 :]
    assert len(rows) == recording.rows
    assert all(row[place:].startswith("edgar/data/") for row in rows)


@pytest.mark.corpus
@pytest.mark.parametrize("kind", ["form", "company"])
def test_the_columns_stand_where_the_recorded_indexes_have_them(recording, corpus: Path, kind):
    from catalyst.emulator.listings import daily_index, listed

    recorded = next((corpus / "edgar" / "metadata" / "index").glob(f"*{kind}.20*.idx")).read_text("iso-8859-1")
    now = new_york("23:00:00").timestamp()
    ours = daily_index(listed(recording.feed.there(now), frozenset()), kind, "20250610", now)
    assert ours is not None
    # One recorded file has its head broken over two lines.
    heads = [text.partition("\n-----")[0].split("\n \n")[-1].split() for text in (recorded, ours.decode())]
    assert heads[0] == heads[1]
    assert [line.split(":")[0] for line in ours.decode().splitlines()[:4]] == [
        line.split(":")[0] for line in recorded.splitlines()[:4]
    ]


async def test_the_structured_rss_is_of_the_last_full_ten_minutes(recording, edgar: Opens):
    async with edgar(recording, new_york("09:39:59")) as sec:
        first = ET.fromstring((await sec.get("/Archives/edgar/usgaap.rss.xml")).body)
        await sec.to(new_york("09:40:00"))
        second = ET.fromstring((await sec.get("/Archives/edgar/usgaap.rss.xml")).body)
    name = "{https://www.sec.gov/Archives/edgar}accessionNumber"
    assert [one.text for one in second.iter(name)] == [
        "0009000003-25-000003",
        "0009000008-25-000008",
        "0009000001-25-000001",
    ]
    assert [one.text for one in first.iter(name)] == [one.text for one in second.iter(name)]
    assert second.find("channel/item/{*}xbrlFiling/{*}acceptanceDatetime").text == "20250610093000"  # type: ignore[union-attr]


@pytest.mark.corpus
def test_the_rss_has_the_recorded_elements(recording, corpus: Path):
    from catalyst.emulator.listings import listed, structured_rss

    now = new_york("23:00:00").timestamp()
    ours = ET.fromstring(structured_rss(listed(recording.feed.there(now), frozenset()), now).read())
    recorded = ET.fromstring(next((corpus / "edgar" / "feeds" / "rss").glob("usgaap*")).read_bytes())
    assert [one.tag for one in ours.find("channel")][:7] == [one.tag for one in recorded.find("channel")][:7]  # type: ignore[union-attr]
    filing = "channel/item/{https://www.sec.gov/Archives/edgar}xbrlFiling"
    assert {one.tag for one in ours.find(filing)} <= {one.tag for one in recorded.find(filing)}  # type: ignore[union-attr]


async def test_tickers_are_the_recorded_ones(recording, edgar: Opens):
    folder = recording.folder / "metadata" / "company_tickers"
    folder.mkdir(parents=True)
    (folder / "company_tickers.json").write_text('{"0": {"cik_str": 9000001, "ticker": "ELM", "title": "Elm"}}')
    (folder / "z_other.json").write_text('{"ELM": 9000001}')
    async with edgar(recording, new_york("12:00:00")) as sec:
        assert json.loads((await sec.get("/files/company_tickers.json")).body)["0"]["ticker"] == "ELM"
        assert (await sec.get("/files/company_tickers_exchange.json")).status == 404


async def test_submissions_lag_behind_and_go_on_from_what_is_recorded(recording, edgar: Opens):
    folder = recording.folder / "metadata" / "submissions"
    folder.mkdir(parents=True)
    recent = {"accessionNumber": ["later", "earlier"], "filingDate": ["2026-01-01", "2025-06-09"], "form": ["4", "3"]}
    document = {"cik": "0009000001", "name": "Elm", "tickers": ["ELM"], "filings": {"recent": recent, "files": []}}
    (folder / "CIK0009000001.json").write_text(json.dumps(document))
    async with edgar(recording, new_york("09:31:00")) as sec:
        early = json.loads((await sec.get("/submissions/CIK0009000001.json")).body)["filings"]["recent"]
        await sec.to(new_york("09:35:00"))
        later = json.loads((await sec.get("/submissions/CIK0009000001.json")).body)
        assert (await sec.get("/submissions/CIK0009999999.json")).status == 404
    assert "0009000003-25-000003" not in early["accessionNumber"]
    columns = later["filings"]["recent"]
    assert columns["accessionNumber"][0] == "0009000003-25-000003"
    assert columns["accessionNumber"][-1] == "earlier"
    assert "later" not in columns["accessionNumber"]
    assert columns["items"][0] == "2.02,9.01"
    assert len({len(column) for column in columns.values()}) == 1
    assert later["tickers"] == ["ELM"]


async def test_full_text_search_filters_by_form_date_and_words(recording, edgar: Opens):
    async with edgar(recording, new_york("23:00:00")) as sec:

        async def hits(query: str) -> list[str]:
            found = json.loads((await sec.get(f"{SEARCH}&{query}")).body)["hits"]
            assert found["total"]["value"] == len(found["hits"])
            return [hit["_source"]["adsh"][7:10] for hit in found["hits"]]

        assert await hits("forms=8-K&startdt=2025-06-10&enddt=2025-06-10") == ["007", "003", "008", "001"]
        assert await hits("q=%22elm%22") == ["003"]
        assert await hits("q=&forms=4") == ["005"]
        assert await hits("q=&startdt=2025-06-11") == []
        page = json.loads((await sec.get(f"{SEARCH}&q=&from=6")).body)["hits"]
        assert (page["total"]["value"], len(page["hits"])) == (7, 1)
        assert (await sec.get(f"{SEARCH}&startdt=x")).status == 400


@pytest.mark.corpus
def test_search_answers_have_the_recorded_shape(recording, corpus: Path):
    from catalyst.emulator.listings import listed
    from catalyst.emulator.lookup import Lookup

    now = new_york("23:00:00").timestamp()
    rows = list(listed(recording.feed.there(now), frozenset()))
    answer = json.loads(Lookup(recording).search({"q": ""}, lambda: rows, None).read())
    recorded = json.loads(next((corpus / "edgar" / "metadata" / "efts").glob("*100_hits*")).read_text())
    assert set(answer) <= set(recorded)
    assert set(answer["hits"]) == set(recorded["hits"])
    known = set(recorded["hits"]["hits"][0]["_source"])
    assert set(answer["hits"]["hits"][0]["_source"]) <= known | {"root_forms"}
    assert set(answer["aggregations"]) == set(recorded["aggregations"])


async def test_a_form_4_is_one_hit_with_both_parties(recording, edgar: Opens, clock: SimClock):
    async with edgar(recording, new_york("23:00:00")) as sec:
        hit = json.loads((await sec.get(f"{SEARCH}&forms=4")).body)["hits"]["hits"][0]["_source"]
    assert hit["ciks"] == ["0009000051", "0009000052"]


def test_a_folder_without_metadata_still_loads(folder):
    assert Recording.load(folder).accessions == 7


async def test_the_folder_of_daily_indexes_lists_the_day_once_it_is_there(edgar: Opens, recording: Recording):
    place = "/Archives/edgar/daily-index/2025/QTR2/index.json"
    async with edgar(recording, new_york("21:59:59")) as site:
        assert (await site.get(place)).status == 404
        await site.to(new_york("22:00:01"))
        listed = daily_names((await site.get(place)).body)
        assert list(listed.values()) == ["master.20250610.idx"]
        body = (await site.get(place.replace("index.json", listed[recording.day]))).body
        assert {row.accession for row in parse_daily(body).entries} >= {"0009000003-25-000003", "0009000001-25-000001"}
        assert (await site.get(place.replace("QTR2", "QTR1"))).status == 404


async def test_what_is_unlisted_stands_on_no_page_and_everywhere_else(edgar: Opens, recording: Recording):
    hidden = "0009000003-25-000003"
    async with edgar(recording, new_york("22:30:00"), faults=Faults(Fault(kind="unlisted", accession=hidden))) as site:
        assert hidden not in {row.accession for row in (await site.feed(count=100)).entries}
        folder = f"/Archives/edgar/data/9000001/{hidden.replace('-', '')}"
        assert (await site.get(f"{folder}/{hidden}.txt")).status == 200
        assert (await site.get(f"{folder}/{hidden}-index.htm")).status == 200
        found = parse_search((await site.get(f"/LATEST/search-index?forms=8-K&startdt={DAY}&enddt={DAY}")).body)
        assert hidden in {row.accession for row in found.entries}
        rss = parse_rss((await site.get("/Archives/edgar/usgaap.rss.xml")).body)
        assert hidden in {row.accession for row in rss.entries}


async def test_a_search_shows_only_what_is_released_by_then(edgar: Opens, recording: Recording):
    asked = f"/LATEST/search-index?startdt={DAY}&enddt={DAY}"
    async with edgar(recording, new_york("09:00:00")) as site:
        before = {row.accession for row in parse_search((await site.get(asked)).body).entries}
        await site.to(new_york("09:31:00"))
        after = {row.accession for row in parse_search((await site.get(asked)).body).entries}
        assert after - before == {"0009000003-25-000003"}
