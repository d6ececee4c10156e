"""Hostile and broken input: a typed error or a partial result, in bounded time, without touching the world."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.errors import ParseError
from catalyst.filings.forms import parse, read_submission
from catalyst.filings.types import Parsed
from tests.filings.forms.samples import BODY, EIGHT_K, FORM_4, HEADER, TEN_Q, document, submission

pytestmark = pytest.mark.slow  # processes, or seconds of work: `make check` leaves it out

SEEDS = (
    (EIGHT_K, "8-K"),
    (FORM_4.encode(), "4"),
    (TEN_Q.encode(), "10-Q"),
    (BODY.encode(), "424B5"),
    (submission(document("SC 13G", BODY), form="SC 13G"), "SC 13G"),
)


def tried(data: bytes, form: str) -> Parsed | None:
    try:
        return parse(read_submission(data, form), form)
    except ParseError:
        return None


@st.composite
def mutated(draw):
    data, form = draw(st.sampled_from(SEEDS))
    broken = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(("cut", "flip", "double", "insert", "drop")))
        at = draw(st.integers(0, max(0, len(broken) - 1)))
        end = min(len(broken), at + draw(st.integers(1, 400)))
        if kind == "cut":
            del broken[at:]
        elif kind == "flip" and broken:
            broken[at] ^= draw(st.integers(1, 255))
        elif kind == "double":
            broken[at:at] = broken[at:end] * draw(st.integers(1, 20))
        elif kind == "insert":
            junk = (
                b"<",
                b">",
                b"<td>",
                b"</TEXT>",
                b"<DOCUMENT>\n<TYPE>",
                b"&#",
                b"\x00",
                b"<!--",
                b"]]>",
                b"<ix:nonFraction",
            )
            broken[at:at] = draw(st.sampled_from(junk)) * draw(st.integers(1, 50))
        else:
            del broken[at:end]
    return bytes(broken), form


@given(mutated())
@settings(max_examples=400, deadline=2_000)
def test_mutated_filings_give_a_result_or_a_typed_error(case):
    tried(*case)


@given(st.binary(max_size=3_000), st.sampled_from(("8-K", "4", "10-K", "S-1", "SC 13D", "X")))
@settings(max_examples=200, deadline=2_000)
def test_any_bytes_give_a_result_or_a_typed_error(data, form):
    tried(data, form)


MANY = 100_000


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"<html>" + b"<div>" * MANY, "8-K"),
        (b"<html>" + b"<table><tr><td>" * MANY, "10-K"),
        (b"<html><body>" + b"<" * MANY * 5, "8-K"),
        (b"<html><body>" + b"<!-- " * MANY, "8-K"),
        (b"<html><body>" + b'<div style="display:none">' * MANY, "8-K"),
        (b"<html><body>" + b"<script>" * MANY, "8-K"),
        (b"<html><body>" + b"&amp" * MANY, "8-K"),
        (b"<html><body>" + b"Item 2.02 " * MANY, "8-K"),
        (b"<html><body>" + b"<p>Item 2.02</p>" * MANY, "8-K"),
        (b"<html><body>" + b"<p>Item 1. Business</p>" * MANY, "10-K"),
        (b"<html><body>" + b"<p>signature </p>" + b"_ | " * MANY, "8-K"),
        (b"<?xml version='1.0'?>" + b"<a>" * MANY, "4"),
        (b"<?xml version='1.0'?><ownershipDocument>" + b"<nonDerivativeTable>" * MANY, "4"),
        (b"<html>" + b'<ix:nonFraction name="us-gaap:Revenues" contextRef="q">1' * MANY, "10-Q"),
        (b"<html><ix:header>" + b'<xbrli:context id="q">' * MANY, "10-Q"),
        (b"<html><p>" + b"aggregate offering price of $ " * MANY, "424B5"),
        (b"<html><p>" + b"last reported sale price $ " * MANY, "424B5"),
        (HEADER.encode() + b"<DOCUMENT>\n<TYPE>8-K\n<TEXT>\n" * MANY, "8-K"),
        (HEADER.encode() + b"FILER:\n" * MANY + b"<DOCUMENT>\n<TYPE>8-K\n<TEXT>\nx", "8-K"),
        (b"plain text " + b"<TABLE>" * MANY, "8-K"),
        (b"x" + b"\n" * MANY * 5 + b"y", "8-K"),
    ],
    ids=lambda value: repr(value[-40:]) if isinstance(value, bytes) else value,
)
def test_bombs_cost_bounded_time(data, form):
    start = time.process_time()
    tried(data, form)
    assert time.process_time() - start < 3


def test_xml_entities_and_dtds_are_not_read():
    bomb = (
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
        b"<ownershipDocument><issuer><issuerName>&f;&b;</issuerName></issuer></ownershipDocument>"
    )
    parsed = tried(bomb, "4")
    assert parsed is not None
    assert "root:" not in parsed.text
    assert any("DTD" in problem for problem in parsed.problems)


def test_numbers_out_of_all_proportion_are_left_out():
    page = TEN_Q.replace('scale="6"', 'scale="999999999"').replace("12,300", "9" * 500)
    parsed = tried(page.encode(), "10-Q")
    assert parsed is not None
    assert not {"revenue", "net_income"} & {fact.name for fact in parsed.facts}


PROBE = """
import json, sys
from catalyst.filings import forms
import selectolax, lxml.etree, zoneinfo
from tests.filings.forms.samples import EIGHT_K, FORM_4, TEN_Q, BODY
DTD = b"<?xml version='1.0'?><!DOCTYPE x SYSTEM 'http://10.0.0.1/x'><x/>"
warm = forms.parse(forms.read_submission(EIGHT_K))
touched = []
def hook(event, args):
    if event.split(".")[0] in ("socket", "subprocess", "urllib") or event in ("open", "os.listdir", "os.scandir"):
        touched.append([event, str(args[:1])])
sys.addaudithook(hook)
for data, form in ((EIGHT_K, ""), (FORM_4.encode(), "4"), (TEN_Q.encode(), "10-Q"), (BODY.encode(), "424B5"),
                   (BODY.encode(), "SC 13G"), (DTD, "4")):
    forms.parse(forms.read_submission(data, form), form)
print(json.dumps(touched))
"""


def test_parsing_opens_no_socket_and_reads_no_file():
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
