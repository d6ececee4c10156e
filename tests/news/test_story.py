"""Which headlines are one story, and which never are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.news.story import story_key


@pytest.mark.parametrize(
    "other",
    [
        "Elm Robotics Inc. (NASDAQ: ELMR) Announces $1.2 Billion Acquisition of Brook",
        "UPDATE 1-Elm Robotics announces $1.2 billion acquisition of Brook",
        "Elm Robotics announces $1.2bn acquisition of Brook - Loopback Wire",
        "BREAKING: Elm Robotics $1.2 bln acquisition of Brook",
        "ELM ROBOTICS ANNOUNCES $1.2 BILLION ACQUISITION OF BROOK",
        "Elm Robotics announces $1.2 billion acquisition of Brook $ELMR",
    ],
)
def test_wires_copies_are_one_story(other: str) -> None:
    assert story_key(other) == story_key("Elm Robotics announces $1.2 billion acquisition of Brook")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Elm beats by $0.05", "Elm beats by $0.06"),
        ("Elm raises $1.2 billion", "Elm raises $1.2 million"),
        ("Elm Robotics beats estimates", "Elm Retail beats estimates"),
        ("Elm to buy Brook", "Brook to buy Elm"),
        ("Elm shares rise 5%", "Elm shares fall 5%"),
        ("FDA approves Elm's device", "FDA does not approve Elm's device"),
        ("Elm sells unit to Brook", "Elm buys unit from Brook"),
        ("Elm Q3 profit rises", "Elm Q2 profit rises"),
        ("Elm revenue up 5%", "Elm revenue up 5"),
        ("Elm raises 1,200 jobs", "Elm raises 1,2 jobs"),
        ("Elm raises $5 million", "Elm raises €5 million"),
    ],
)
def test_different_numbers_companies_and_directions_never_merge(one: str, other: str) -> None:
    assert story_key(one) != story_key(other)


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_two_texts_have_keys_and_only_digits_alike_merge(one: str, other: str) -> None:
    if story_key(one) == story_key(other):
        numbers = [[sign for sign in text if sign.isdigit()] for text in (one, other)]
        assert numbers[0] == numbers[1] or "(" in one + other or "$" in one + other
