"""A headline is the same story whichever wire carries it, and another one when a fact differs."""

from __future__ import annotations

from datetime import date

import pytest
from bench.blast import blast

from catalyst.companies import Companies
from catalyst.companies.aliases import Aliases
from catalyst.llm.cache.meaning import Question, Reader, compare

TODAY = date(2026, 3, 10)
READER = Reader(Aliases.build(Companies.load()))
STORY = "Osprey Robotics to acquire Brandt Works for $1.5 billion"


def verdict(a: str, b: str) -> str:
    return compare(READER.headline(a, TODAY), READER.headline(b, TODAY)).kind


@pytest.mark.parametrize(
    "copy",
    [
        "UPDATE 1-Osprey Robotics agrees to buy Brandt Works for $1.5B - Reuters",
        "Osprey Robotics, Inc. (NYSE: OSPR) To Acquire Brandt Works For $1,500 Million | Business Wire",
        "Press Release: Osprey Robotics Corp. will purchase Brandt Works for $1.5bn",
        "To acquire Brandt Works for $1.5 billion, Osprey Robotics says",
    ],
)
def test_a_reworded_wire_copy_is_served(copy: str) -> None:
    assert verdict(STORY, copy) == "serve"


@pytest.mark.parametrize(
    "other",
    [
        "Brandt Works to acquire Osprey Robotics for $1.5 billion",
        "Osprey Robotics to acquire Brandt Works for $1.6 billion",
        "Osprey Robotics completes acquisition of Brandt Works for $1.5 billion",
        "Osprey Robotics not to acquire Brandt Works for $1.5 billion",
        "Osprey Logistics to acquire Brandt Works for $1.5 billion",
        "Osprey Robotics to acquire Brandt Works for $1.5 bil...",
    ],
)
def test_another_story_and_a_cut_one_are_not(other: str) -> None:
    assert verdict(STORY, other) != "serve"


def test_two_unknown_companies_of_one_name_are_told_apart_by_their_tickers() -> None:
    a, b = "Harbor Bank (NASDAQ: HBKA) reports Q3 2024 results", "Harbor Bank (NASDAQ: HBKB) reports Q3 2024 results"
    assert verdict(a, b) == "refuse"


@pytest.mark.parametrize("seed", [1, 2])
def test_of_a_blast_most_copies_are_served_and_none_wrongly(seed: int) -> None:
    kept: dict[str, list[tuple[Question, int]]] = {}
    hits = asked = 0
    for copy in blast(seed):
        asked += 1
        question = READER.headline(copy.text, TODAY)
        near = kept.setdefault(" ".join(question.slots.numbers), [])
        story = next((story for other, story in near if compare(question, other).kind == "serve"), None)
        assert story in (None, copy.story), copy
        hits += story is not None
        if story is None:
            near.append((question, copy.story))
    assert hits >= 0.7 * asked
