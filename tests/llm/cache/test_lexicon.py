"""The lexicons hold no word twice, no opposite as a synonym, and every canonical phrase stands for itself."""

from __future__ import annotations

from datetime import date

import pytest

from catalyst.companies import Companies
from catalyst.companies.aliases import Aliases, shipped_aliases
from catalyst.llm.cache.lexicon import FILES, fold, guard_version, load, read_lines, split
from catalyst.llm.cache.meaning import Reader

ALL = {name: list(read_lines(name)) for name in (*FILES, "headlines")}


def phrases(line: list[str]) -> list[tuple[str, ...]]:
    return [split(phrase.lstrip("=").replace("~", "")) for phrase in line]


@pytest.mark.parametrize("name", ALL)
def test_no_phrase_stands_in_two_lines_of_a_file(name: str) -> None:
    owner: dict[tuple[str, ...], str] = {}
    for line in ALL[name]:
        for phrase in set(phrases(line)):
            assert owner.setdefault(phrase, line[0]) == line[0], phrase


@pytest.mark.parametrize("name", ALL)
def test_no_line_holds_an_empty_phrase_or_stray_blanks(name: str) -> None:
    for line in ALL[name]:
        assert all(phrase and phrase == phrase.strip() for phrase in line), line


def test_antonyms_are_never_synonyms() -> None:
    lines = [{" ".join(phrase) for phrase in phrases(line)} for name in ALL for line in ALL[name]]
    for pair in read_lines("antonyms"):
        assert len(pair) == 2
        both = {" ".join(split(word)) for word in pair}
        assert not [line for line in lines if both <= line], pair


def test_every_canonical_phrase_stands_for_itself() -> None:
    lexicon = load()
    for choices in lexicon.phrases.values():
        for _, meaning in choices:
            words = split(meaning.canonical)
            found = dict(lexicon.phrases[words[0]])[words]
            assert found.canonical == meaning.canonical


def test_every_metric_is_read_back_from_its_canonical_text() -> None:
    reader = Reader(Aliases.build(Companies.load()))
    for line in ALL["metrics"]:
        read = reader.read(f"MSFT {line[0].lstrip('=')} 2020", date(2026, 1, 1))
        assert reader.read(read.canonical, date(2026, 1, 1)).canonical == read.canonical


def test_folding_is_idempotent_and_keeps_words_whose_plural_means_something_else() -> None:
    for choices in load().phrases.values():
        for words, _ in choices:
            assert tuple(map(fold, words)) == words
    assert fold("futures") != fold("future")
    assert fold("summarise") == fold("summarize")


def test_the_version_is_short_and_the_same_all_day() -> None:
    assert guard_version() == guard_version()
    assert len(guard_version()) == 12


def test_no_alias_names_two_companies() -> None:
    owner: dict[str, str] = {}
    for ticker, _, names in shipped_aliases():
        for name in names:
            assert owner.setdefault(name.lower(), ticker) == ticker, name
