"""8-K items from the body alone."""

from __future__ import annotations

import pytest

from catalyst.filings.forms import parse, read_submission
from tests.filings.forms.samples import BODY, EIGHT_K, RELEASE, document, submission


def items(body: str) -> dict[str, str]:
    parsed = parse(read_submission(f"<html><body>{body}</body></html>".encode(), "8-K"), "8-K")
    return {item.code: item.text for item in parsed.items}


def test_items_have_their_title_and_text_and_stop_at_the_signatures():
    parsed = parse(read_submission(EIGHT_K))
    assert [(item.code, item.title) for item in parsed.items] == [
        ("2.02", "Results of Operations and Financial Condition"),
        ("9.01", "Financial Statements and Exhibits"),
    ]
    assert "announced its results" in parsed.items[0].text
    assert "Revenue | $1,250 | $(980)" in parsed.items[0].text
    assert parsed.items[1].text == "(d) Exhibits. 99.1 Press release."
    assert parsed.problems == ()


def test_the_press_release_is_read_from_htm_and_from_txt():
    for release in (RELEASE, "QUILL & ANCHOR REPORTS REVENUE OF $1,250 MILLION\n"):
        parsed = parse(read_submission(submission(document("8-K", BODY), document("EX-99.1", release, 2))))
        assert [(exhibit.type, "1,250" in exhibit.text) for exhibit in parsed.exhibits] == [("EX-99.1", True)]


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("<table><tr><td>Item 5.02.</td><td>Departure of Directors</td></tr></table><p>She left.</p>", ["5.02"]),
        ("<p>Item</p><p>5.02</p><p>Departure of Directors</p>", ["5.02"]),
        ("<p>ITEM 2.02 and 7.01 Results of Operations; Regulation FD Disclosure.</p><p>Text</p>", ["2.02", "7.01"]),
        ("<p>Item 8 . 01 Other Events</p><p>A thing happened.</p>", ["8.01"]),
        ("<p>Section 8 - Other Events Item 8.01 Other Events</p><p>A thing.</p>", ["8.01"]),
        ("<p>Item 8.01 Other Events</p><p>The information in this Item 2.02 of Form 8-K is furnished.</p>", ["8.01"]),
        ("<p>Item 8.01 Other Events</p><p>as disclosed under<br>Item 1.01 of the earlier report</p>", ["8.01"]),
        (
            "<p>Item 1.01 Entry into a Material Definitive Agreement</p><p>x</p><p>Item 3.02 Not applicable.</p>",
            ["1.01"],
        ),
        ("<p>Item 5. Other Events</p><p>An event.</p>", ["5"]),
        ("<p>Items 1 through 4: Not applicable.</p><p>Item 5. Other Events</p><p>An event.</p>", ["5"]),
        ("<p>There is no heading here.</p>", []),
        ("<p>Item 99.99 Nothing of the kind</p>", []),
    ],
)
def test_headings_count_and_mentions_do_not(body, codes):
    assert list(items(body)) == codes


def test_of_a_table_of_contents_and_the_item_itself_the_item_is_taken():
    contents = "<p>Item 8.01 Other Events 3</p><p>Item 9.01 Exhibits 4</p>"
    body = contents + "<p>Item 8.01 Other Events</p><p>The real text of it.</p>"
    assert items(body)["8.01"] == "The real text of it."


def test_a_disagreement_of_header_and_body_is_told():
    data = submission(document("8-K", BODY.replace("Item&#160;2.02.", "Item&#160;7.01.")))
    assert set(parse(read_submission(data)).problems) >= {
        "items in the header but not in the body: 2.02",
        "items in the body but not in the header: 7.01",
    }


def test_a_6k_has_its_releases_and_no_items():
    data = submission(document("6-K", BODY), document("EX-99.1", RELEASE, 2), form="6-K")
    parsed = parse(read_submission(data))
    assert (parsed.family, parsed.items, len(parsed.exhibits)) == ("eight_k", (), 1)
