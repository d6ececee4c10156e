from __future__ import annotations

import gzip
import time
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.errors import ParseError
from catalyst.filings.feed import MAX_ROWS, parse_feed
from tests.filings.rig import acc, entry, page


def test_a_row_gives_form_party_times_items_and_size():
    found = parse_feed(page(entry(7, "8-K", "16:05:09", items=("2.02", "9.01")), updated="2025-06-10T16:05:11-04:00"))
    [row] = found.entries
    assert (row.accession, row.form, row.items, row.size) == (acc(7), "8-K", ("2.02", "9.01"), "9 KB")
    assert (row.party.role, row.party.cik) == ("filer", "0009000001")
    assert row.party.name == "Elm & Sons - Holdings (Delaware)"
    assert row.accepted == datetime(2025, 6, 10, 20, 5, 9, tzinfo=UTC)
    assert row.filed == date(2025, 6, 10)
    assert row.url.endswith(f"{acc(7)}-index.htm")
    assert found.updated == datetime(2025, 6, 10, 20, 5, 11, tzinfo=UTC)
    assert found.complete
    assert found.skipped == 0


@pytest.mark.parametrize(
    ("form", "name", "role"),
    [
        ("4", "Doe - Roe, Inc. (Pty) (Ltd)", "Reporting"),
        ("SCHEDULE 13D/A", "O'Neil (Old) - New", "Filed by"),
        ("NT 10-Q", "A - B - C", "Filer"),
        ("SC TO-T/A", "Société Générale", "Subject"),
    ],
)
def test_names_with_dashes_brackets_and_accents_stay_whole(form: str, name: str, role: str):
    [row] = parse_feed(page(entry(1, form, "10:00:00", name=name, role=role))).entries
    assert (row.form, row.party.name, row.party.role) == (form, name, role.lower())


def test_utf8_is_read_where_the_page_declares_it():
    body = page(entry(1, "4", "10:00:00", name="Société")).decode("iso-8859-1").replace("ISO-8859-1", "UTF-8")
    assert parse_feed(body.encode()).entries[0].party.name == "Société"


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("<updated>2025-06-10T11:00:00-04:00</updated>", "<updated>yesterday</updated>"),
        ("<updated>2025-06-10T11:00:00-04:00</updated>", "<updated>2025-99-10T11:00:00-04:00</updated>"),
        ("<updated>2025-06-10T11:00:00-04:00</updated>", "<updated>0001-01-01T00:00:00+00:00</updated>"),
        ("<updated>2025-06-10T11:00:00-04:00</updated>", "<updated>9999-12-31T23:59:59-10:00</updated>"),
        ("<id>", f"<x>{'y' * 40_000}</x><id>"),
        (acc(2), "0009-25-2"),
        ("(0009000001) (Filer)", "(nobody)"),
        ("<title>", "<titel>"),
    ],
)
def test_a_bad_row_is_skipped_and_counted_and_its_neighbours_stay(good: str, bad: str):
    middle = entry(2, "8-K", "11:00:00").replace(good, bad)
    found = parse_feed(page(entry(3, "4", "12:00:00"), middle, entry(1, "4", "10:00:00")))
    assert [row.accession for row in found.entries] == [acc(3), acc(1)]
    assert found.skipped == 1


def test_without_a_category_the_form_comes_from_the_title():
    row = entry(1, "SC 13D", "10:00:00").replace('term="SC 13D"', "")
    assert parse_feed(page(row)).entries[0].form == "SC 13D"


def test_a_row_without_filed_date_or_address_is_kept():
    row = entry(1, "8-K", "10:00:00").replace("Filed:", "").replace("href=", "hrev=")
    found = parse_feed(page(row)).entries[0]
    assert (found.filed, found.url) == (None, "")


def test_an_address_that_no_browser_should_open_is_dropped():
    row = entry(1, "8-K", "10:00:00").replace("https://www.sec.gov", "javascript://x")
    assert parse_feed(page(row)).entries[0].url == ""


def test_items_of_the_investment_company_act_are_no_item_codes():
    row = entry(1, "D", "10:00:00", items=("3C", "3C.7", "06B"))
    assert parse_feed(page(row)).entries[0].items == ()


@pytest.mark.parametrize("body", [b"", b"<html>Down for maintenance</html>", bytes(5000), b"{}"])
def test_what_is_no_feed_raises(body: bytes):
    with pytest.raises(ParseError, match="no Atom feed"):
        parse_feed(body)


def test_a_page_that_breaks_off_gives_its_whole_rows_and_says_so():
    whole = page(entry(2, "8-K", "11:00:00"), entry(1, "4", "10:00:00"))
    found = parse_feed(whole[: whole.rindex(b"</entry>")])
    assert [row.accession for row in found.entries] == [acc(2)]
    assert not found.complete


def test_a_page_without_rows_is_a_page():
    found = parse_feed(page())
    assert found.entries == ()
    assert found.complete


def test_a_page_of_any_length_gives_a_bounded_number_of_rows():
    found = parse_feed(page(*[entry(n, "4", "10:00:00") for n in range(MAX_ROWS + 50)]))
    assert len(found.entries) == MAX_ROWS


def test_rows_that_are_known_are_the_same_again():
    known: dict = {}
    body = page(entry(1, "4", "10:00:00"), entry(2, "8-K", "09:00:00"))
    first = parse_feed(body, known)
    assert parse_feed(body, known) == first
    assert parse_feed(body, known).entries[0] is first.entries[0]


@given(st.binary(max_size=2000), st.integers(0, 1500), st.integers(0, 1500))
def test_no_bytes_break_it(noise: bytes, start: int, end: int):
    whole = page(entry(1, "8-K", "10:00:00"), entry(2, "4", "09:00:00"))
    for body in (noise, b"<feed>" + noise, whole[:start] + noise + whole[end:]):
        try:
            found = parse_feed(body)
        except ParseError:
            continue
        assert all(row.accession and row.accepted.tzinfo for row in found.entries)


@pytest.mark.corpus
def test_every_recorded_page_is_read_whole_in_under_3_ms(corpus):
    bodies = [gzip.decompress(path.read_bytes()) for path in sorted((corpus / "edgar/feeds/getcurrent").glob("*.gz"))]
    assert len(bodies) > 300
    began = time.process_time()
    pages = [parse_feed(body) for body in bodies]
    spent = (time.process_time() - began) / len(bodies)
    for body, found in zip(bodies, pages, strict=True):
        assert len(found.entries) == body.count(b"<entry>")
        assert found.complete
        assert found.updated is not None
        assert all(row.filed and row.url and row.size for row in found.entries)
    eight_k = [row for found in pages for row in found.entries if row.form == "8-K"]
    assert all(row.items for row in eight_k)
    assert spent < 0.006, f"{spent * 1000:.1f} ms a page"  # 1.5 ms alone; the machine may be shared


@pytest.mark.parametrize("mark", ["<title", "<link ", "<category ", '<link href="'])
def test_a_row_of_tags_that_never_end_takes_no_time(mark: str):
    """With expressions that look past the tag's own beginning, this page takes minutes, and nothing else runs."""
    body = page("".join(f"<entry>{mark * 3000}</entry>" for _ in range(60)))
    began = time.perf_counter()
    assert parse_feed(body).skipped == 60
    assert time.perf_counter() - began < 1
