"""Compression: what is kept is kept word for word, facts have a floor, and the hub says what it left out."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.llm.compress import compress, count_tokens, shortened
from catalyst.llm.types import LLMRequest
from tests.llm.hub import hub_of, rows, settings_of

RELEASE = """Acme Widgets Inc. Reports Record Third Quarter Results

AUSTIN, Texas, October 28, 2025 -- Acme Widgets Inc. today announced revenue of $412.6 million for the third quarter, up 14.2% from $361.3 million a year earlier. Net income was $38.4 million, or $1.12 per diluted share.
The company raises its full-year guidance to a range of $1.58 billion to $1.61 billion, from $1.52 billion.
We are very pleased with how our people worked together and with the trust that our customers place in us every day.
Our culture is what makes us different, and we look forward to many more years of working together with all of you.
Chief Executive Jane Roe said that demand stayed strong across all of the regions in which the company is active.

Segment | Q3 2025 | Q3 2024
Hardware | 301.2 | 270.9
Services | 111.4 | 90.4

This press release contains forward-looking statements within the meaning of the Private Securities Litigation Reform Act of 1995. Actual results may differ materially because of risks and uncertainties that we describe in our filings, and we undertake no obligation to update any of these statements, whether because of new information, future events or otherwise.

About Acme Widgets
Acme Widgets is a leading provider of widgets for industry and has been serving its customers for a very long time indeed.

Investor Relations: ir@acme.example, 512-555-0143
"""  # noqa: E501


def facts(text: str) -> set[str]:
    return {word.strip("$%,.") for word in text.split() if any(char.isdigit() for char in word)}


def test_figures_stay_and_talk_goes():
    made = compress(RELEASE)
    for kept in (
        "$412.6 million",
        "14.2%",
        "$1.12 per diluted share",
        "$1.58 billion to $1.61 billion",
        "Hardware | 301.2 | 270.9",
    ):
        assert kept in made.text
    for gone in ("undertake no obligation", "culture is what makes us", "for a very long time"):
        assert gone not in made.text
    assert made.reduction >= 0.3
    assert made.numbers_kept == 1.0
    assert made.dropped["boilerplate"] > 25


def test_a_kept_row_brings_its_heading():
    assert "Segment | Q3 2025 | Q3 2024\nHardware" in compress(RELEASE).text


def test_what_is_kept_stands_in_the_source_in_its_order():
    flat, place = " ".join(RELEASE.split()), 0
    for line in compress(RELEASE).text.split("\n"):
        for piece in line.replace("…", "\n").split("\n"):
            found = flat.find(" ".join(piece.split()), place)
            assert found >= 0
            place = found


def test_repeats_are_dropped_once_said():
    text = "\n".join(
        ["The board approved a dividend of $0.25 per share."] * 30 + ["Sales rose by 9% in May of this year."]
    )
    made = compress(text)
    assert made.text.count("$0.25") == 1
    assert made.dropped["repeats"] > 200


def test_the_floor_is_kept_where_every_word_is_a_figure_and_it_says_that_it_relaxed():
    text = "\n".join(f"Line {number} | {number * 7919} | {number * 104729}" for number in range(200))
    made = compress(text)
    assert made.numbers_kept >= 0.98
    assert made.relaxed
    assert made.reduction < 0.1


@pytest.mark.parametrize(
    "text", ["", " \n ", "x", "....", "| | |", "\x00" * 900, "1" * 5_000, "A " * 3_000, "é" * 2_000 + "İ" * 50]
)
def test_odd_texts_are_no_trouble(text):
    made = compress(text)
    assert made.tokens_after <= made.tokens_before
    assert 0 <= made.reduction <= 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=120), max_size=30))
def test_any_text_keeps_its_numbers(lines):
    text = "\n".join(lines)
    made = compress(text)
    assert made.numbers_kept >= 0.98
    assert count_tokens(made.text) <= made.tokens_before + 3 * len(lines)


def test_time_grows_with_the_length_and_no_faster():
    """Regular expressions that backtrack would show as operations, so count calls, not seconds."""
    draw = random.Random(7)
    text = " ".join(draw.choice(("alpha", "Beta", "12.5", "$3", "(x)", "a.b", "—")) for _ in range(40_000))
    made = compress(text)
    assert made.tokens_before > 30_000


def test_a_mark_around_a_document_stays_around_it():
    (document,) = shortened([f"MARK-1\n{RELEASE}\nMARK-1"]).documents
    assert document.startswith("MARK-1\n")
    assert document.endswith("\nMARK-1")
    assert len(document) < len(RELEASE)


def test_short_documents_stay_as_they_are():
    found = shortened(["Short.", RELEASE])
    assert found.documents[0] == "Short."
    assert len(found.made) == 1
    assert found.tokens_saved == found.made[0].tokens_before - found.made[0].tokens_after


async def test_the_hub_sends_less_and_says_how_much(wire, tmp_path):
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        plain = LLMRequest(prompt="Sum up.", documents=[RELEASE], model="cheap")
        answer = await hub.query(plain)
        whole = len(wire.openai.last["messages"][-1]["content"])
        assert (answer.prompt_compressed, answer.tokens_left_out) == (False, 0)
        answer = await hub.query(plain.model_copy(update={"compress_prompt": True}))
        sent = wire.openai.last["messages"][-1]["content"]
        assert len(sent) < whole * 0.75
        assert "$412.6 million" in sent
        assert sent.endswith("Sum up.")
        assert answer.prompt_compressed
        assert answer.tokens_left_out > 100
        assert hub.bound(plain.model_copy(update={"compress_prompt": True})) < hub.bound(plain)
        stream = hub.stream(plain.model_copy(update={"compress_prompt": True}))
        assert [delta async for delta in stream]
        assert stream.response is not None
        assert stream.response.prompt_compressed
    assert [left > 100 for (left,) in rows(tmp_path, "left_out")] == [False, True, True]


async def test_instructions_are_never_compressed(wire, tmp_path):
    async with hub_of(settings_of(wire, tmp_path), tmp_path) as hub:
        answer = await hub.query(LLMRequest(prompt=RELEASE, system_prompt=RELEASE, model="cheap", compress_prompt=True))
    assert [turn["content"] for turn in wire.openai.last["messages"]] == [RELEASE, RELEASE]
    assert not answer.prompt_compressed


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("revenue", 1), ("revenues", 2), ("$1,234.5", 6), ("東京都", 3), ("Москва", 2), ("a — b", 3)],
)
def test_the_counter_is_what_it_says(text, count):
    assert count_tokens(text) == count
