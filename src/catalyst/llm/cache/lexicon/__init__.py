"""The lexicons of the cache: data files beside this one, what they hold, and their version. Start with `Lexicon`.

A line of a `.tsv` file is one meaning: its canonical phrase first, then what else people call it, tab-separated. `~`
after a verb stands for all its forms (`irregular.tsv` has the irregular ones); `=` before a line of `metrics.tsv` marks
a topic, which is no figure. Words fold before they are compared: plural, British spelling, hyphens.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from catalyst.llm.cache.terms import Sort

READING = 2
"""Raise it when the code reads differently with the same lexicons."""

FILES: dict[str, Sort] = {
    "metrics": "metric",
    "qualifiers": "qualifier",
    "directions": "direction",
    "verbs": "verb",
    "nouns": "noun",
}
"""Files of meanings with what their words are; where two hold the same words the earlier wins."""

_KEEP_PLURAL = frozenset(
    [
        "futures",
        "goods",
        "rights",
        "securities",
        "savings",
        "sales",
        "shares",
        "interests",
        "results",
        "terms",
        "equities",
        "treasuries",
        "operations",
        "returns",
        "proceeds",
        "damages",
        "earnings",
        "news",
        "holdings",
        "means",
        "arms",
        "works",
        "grounds",
        "billings",
        "bookings",
    ]
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a phrase stands for."""

    canonical: str
    sort: Sort
    """One of the values of `FILES`."""
    topic: bool = False
    past: bool = False
    """Whether this form of a verb is a past tense or a participle."""


Phrases = dict[str, list[tuple[tuple[str, ...], Meaning]]]
"""By first word, the longest first."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All meanings by their phrases, and the small lists of `words.toml`."""

    phrases: Phrases
    headlines: Phrases
    """What counts in headlines before `phrases`."""
    antonyms: frozenset[frozenset[str]]
    lists: dict[str, Any]
    sentences: dict[str, str]
    """Kind and words of a sentence (E the company), and the topic it asks for."""
    frames: tuple[tuple[str, ...], ...]
    """The lines of `frames.tsv`."""
    known: dict[str, tuple[Sort, bool]]
    """What each canonical phrase is: its sort, and whether it is a topic."""


def fold(word: str) -> str:
    """One spelling of a lower-case word: singular, American."""
    word = word.replace("isation", "ization").replace("yse", "yze") if len(word) > 5 else word
    if len(word) > 5:
        word = _american(word)
    return _singular(word)


def _american(word: str) -> str:
    for british, american in (("ise", "ize"), ("ised", "ized"), ("ises", "izes"), ("ising", "izing")):
        if word.endswith(british):
            return word[: -len(british)] + american
    return word.replace("labour", "labor").replace("favour", "favor").replace("behaviour", "behavior")


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word in _KEEP_PLURAL or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zzes")):
        return word[:-2]
    return word[:-1]


def split(phrase: str) -> tuple[str, ...]:
    """A phrase of a lexicon as the folded words that `scan` would find in it."""
    return tuple(fold(word) for word in phrase.lower().replace("-", " ").replace(",", " ").replace("'s", " 's").split())


def read_lines(name: str) -> Iterator[list[str]]:
    """The meanings of a file, each a list of its phrases as written."""
    for line in (files(__package__) / f"{name}.tsv").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


@cache
def load() -> Lexicon:
    """The lexicons that ship. Read once a process."""
    lists = tomllib.loads((files(__package__) / "words.toml").read_text("utf-8"))
    irregular = {line[0]: line[1:] for line in read_lines("irregular")}
    found: dict[tuple[str, ...], Meaning] = {}
    derived: dict[tuple[str, ...], Meaning] = {}
    for name, sort in FILES.items():
        for line in read_lines(name):
            _take(line, sort, irregular, found, derived)
    antonyms = frozenset(frozenset(line) for line in read_lines("antonyms"))
    told: dict[tuple[str, ...], Meaning] = {}
    forms: dict[tuple[str, ...], Meaning] = {}
    for line in read_lines("headlines"):
        _take(line, "verb", irregular, told, forms)
    sentences = {line[0]: line[1] for line in read_lines("sentences")}
    frames = tuple(tuple(line) for line in read_lines("frames"))
    phrases = {**derived, **found}
    known = {meaning.canonical: (meaning.sort, meaning.topic) for meaning in reversed(phrases.values())}
    return Lexicon(_by_first(phrases), _by_first({**forms, **told}), antonyms, lists, sentences, frames, known)


def _take(
    line: list[str],
    sort: Sort,
    irregular: dict[str, list[str]],
    found: dict[tuple[str, ...], Meaning],
    derived: dict[tuple[str, ...], Meaning],
) -> None:
    canonical = line[0].lstrip("=").replace("~", "")
    topic = line[0].startswith("=")
    for written in line:
        phrase = written.lstrip("=")
        found.setdefault(split(phrase.replace("~", "")), Meaning(canonical, sort, topic))
        if "~" in phrase:
            before, _, after = phrase.partition("~")
            head, _, verb = before.rpartition(" ")
            for form, past in verb_forms(verb, irregular):
                derived.setdefault(split(f"{head} {form}{after}"), Meaning(canonical, sort, topic, past))


def verb_forms(verb: str, irregular: dict[str, list[str]]) -> Iterator[tuple[str, bool]]:
    """The forms of a verb other than itself, each with whether it is a past one."""
    given = irregular.get(verb, [])
    past = [form for form in given if not form.endswith(("ing", "ies"))]
    gerund = [form for form in given if form.endswith("ing")]
    stem = verb[:-1] if verb.endswith("e") else verb
    yield from ((form, True) for form in past or [f"{stem}ed"])
    yield from ((form, False) for form in gerund or [f"{stem}ing"])
    yield verb + ("es" if verb.endswith(("s", "x", "ch", "sh", "z")) else "s"), False
    yield from ((form, False) for form in given if form.endswith("ies"))


def _by_first(found: dict[tuple[str, ...], Meaning]) -> Phrases:
    phrases: Phrases = {}
    for words, meaning in found.items():
        phrases.setdefault(words[0], []).append((words, meaning))
    for choices in phrases.values():
        choices.sort(key=lambda choice: -len(choice[0]))
    return phrases


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256(str(READING).encode())
    for part in parts:
        digest.update(part + b"\0")
    return digest.hexdigest()[:12]


@cache
def guard_version() -> str:
    """A short hash over the lexicons and the way of reading: kept answers of another version are not compared."""
    data = sorted((f for f in files(__package__).iterdir() if f.name.endswith((".toml", ".tsv"))), key=lambda f: f.name)
    return _digest(part for file in data for part in (file.name.encode(), file.read_bytes()))
