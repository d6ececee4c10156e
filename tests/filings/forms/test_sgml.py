"""The reader's promises: any cutting of the bytes reads alike, early ends are known, damage is told."""

from __future__ import annotations

import time
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.errors import ParseError
from catalyst.filings.forms import SubmissionReader, parse_header, read_submission
from tests.filings.forms.samples import BODY, EIGHT_K, FORM_4, RELEASE, document, submission


def fed(data: bytes, cuts: list[int], form: str = "") -> SubmissionReader:
    reader = SubmissionReader(form)
    places = [0, *sorted(cuts), len(data)]
    for start, stop in pairwise(places):
        reader.feed(data[start:stop])
    return reader


SAMPLES = (
    EIGHT_K,
    submission(document("4", f"<XML>\n{FORM_4}</XML>\n"), form="4"),
    EIGHT_K[: len(EIGHT_K) // 2],
    EIGHT_K.replace(b"</TEXT>\n</DOCUMENT>\n<DOCUMENT>", b"<DOCUMENT>"),
    EIGHT_K + EIGHT_K,
    EIGHT_K.replace(b"DOCUMENT>", b"document>"),
    BODY.encode(),
)


@given(st.sampled_from(SAMPLES), st.lists(st.integers(0, len(EIGHT_K)), max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_cutting_of_the_bytes_gives_the_same_submission(data, cuts):
    cuts = [min(cut, len(data)) for cut in cuts]
    assert fed(data, cuts).close() == read_submission(data)


@pytest.mark.parametrize("data", SAMPLES)
def test_one_byte_at_a_time_gives_the_same_submission(data):
    assert fed(data, list(range(len(data)))).close() == read_submission(data)


def test_header_tells_who_what_and_when_in_new_york():
    header = read_submission(EIGHT_K).header
    assert (header.accession, header.form, header.items) == ("0000000042-25-000007", "8-K", ("2.02", "9.01"))
    assert header.accepted == datetime(2025, 6, 12, 16, 5, 12, tzinfo=ZoneInfo("America/New_York"))
    assert [(party.role, party.cik, party.name) for party in header.parties] == [
        ("filer", "0000000042", "QUILL & ANCHOR HOLDINGS, INC.")
    ]


def test_the_tagged_header_reads_like_the_keyed_one():
    header = parse_header(
        "<SUBMISSION><ACCESSION-NUMBER>0000000042-25-000009<TYPE>4<PERIOD>20250610<FILING-DATE>20250612"
        "<REPORTING-OWNER><OWNER-DATA><CONFORMED-NAME>Reed Ada<CIK>0000000099</OWNER-DATA></REPORTING-OWNER>"
        "<ISSUER><COMPANY-DATA><CONFORMED-NAME>Quill<CIK>0000000042</COMPANY-DATA></ISSUER>"
    )
    assert header.accession == "0000000042-25-000009"
    assert header.form == "4"
    assert [(party.role, party.name) for party in header.parties] == [("reporting", "Reed Ada"), ("issuer", "Quill")]


def test_item_names_before_august_2004_have_the_old_numbers():
    text = "CONFORMED SUBMISSION TYPE:\t8-K\nITEM INFORMATION:\t\tOther events\nFILED AS OF DATE:\t\t{}\n"
    assert parse_header(text.format("20010302")).items == ("5",)
    assert parse_header(text.format("20050302")).items == ("8.01",)


def test_an_8k_keeps_its_release_and_not_the_contract():
    documents = read_submission(EIGHT_K).documents
    assert [(kept.type, bool(kept.body)) for kept in documents] == [
        ("8-K", True),
        ("EX-10.1", False),
        ("EX-99.1", True),
    ]


def test_the_reader_is_done_before_graphics_that_follow_the_release():
    reader = SubmissionReader()
    reader.feed(EIGHT_K[: EIGHT_K.index(b"logo.jpg")])
    assert not reader.done
    reader.feed(b"logo.jpg\n<TEXT>\n")
    assert reader.done


def test_graphics_before_the_release_do_not_end_the_reading():
    data = submission(
        document("8-K", BODY),
        document("GRAPHIC", "begin 644 a.jpg\nM\nend\n", 2),
        document("EX-99.1", RELEASE, 3),
    )
    assert [kept.type for kept in read_submission(data).documents] == ["8-K", "GRAPHIC", "EX-99.1"]


def test_a_form_4_is_done_with_its_first_document():
    data = submission(document("4", f"<XML>\n{FORM_4}</XML>\n"), document("EX-24", "power", 2), form="4")
    reader = SubmissionReader()
    reader.feed(data[: data.index(b"EX-24")])
    assert reader.done
    assert reader.close().documents[0].body.startswith(b"<?xml")


def test_a_truncated_document_is_kept_and_told():
    cut = read_submission(EIGHT_K[: EIGHT_K.index(b"announced its")])
    assert b"Results of Operations" in cut.documents[0].body
    assert any("truncated" in problem for problem in cut.problems)


def test_a_second_submission_in_the_file_is_told():
    once = submission(document("8-K", BODY)).replace(b"</SEC-DOCUMENT>\n", b"")
    assert read_submission(once + once).problems == ("the file holds a second submission: only the first was read",)


@pytest.mark.parametrize("data", [b"", b"  \n", b"%PDF-1.7 x", b"PK\x03\x04abc", bytes(range(256)) * 40])
def test_what_is_no_text_is_refused_with_a_reason(data):
    with pytest.raises(ParseError):
        read_submission(data)


def test_more_than_the_limit_is_refused_unless_something_whole_was_read():
    huge = EIGHT_K.replace(b"On June 10", b"x" * 50_000)
    with pytest.raises(ParseError, match="larger than"):
        read_submission(huge, max_bytes=20_000)
    with pytest.raises(ParseError, match="larger than"):
        read_submission(b"a" * 50_000, max_bytes=20_000)
    partial = read_submission(EIGHT_K.replace(b"revenue of", b"y" * 50_000), max_bytes=20_000)
    assert partial.documents[0].type == "8-K"
    assert any("larger than" in problem for problem in partial.problems)


def test_unwanted_bodies_are_not_kept_in_memory():
    reader = SubmissionReader()
    reader.feed(EIGHT_K[: EIGHT_K.index(b"a long contract")])
    for _ in range(200):
        reader.feed(b"z" * 10_000)
    assert len(reader._buffer) < 20_000


def test_small_pieces_cost_linear_time():
    body = BODY.replace("announced", "announced " + "word " * 400_000)
    data = submission(document("8-K", body))
    start = time.process_time()
    reader = SubmissionReader()
    for at in range(0, len(data), 256):
        reader.feed(data[at : at + 256])
    reader.close()
    assert time.process_time() - start < 2
