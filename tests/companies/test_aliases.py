"""What people call companies: names of the SEC's list, the ones that ship, and the names that stand for nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.companies import Companies, Listing, parse_listings, shipped
from catalyst.companies.aliases import Alias, Aliases, name_words, shipped_aliases


def build(*rows: tuple[str, str, str]) -> Aliases:
    """Aliases of the shipped list under companies of (CIK, ticker, name)."""
    companies = Companies.load()
    companies.merge([Listing(cik, ticker, "NYSE", name) for cik, ticker, name in rows])
    return Aliases.build(companies)


def found(aliases: Aliases, text: str) -> list[str]:
    """The tickers that a text names, from its left."""
    raws = text.replace("'s", " 's").rstrip("?").split()
    words = [raw.lower() for raw in raws]
    at, keys = 0, []
    while at < len(raws):
        name = aliases.find(words, raws, at)
        at += name[0] if name else 1
        keys += [name[1].key] if name else []
    return keys


ALIASES = build()


@pytest.mark.parametrize(
    ("text", "tickers"),
    [
        ("What is Apple's revenue?", ["AAPL"]),
        ("what is apple's revenue?", ["AAPL"]),
        ("is an apple a day healthy?", []),
        ("Is the apple crop good?", []),
        ("How does Exxon compare with Chevron?", ["XOM", "CVX"]),
        ("MSFT revenue", ["MSFT"]),
        ("msft revenue", ["MSFT"]),
        ("Google and Facebook", ["GOOGL", "META"]),
        ("What does the CEO say about AI in the US?", []),
        ("Who audits JP Morgan Chase?", ["JPM"]),
        ("holders of Class A stock", []),
    ],
)
def test_companies_are_found_by_name_and_ticker_and_common_words_are_not(text: str, tickers: list[str]) -> None:
    assert found(ALIASES, text) == tickers


def test_a_list_that_was_fetched_adds_its_names_without_their_legal_endings() -> None:
    aliases = build(("0009000001", "ZQXA", "Zorvane Quint Holdings, Inc."))
    assert found(aliases, "What is Zorvane Quint's margin?") == ["ZQXA"]
    assert found(aliases, "What is ZQXA's margin?") == ["ZQXA"]
    assert found(ALIASES, "What is Zorvane Quint's margin?") == []


def test_a_name_that_two_companies_claim_stands_for_neither() -> None:
    both = build(("0009000001", "ZQXA", "Zorvane Inc."), ("0009000002", "ZQXB", "Zorvane Corp"))
    assert found(both, "What is Zorvane's margin?") == []
    assert found(both, "What is ZQXA's margin?") == ["ZQXA"]
    assert found(build(("0009000001", "ZQXA", "Zorvane Inc.")), "What is Zorvane's margin?") == ["ZQXA"]


def test_a_company_of_several_classes_says_so() -> None:
    aliases = build(("0009000001", "ZQX-A", "Zorvane Inc."), ("0009000001", "ZQX-B", "Zorvane Inc."))
    name = aliases.find(["zorvane"], ["Zorvane"], 0)
    assert name is not None
    assert name[1].classes
    assert aliases.ticker("ZQX-B") is not None
    assert aliases.ticker("ZQX.B") == aliases.ticker("ZQX-B")


def test_every_name_that_ships_finds_the_company_it_ships_for() -> None:
    for ticker, everyday, names in shipped_aliases():
        for name in names:
            words = list(name_words(name))
            raws = [word.capitalize() if everyday or not name.islower() else word for word in words]
            hit = ALIASES.find(words, raws, 0)
            assert hit is not None, name
            assert hit[0] == len(words), name
            assert hit[1].key.split("-")[0] == ticker.split("-")[0] or hit[1].classes, name


def test_what_ships_is_small_and_needs_no_fetched_list() -> None:
    assert 50 < len(list(shipped())) < 2_000
    assert 100 < len(list(shipped_aliases())) < 1_000
    assert found(ALIASES, "Is Coca-Cola's dividend safe?".replace("-", " ")) == ["KO"]


@given(st.lists(st.text(min_size=1, max_size=12).filter(lambda word: not word.isspace()), min_size=1, max_size=6))
def test_whatever_is_asked_a_find_stays_within_the_text(raws: list[str]) -> None:
    words = [raw.lower() for raw in raws]
    for at in range(len(raws)):
        name = ALIASES.find(words, raws, at)
        assert name is None or (0 < name[0] <= len(raws) - at and isinstance(name[1], Alias))


@pytest.mark.corpus
def test_no_name_of_the_secs_list_is_given_to_two_companies(corpus: Path) -> None:
    companies = Companies.load()
    for path in sorted((corpus / "edgar" / "metadata" / "company_tickers").glob("*.json")):
        companies.merge(parse_listings(path.read_bytes()))
    aliases = Aliases.build(companies)
    assert len(aliases) > 5_000
    claimed: dict[tuple[str, ...], str] = {}
    for company in companies.all():
        words = [word for word in name_words(company.name.replace(",", " ")) if word != "."]
        hit = aliases.find(words, [word.capitalize() for word in words], 0) if words else None
        if hit is not None and hit[0] == len(words):
            assert claimed.setdefault(tuple(words), hit[1].key) == hit[1].key
