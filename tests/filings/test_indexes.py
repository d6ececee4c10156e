from __future__ import annotations

import json
from datetime import date, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.clock import NEW_YORK
from catalyst.errors import ParseError
from catalyst.filings.indexes import daily_names, parse_daily, parse_rss, parse_search

MASTER = b"""Description:           Daily Index of EDGAR Dissemination Feed
Last Data Received:    Jun 10, 2025

CIK|Company Name|Form Type|Date Filed|File Name
--------------------------------------------------------------------------------
9000001|ELM & SONS|8-K|20250610|edgar/data/9000001/0009000000-25-000001.txt
9000002|Oak Co|SCHEDULE 13D/A|2025-06-10|edgar/data/9000002/0009000000-25-000002.txt
no row at all
9000003|Bad Date|4|20251399|edgar/data/9000003/0009000000-25-000003.txt
9000004|Climber|4|20250610|edgar/data/../../etc/0009000000-25-000004.txt
9000005|Too|many|cells|20250610|edgar/data/9000005/0009000000-25-000005.txt
"""

HIT = {
    "adsh": "0009000000-25-000001",
    "form": "8-K",
    "file_date": "2025-06-10",
    "ciks": ["0009000001", "0009000002"],
    "display_names": ["Elm & Sons (The)  (ELM, ELM-WT)  (CIK 0009000001)", "Oak Co  (CIK 0009000002)"],
    "items": ["2.02", "nonsense"],
}

RSS = b"""<?xml version="1.0" encoding="windows-1252"?>
<rss version="2.0"><channel><title>x</title>
<item><title>Elm &amp; Sons (0009000001) (Filer)</title>
<edgar:xbrlFiling xmlns:edgar="https://www.sec.gov/Archives/edgar">
<edgar:companyName>Elm &amp; Sons</edgar:companyName><edgar:formType>10-Q/A</edgar:formType>
<edgar:filingDate>06/11/2025</edgar:filingDate><edgar:cikNumber>0009000001</edgar:cikNumber>
<edgar:accessionNumber>0009000000-25-000001</edgar:accessionNumber>
<edgar:acceptanceDatetime>20250610173122</edgar:acceptanceDatetime>
<edgar:xbrlFiles><edgar:xbrlFile edgar:file="a.htm" /></edgar:xbrlFiles></edgar:xbrlFiling></item>
<item><title>No number</title></item>
</channel></rss>"""


def test_the_daily_index_gives_its_rows_and_counts_what_makes_no_sense():
    found = parse_daily(MASTER)
    assert [(row.accession, row.form, row.party.cik) for row in found.entries] == [
        ("0009000000-25-000001", "8-K", "0009000001"),
        ("0009000000-25-000002", "SCHEDULE 13D/A", "0009000002"),
    ]
    assert found.skipped == 3
    first = found.entries[0]
    assert (first.source, first.filed, first.party.role) == ("index", date(2025, 6, 10), "")
    assert first.accepted == datetime(2025, 6, 10, tzinfo=NEW_YORK)


def test_a_hit_of_several_companies_gives_a_row_for_each():
    body = orjson.dumps({"hits": {"total": {"value": 42}, "hits": [{"_source": HIT}, {"_source": HIT}, {"_id": 1}]}})
    found = parse_search(body)
    assert [(row.party.cik, row.party.name) for row in found.entries] == [
        ("0009000001", "Elm & Sons (The)"),
        ("0009000002", "Oak Co"),
    ]
    assert found.entries[0].items == ("2.02",)
    assert (found.total, found.skipped) == (42, 1)


def test_the_rss_tells_role_and_acceptance():
    found = parse_rss(RSS)
    [row] = found.entries
    assert (row.form, row.party.role, row.party.name) == ("10-Q/A", "filer", "Elm & Sons")
    assert row.accepted == datetime(2025, 6, 10, 17, 31, 22, tzinfo=NEW_YORK)
    assert (row.filed, row.source, found.skipped) == (date(2025, 6, 11), "rss", 1)


def test_only_master_indexes_of_real_days_are_taken_from_a_folder():
    names = ["master.20250610.idx", "form.20250610.idx", "master.20251340.idx", "../master.20250609.idx", 7]
    body = orjson.dumps({"directory": {"item": [*({"name": name} for name in names), "x"]}})
    assert daily_names(body) == {date(2025, 6, 10): "master.20250610.idx"}


@pytest.mark.parametrize("parse", [parse_daily, parse_search, parse_rss, daily_names])
@pytest.mark.parametrize(
    "body", [b"", b"<html>Forbidden</html>", b"{}", b'{"hits": 7}', b"[" * 100_000, b"\xff\xfe\x00"]
)
def test_what_is_none_of_them_is_a_typed_error(parse, body):
    with pytest.raises(ParseError):
        parse(body)


@given(st.binary(max_size=400), st.integers(0, 900))
def test_damage_anywhere_costs_rows_and_nothing_else(noise, place):
    for parse, whole in (
        (parse_daily, MASTER),
        (parse_rss, RSS),
        (parse_search, orjson.dumps({"hits": {"hits": [{"_source": HIT}]}})),
    ):
        try:
            found = parse(whole[:place] + noise + whole[place:])
        except ParseError:
            continue
        assert all(len(row.accession) == 20 for row in found.entries)


@given(
    st.recursive(
        st.none() | st.text(max_size=5) | st.integers(),
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(st.sampled_from(["hits", "_source", "adsh", "ciks", "total", "form"]), x, max_size=3)
        ),
        max_leaves=20,
    )
)
def test_any_json_in_the_place_of_hits_is_survived(value):
    hits = [{"_source": value}, {"_source": {**HIT, "ciks": value}}, value]
    parse_search(json.dumps({"hits": {"hits": hits, "total": value}}).encode())


@pytest.mark.corpus
def test_every_recorded_list_is_read(corpus):
    place = corpus / "edgar"
    for path in (place / "metadata" / "index").glob("*master*"):
        found = parse_daily(path.read_bytes())
        assert found.entries
        assert found.skipped == 0
    for path in (place / "metadata" / "efts").glob("*.json"):
        assert parse_search(path.read_bytes()).entries
    for path in (place / "feeds" / "rss").glob("*usgaap*"):
        assert len(parse_rss(path.read_bytes()).entries) == 200
