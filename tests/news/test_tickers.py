"""Tickers are found where they are written, and never guessed."""

from __future__ import annotations

import pytest

from catalyst.companies import Companies, Listing, shipped
from catalyst.news.tickers import TickerFinder
from tests.news.rig import companies

FINDER = TickerFinder(companies())


@pytest.mark.parametrize(
    ("title", "tickers"),
    [
        ("Elm Robotics (NASDAQ: ELMR) raises guidance", ["ELMR"]),
        ("Small Co (NYSE American:SMC.A) falls", ["SMC-A"]),
        ("$ELMR and $BRKS rise", ["ELMR", "BRKS"]),
        ("Elm Robotics raises guidance", ["ELMR"]),
        ("Quoxley's profit rises", ["QUOX"]),
        ("Analysts at Brook Securities upgrade Elm Robotics", ["BRKS", "ELMR"]),
        ("Elm Robotics to supply (OTCQB: SUPP) Brook Securities", ["SUPP", "ELMR", "BRKS"]),
    ],
)
def test_marks_cashtags_and_names_are_found_surest_first(title: str, tickers: list[str]) -> None:
    assert [mention.ticker for mention in FINDER.find(title)] == tickers


@pytest.mark.parametrize(
    "title",
    [
        "Price target raised at Brook",
        "Target raised to $5",
        "the elm robotics of tomorrow",
        "Twinfield Partners sells a unit",
        "Costs $500 and $1.2B",
        "New Elm tree robotics club",
        "ELMRS and XELMR",
        "Nasdaq: stocks close higher",
    ],
)
def test_nothing_is_guessed(title: str) -> None:
    assert FINDER.find(title) == ()


def test_shares_that_all_trade_over_the_counter_are_tagged() -> None:
    known = companies()
    known.merge([Listing("0009000009", "PNKS", "OTC", "Pinkwater Mining Inc")])
    finder = TickerFinder(known)
    titles = ("Pinkwater Mining strikes gold", "Pinkwater Mining sues Elm Robotics", "$ZZZQ rises", "Nothing of anyone")
    assert [finder.tags(finder.find(title)) for title in titles] == [["otc"], [], [], []]


def test_a_summary_counts_less_than_the_title() -> None:
    in_title, in_summary = FINDER.find("Elm Robotics rises", "Brook Securities agrees")
    assert in_title.relevance > in_summary.relevance


def test_a_new_company_list_is_taken_up() -> None:
    known = companies()
    finder = TickerFinder(known)
    assert finder.find("Vexbridge Systems rises") == ()
    known.merge([Listing("0009000009", "VXB", "NYSE", "Vexbridge Systems Inc")])
    assert [mention.ticker for mention in finder.find("Vexbridge Systems rises")] == ["VXB"]


def test_no_shipped_company_has_a_name_that_is_an_ordinary_word() -> None:
    finder = TickerFinder(Companies(shipped()))
    for text in ("Meta analysis finds little", "Visa rules change", "Apple harvest falls", "The Block Island ferry"):
        assert [mention.ticker for mention in finder.find(text)] in ([], ["AAPL"])


def test_a_long_text_of_names_costs_no_more_than_its_words() -> None:
    assert len(FINDER.find("Elm Robotics " * 5000)) == 1
