"""Which tickers a headline is about: exchange marks, cashtags, and company names that mean one company. Never a guess.

Only what is written counts: `(NASDAQ: ABC)` and `$ABC` as they stand, and a name where the company list holds exactly
one company under it and the name is no ordinary word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from catalyst.companies import Companies, normal_ticker
from catalyst.news.types import Mention
from catalyst.news.wordlists import word_list
from catalyst.sentiment.signs import lexicon

MAX_MENTIONS = 12
_MARK = re.compile(
    r"\b(?:NASDAQ(?:[ -]?(?:GS|GM|CM))?|NYSE(?:[ -]?(?:American|Arca|MKT))?|AMEX|CBOE|BATS"
    r"|OTC(?:QX|QB|PK|MKTS| Markets)?)\s?:\s?\$?(?P<ticker>[A-Z]{1,5}(?:[.\-][A-Z]{1,2})?)\b",
    re.IGNORECASE,
)
_CASHTAG = re.compile(r"(?<![\w$])\$(?P<ticker>[A-Z]{1,5}(?:[.\-][A-Z])?)(?![\w])")
_WORD = re.compile(r"[^\W_]+(?:['&.\-][^\W_]+)*")
_LEGAL, _ORDINARY = word_list("legal"), word_list("ordinary")
_MOST_WORDS = 5
_SURE, _TAGGED, _NAMED = 1.0, 0.9, 0.8
_LATER = 0.75
"""What a mention counts that is not in the headline's first half."""


@dataclass(frozen=True, slots=True)
class Names:
    """Company names as sequences of words, each with the one company that has it."""

    ciks: Mapping[tuple[str, ...], str]
    first: frozenset[str]

    @classmethod
    def of(cls, companies: Companies) -> Names:
        """Every name that means one company: those of two companies, and ordinary words, are left out."""
        found: dict[tuple[str, ...], str] = {}
        for company in companies:
            for name in _forms(company.name):
                found[name] = "" if found.get(name, company.cik) != company.cik else company.cik
        ciks = {name: cik for name, cik in found.items() if cik}
        return cls(ciks, frozenset(name[0] for name in ciks))


class TickerFinder:
    """Finds mentions; the names are built from the company list again when it has grown or shrunk."""

    def __init__(self, companies: Companies) -> None:
        self._companies = companies
        self._names = Names({}, frozenset())
        self._built_for: object = None

    def find(self, title: str, summary: str = "") -> tuple[Mention, ...]:
        """Mentions, the surest first; what only the summary holds counts less."""
        found: dict[str, Mention] = {}
        for text, share in ((title, 1.0), (summary, 0.5)):
            for mention in self._mentions(text):
                kept = Mention(mention.ticker, round(mention.relevance * share, 2), mention.how)
                if kept.relevance > (found[kept.ticker].relevance if kept.ticker in found else 0.0):
                    found[kept.ticker] = kept
        return tuple(sorted(found.values(), key=lambda mention: -mention.relevance)[:MAX_MENTIONS])

    def tags(self, found: Iterable[Mention]) -> list[str]:
        """What the company list says of the shares that were found."""
        return ["otc"] if self._companies.over_the_counter(each.ticker for each in found) else []

    def _mentions(self, text: str) -> Iterable[Mention]:
        for match in _MARK.finditer(text):
            if match["ticker"].isupper():
                yield Mention(normal_ticker(match["ticker"]), _SURE, "mark")
        for match in _CASHTAG.finditer(text):
            yield Mention(normal_ticker(match["ticker"]), _TAGGED, "cashtag")
        yield from self._named(text)

    def _named(self, text: str) -> Iterable[Mention]:
        names = self._current()
        matches = list(_WORD.finditer(text))
        words = [_plain(match[0]) for match in matches]
        place = 0
        while place < len(words):
            length = self._length(names, words, place) if text[matches[place].start()].isupper() else 0
            if length:
                share = 1.0 if matches[place].start() <= len(text) / 2 else _LATER
                cik = names.ciks[tuple(words[place : place + length])]
                for ticker in self._companies.tickers(cik):
                    yield Mention(ticker, _NAMED * share, "name")
            place += length or 1

    @staticmethod
    def _length(names: Names, words: list[str], place: int) -> int:
        """How many words of a known name stand here; the longest name wins."""
        if words[place] not in names.first:
            return 0
        for length in range(min(_MOST_WORDS, len(words) - place), 0, -1):
            if tuple(words[place : place + length]) in names.ciks:
                return length
        return 0

    def _current(self) -> Names:
        version = self._companies.version
        if version != self._built_for:
            self._names, self._built_for = Names.of(self._companies), version
        return self._names


def _forms(name: str) -> Iterable[tuple[str, ...]]:
    """A name without its legal end; with and without what stands for `.com`."""
    words = [_plain(match[0]) for match in _WORD.finditer(name)]
    while len(words) > 1 and words[-1] in _LEGAL:
        words.pop()
    while len(words) > 1 and words[0] in ("the",):
        words.pop(0)
    form = tuple(words[:_MOST_WORDS])
    if form and (len(form) > 1 or _is_name(form[0])):
        yield form


def _is_name(word: str) -> bool:
    """Whether a single word can only be a name: long enough, and in no list of ordinary words."""
    if len(word) < 4 or word in _LEGAL:
        return False
    known = lexicon()
    return word not in known.valences and word not in known.marks and not list(known.phrases.find([word])) and (
        word not in _ORDINARY
    )  # fmt: skip


def _plain(word: str) -> str:
    return word.lower().removesuffix("'s").removesuffix(".com").strip(".'")
