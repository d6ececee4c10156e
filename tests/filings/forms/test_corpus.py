"""The recorded corpus: every file a result or a typed error; items from the body alone against the header's."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from catalyst.errors import ParseError
from catalyst.filings.forms import parse, read_submission
from catalyst.filings.forms.xbrl import CONCEPTS

pytestmark = [pytest.mark.corpus]


def form_of(path: Path) -> str:
    return path.name.partition("__")[0].replace("_A", "/A").replace("_", " ")


@pytest.mark.slow
def test_every_recorded_file_is_a_result_or_a_typed_error(corpus):
    read = 0
    for path in sorted((corpus / "edgar" / "filings").rglob("*.*")):
        try:
            parsed = parse(read_submission(path.read_bytes()))
        except ParseError:
            continue
        read += 1
        assert all(len(fact.quote) <= 400 for fact in parsed.facts)
    assert read > 650


def labels(corpus: Path) -> list[dict]:
    return [json.loads(line) for line in (corpus / "edgar" / "labels.jsonl").read_text().splitlines()]


def test_items_from_the_body_alone_match_the_header(corpus):
    right = wrong = 0
    for label in labels(corpus):
        path = corpus / "edgar" / label["files"][0]
        if label.get("items_source") != "sgml_header" or path.parent.name != "submission":
            continue
        found = {item.code for item in parse(read_submission(path.read_bytes())).items}
        right += len(found & set(label["items"]))
        wrong += len(found ^ set(label["items"]))
    assert 2 * right / (2 * right + wrong) >= 0.96


def test_every_release_in_a_submission_is_found_with_its_text(corpus):
    for path in sorted((corpus / "edgar" / "filings" / "submission").glob("8-K__*")):
        data = path.read_bytes()
        expected = len(re.findall(rb"(?m)^<TYPE>EX-99", data))
        exhibits = parse(read_submission(data)).exhibits
        assert (path.name, len(exhibits)) == (path.name, expected)
        assert all(len(exhibit.text) > 200 for exhibit in exhibits)


def test_tagged_numbers_match_the_labels(corpus):
    names = {concepts[0]: name for name, concepts in CONCEPTS.items() if name != "cash"}
    checked = 0
    for label in labels(corpus):
        path = corpus / "edgar" / label["files"][0]
        if not label["form"].startswith("10-") or not label.get("xbrl") or path.parent.name == "primary_html":
            continue
        form = label["form"]
        known = {(fact.name, fact.value) for fact in parse(read_submission(path.read_bytes(), form), form).facts}
        for item in label["xbrl"]["facts"]:
            if item["concept"] in names:
                assert (names[item["concept"]], Decimal(str(item["value"]))) in known, (path.name, item)
                checked += 1
    assert checked > 30
