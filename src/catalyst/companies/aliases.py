"""What people call companies: `Aliases` finds the one at a place in a text, or says it can't tell.

Names come from the SEC's list (legal endings stripped) and from `data/aliases.tsv`, which holds what no list does:
short names, old names, and which names are everyday words. A name that two companies claim stands for neither.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from catalyst.companies.map import Companies, Company

_WORD = re.compile(r"'s\b|[^\W_]+(?:(?:[&./]|'(?!s\b))[^\W_]+)*|&")
_CLASS = re.compile(r"\A[A-Z]+(?:-[A-C])?\Z")


@dataclass(frozen=True, slots=True)
class Alias:
    """One company under one name. `key` is the ticker that stands for it; `everyday` says the name is a common word."""

    key: str
    everyday: bool = False
    capital: bool = False
    """Whether only a capital letter makes the word a name."""
    classes: bool = False
    """Whether the company has several classes of common stock, which only its tickers tell apart."""


def name_words(text: str) -> tuple[str, ...]:
    """The lower-case words of a name; a hyphen parts them, a possessive `'s` stands alone."""
    return tuple(word.lower() for word in _WORD.findall(text.replace("’", "'")))


class Aliases:
    """Names and tickers of companies, each with the ticker that stands for the company."""

    def __init__(self, names: dict[tuple[str, ...], Alias], tickers: dict[str, Alias]) -> None:
        self._tickers = tickers
        self._names: dict[str, list[tuple[tuple[str, ...], Alias]]] = {}
        for words, alias in names.items():
            self._names.setdefault(words[0], []).append((words, alias))
        for choices in self._names.values():
            choices.sort(key=lambda choice: -len(choice[0]))

    @classmethod
    def build(cls, companies: Companies) -> Aliases:
        """The names of all `companies` and the ones that ship."""
        tickers, claims = _listed(companies)
        names = {words: found.pop() for words, found in claims.items() if len(found) == 1}
        for ticker, everyday, called in shipped_aliases():
            alias = tickers.get(ticker) or Alias(ticker)
            tickers.setdefault(ticker, alias)
            for name in called:
                names[name_words(name)] = Alias(alias.key, everyday, False, alias.classes)
        return cls(names, tickers)

    def __len__(self) -> int:
        return sum(map(len, self._names.values()))

    def ticker(self, symbol: str) -> Alias | None:
        """The company under a ticker written as one (upper case); None where it is no known one, or a common word."""
        return None if symbol in _words("not_tickers") else self._tickers.get(symbol.replace(".", "-"))

    def named(self, text: str) -> Alias | None:
        """The company whose whole name this is, letter case counted (`3M` is one, `3m` is three million)."""
        for name, alias in self._names.get(text.lower(), ()):
            if len(name) == 1 and text.isupper():
                return alias
        return None

    def find(self, words: Sequence[str], raws: Sequence[str], at: int) -> tuple[int, Alias] | None:
        """How many words from `at` on name which company; `words` are lower-case, `raws` as written."""
        for name, alias in self._names.get(words[at], ()):
            if tuple(words[at : at + len(name)]) == name and _is_name(alias, words, raws, at, len(name)):
                return len(name), alias
        raw = raws[at]
        if raw.isupper() and not (len(raw) == 1 and at and words[at - 1] in _words("no_class")):
            found = self.ticker(raw)
            if found is not None and (len(raw) > 1 or any(not other.isupper() for other in raws)):
                return 1, Alias(found.key)
        return None


def _is_name(alias: Alias, words: Sequence[str], raws: Sequence[str], at: int, length: int) -> bool:
    """Whether a name in a text is meant as one: everyday words need a capital, and no article before them."""
    article = at > 0 and words[at - 1] in ("the", "a", "an", "its", "our", "this", "their", "your", "my")
    capital = raws[at][:1].isupper() or raws[at][:1].isdigit()
    if alias.everyday:
        possessive = at + length < len(words) and words[at + length] == "'s"
        return not article and (capital or (possessive and not any(raw[:1].isupper() for raw in raws)))
    return capital or not alias.capital


@cache
def _words(name: str) -> frozenset[str]:
    """A list of `data/name_words.toml`."""
    lists: dict[str, list[str]] = tomllib.loads((files(__package__) / "data" / "name_words.toml").read_text("utf-8"))
    return frozenset(lists[name])


def shipped_aliases() -> Iterator[tuple[str, bool, list[str]]]:
    """(ticker, whether its names are everyday words, names) of `data/aliases.tsv`, by hand, of public facts."""
    text = (files(__package__) / "data" / "aliases.tsv").read_text("utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            ticker, *called = line.split("\t")
            yield ticker.lstrip("!"), ticker.startswith("!"), called


def _listed(companies: Companies) -> tuple[dict[str, Alias], dict[tuple[str, ...], set[Alias]]]:
    tickers: dict[str, Alias] = {}
    claims: dict[tuple[str, ...], set[Alias]] = {}
    for company in companies.all():
        if not company.tickers:
            continue
        common = _common(company)
        alias = Alias(common[0], False, True, len(common) > 1)
        for ticker in company.tickers:
            tickers[ticker] = Alias(ticker, False, True, len(common) > 1)
        for words in _names(company.name):
            claims.setdefault(words, set()).add(alias)
    return tickers, claims


def _common(company: Company) -> list[str]:
    """The tickers of a company's classes of common stock, in the SEC's order, without preferred ones and warrants."""
    first = company.tickers[0]
    stem = first.split("-")[0][:2]
    return [first, *(t for t in company.tickers[1:] if _CLASS.match(t) and t[:2] == stem and len(t.split("-")[0]) < 5)]


def _names(name: str) -> Iterable[tuple[str, ...]]:
    """The name without its legal ending."""
    words = [word for word in name_words(name.replace(",", " ")) if word != "."]
    words = [word.rstrip(".") for word in words]
    if words[:1] == ["the"]:
        words = words[1:]
    while len(words) > 1 and words[-1] in _words("legal") and not (len(words) == 2 and words[-1] in _words("vague")):
        words.pop()
    if not words or sum(map(len, words)) < 3:
        return
    yield tuple(words)
    if len(words) == 1 and words[0].endswith(".com"):
        yield (words[0].removesuffix(".com"),)
    if "&" in words:
        yield tuple("and" if word == "&" else word for word in words)
