"""Extractive summaries: verbatim sentences, no boilerplate, no tables."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from catalyst.filings.summary import MAX_CHARS, sentences, sources, summarize
from catalyst.filings.types import ItemText, Parsed
from tests.filings.fixtures_analysis import RELEASE, earnings


def test_sentences_are_whole_and_tables_and_boilerplate_are_none() -> None:
    found = list(sentences(RELEASE))
    assert found[0].startswith("SPRINGFIELD, October 30, 2025")
    assert not any(" | " in sentence or "forward-looking" in sentence for sentence in found)
    assert all(sentence in RELEASE for sentence in found)


def test_abbreviations_end_no_sentence() -> None:
    text = "Acme Inc. agreed on Oct. 2 with Bolt Co. of the U.S. to merge its widgets. "
    text += "The price of the merger was not disclosed to anyone."
    assert len(list(sentences(text))) == 2


def test_lines_broken_at_a_column_are_joined() -> None:
    lines = (
        "The Company entered into an agreement with its lender on",
        "May 5, 1999 and borrowed $5 million under it.",
    )
    text = "\n".join((*lines, "", "Next."))
    assert list(sentences(text)) == [
        "The Company entered into an agreement with its lender on May 5, 1999 and borrowed $5 million under it."
    ]


def test_the_first_text_that_has_any_sentence_is_summed_up() -> None:
    assert summarize(["HEADING", "The Company appointed Jane Roe as its chief executive officer."]).startswith(
        "The Company"
    )
    assert summarize(["", "A | B"]) == ""


def test_a_summary_keeps_the_order_of_the_text() -> None:
    told = summarize(sources(earnings()))
    places = [RELEASE.index(sentence) for sentence in sentences(RELEASE) if sentence in told]
    assert places == sorted(places)
    assert 1 <= len(places) <= 3


def test_discussion_comes_before_other_items_and_exhibit_lists_are_left_out() -> None:
    items = (
        ItemText("1", "Business", "one"),
        ItemText("7", "Discussion", "seven"),
        ItemText("9.01", "Exhibits", "nine"),
    )
    assert list(sources(Parsed("a", "10-K", "periodic", "main", items=items))) == ["seven", "one"]


@given(st.text(max_size=2000))
def test_any_text_has_a_bounded_summary(text: str) -> None:
    assert len(summarize([text])) <= MAX_CHARS


def test_a_short_item_does_not_hide_the_next_one():
    first = "On February 4, 2026, the Company presented at an investor conference in Boston."
    second = "The Company received a notice from Nasdaq that its bid price was below $1.00 for 30 days."
    assert summarize([first, second]) == f"{first} {second}"
