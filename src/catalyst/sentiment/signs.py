"""What a headline's words say, before any trained weight: who moves which way, what is said of it, what is negated.

`signs` makes the named features that `Scorer` weighs, and the value of the rules alone. The words are our own
(`data/headlines.toml`); VADER's list is used as a plain dictionary. Linear in the text.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import pairwise
from typing import Any, NamedTuple

from catalyst.sentiment.compare import comparisons
from catalyst.sentiment.tokens import MINUS, PLUS, Tokens, tokens
from catalyst.sentiment.words import Phrases

STOPS = frozenset((",", ";", ":", ".", "?", "!", "-", "but", "while", "whereas", "as", "after", "amid"))
"""Where a clause ends: what stands beyond is another matter."""

_NEGATION_REACH = 4
_OBJECT_BEFORE, _OBJECT_AFTER = 9, 5
_FAR_OBJECT = 5
"""A subject may stand before a comma: "Sales, up 5%"."""
_WINDOW = 20
"""No thing belongs to a move that stands further away."""
_COMPARED = 0.6
"""What a number that is larger or smaller than the one before says."""
_BARE_LOSS = -0.4
"""A loss that is only named; other things say nothing by being named."""
_TURNED_VALENCE = -0.74
"""VADER's own factor for a negated word."""
_TURNED_GOOD, _TURNED_BAD = -0.7, -0.3
"""`not strong` is bad; `no default` is hardly good."""
_MOST = 3.0
"""No feature counts more often than so: a text that repeats a word says nothing more."""


class Entry(NamedTuple):
    """What a phrase is: a `move` (up or down), an `object` that moves, a `group` that says something by itself."""

    kind: str
    name: str
    weight: float
    must: bool = False


@dataclass(slots=True)
class Signs:
    """Named counts for the table, the rules' own sum, and what made them."""

    counts: dict[str, float] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    """Words and pairs of words, for the table."""
    rule: float = 0.0
    hits: list[str] = field(default_factory=list)
    must: bool = False
    """Some word makes this worth a look whatever the score says."""

    def add(self, name: str, amount: float = 1.0) -> None:
        self.counts[name] = min(_MOST, self.counts.get(name, 0.0) + amount)


class Found(NamedTuple):
    """A phrase in its place."""

    start: int
    length: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The lists, ready to search."""

    phrases: Phrases[Entry]
    negations: Phrases[bool]
    marks: Mapping[str, str]
    valences: Mapping[str, float]


def signs(text: str) -> Signs:
    """Everything the table weighs in a text's first 2 kB."""
    reading = _Reading(tokens(text), lexicon())
    for hit in reading.found:
        if hit.entry.kind == "move":
            reading.move(hit)
        elif hit.entry.kind == "group":
            reading.group(hit)
    reading.rest()
    return reading.made


@functools.cache
def lexicon() -> Lexicon:
    """The lists, read once at first use."""
    data = tomllib.loads((files(__package__) / "data" / "headlines.toml").read_text("utf-8"))
    turn = data["turn"]
    negations = dict.fromkeys(turn["negation"], True) | dict.fromkeys(turn["not_turning"], False)
    marks = {word: kind for kind in ("hedge", "strong", "weak", "aside") for word in turn[kind]}
    return Lexicon(Phrases(_entries(data), _texts), Phrases(negations, _texts), marks, _vader())


def _entries(data: Mapping[str, Any]) -> dict[str, Entry]:
    entries: dict[str, Entry] = {PLUS: Entry("move", "up", 0.6), MINUS: Entry("move", "down", -0.6)}
    weights = {"up_strong": 0.9, "up": 0.6, "down_strong": -0.9, "down": -0.6, "flat": 0.0}
    for name, words in data["moves"].items():
        _put(entries, words, Entry("move", name, weights[name]))
    for name, kind in data["objects"].items():
        _put(entries, kind["words"], Entry("object", name, 1.0 if kind["good"] else -1.0))
    for name, group in data["groups"].items():
        _put(entries, group["words"], Entry("group", name, group["weight"], group.get("must", False)))
    return entries


def _put(entries: dict[str, Entry], words: Iterable[str], entry: Entry) -> None:
    for word in words:
        entries.setdefault(word, entry)


def _texts(phrase: str) -> list[str]:
    return [phrase] if phrase in (PLUS, MINUS) else tokens(phrase).texts


def _vader() -> dict[str, float]:
    """VADER's valences (-4 to 4) of plain words, from its data file: its module would pull in `requests`."""
    text = (files("vaderSentiment") / "vader_lexicon.txt").read_text("utf-8")
    rows = (line.split("\t", 2) for line in text.splitlines() if "\t" in line)
    return {row[0]: float(row[1]) for row in rows if row[0].isalpha()}


def _turned(texts: list[str], known: Lexicon) -> set[int]:
    """The places that a negation turns: up to four words after it, within its clause; two turn nothing."""
    places: set[int] = set()
    for start, length, turns in known.negations.find(texts):
        if not turns:
            continue
        for place in range(start + length, min(len(texts), start + length + _NEGATION_REACH)):
            if texts[place] in STOPS:
                break
            places ^= {place}
    return places


def _clauses(texts: list[str], known: Lexicon) -> tuple[list[int], set[int]]:
    """Each token's clause, and the places that are only conceded (`despite`, `even as`)."""
    clauses, aside, clause, conceded = [], set(), 0, False
    for place, text in enumerate(texts):
        if text in STOPS:
            clause += 1
            conceded = conceded and text == "as"
        elif known.marks.get(text) == "aside" or (text == "even" and texts[place + 1 : place + 2] == ["as"]):
            conceded = True
        if conceded:
            aside.add(place)
        clauses.append(clause)
    return clauses, aside


class _Reading:
    """One text being read; what is found goes into `made`."""

    __slots__ = ("_first", "_known", "_read", "_used", "aside", "clauses", "found", "made", "objects", "turned")

    def __init__(self, read: Tokens, known: Lexicon) -> None:
        self.made = Signs()
        self.found = [Found(*hit) for hit in known.phrases.find(read.texts)]
        self.objects = [hit for hit in self.found if hit.entry.kind == "object"]
        self.turned = _turned(read.texts, known)
        self.clauses, self.aside = _clauses(read.texts, known)
        self._known = known
        self._read = read
        self._used: set[int] = set()
        self._first = 0

    def move(self, hit: Found) -> None:
        """Something goes up or down: good or bad by what it is."""
        thing = self._object_of(hit)
        weight = hit.entry.weight * 0.8
        name = hit.entry.name + ":none"
        if thing is not None:
            self._used.add(thing.start)
            weight = hit.entry.weight * thing.entry.weight
            name = f"{hit.entry.name}:{thing.entry.name}"
        self._count(hit, name, weight)

    def group(self, hit: Found) -> None:
        """Something is said by the phrase alone."""
        self._count(hit, "is:" + hit.entry.name, hit.entry.weight)
        self.made.must = self.made.must or hit.entry.must

    def rest(self) -> None:
        """Things that don't move, numbers set against each other, VADER's words, and words and pairs of words."""
        for thing in self.objects:
            if thing.start not in self._used:
                self._count(thing, "obj:" + thing.entry.name, _BARE_LOSS if thing.entry.name == "loss" else 0.0)
        for name, sign in comparisons(self._read, self.objects):
            self.made.add(name)
            self.made.add("good" if sign > 0 else "bad", _COMPARED)
            self.made.rule += _COMPARED * sign
        self._valence()
        self._words()

    def _count(self, hit: Found, name: str, weight: float) -> None:
        made, turns = self.made, hit.start in self.turned
        if hit.start in self.aside:
            made.add("aside+" if weight > 0 else "aside-")
            return
        made.add("not:" + name if turns else name)
        if weight == 0.0:
            return
        if turns:
            weight *= _TURNED_GOOD if weight > 0 else _TURNED_BAD
        made.rule += weight
        made.add("good" if weight > 0 else "bad", abs(weight))
        said = " ".join(self._read.texts[hit.start : hit.start + hit.length])
        made.hits.append("not " + said if turns else said)

    def _object_of(self, move: Found) -> Found | None:
        """What moves: the nearest thing in the move's clause, or just before its comma. Moves come left to right."""
        objects = self.objects
        while self._first < len(objects) and objects[self._first].start < move.start - _WINDOW:
            self._first += 1
        best, nearest = None, _WINDOW * 2
        clause, end = self.clauses[move.start], move.start + move.length
        for place in range(self._first, len(objects)):
            thing = objects[place]
            if thing.start > end + _OBJECT_AFTER:
                break
            before, same = thing.start < move.start, self.clauses[thing.start] == clause
            gap = move.start - thing.start - thing.length if before else thing.start - end
            reach = (_OBJECT_BEFORE if same else _FAR_OBJECT) if before else (_OBJECT_AFTER if same else -1)
            cost = gap + (0 if same else _WINDOW)
            if gap <= reach and (cost < nearest or (cost == nearest and not before)):
                best, nearest = thing, cost
        return best

    def _valence(self) -> None:
        """What VADER's list says of words that ours does not hold, with our negation."""
        valences, good, bad = self._known.valences, 0.0, 0.0
        ours = {place for start, length, _ in self.found for place in range(start, start + length)}
        for place, text in enumerate(self._read.texts):
            value = valences.get(text)
            if value is None or place in ours:
                continue
            value = _TURNED_VALENCE * value if place in self.turned else value
            if value > 0:
                good += value
            else:
                bad -= value
        if good:
            self.made.add("vader+", good / 3)
        if bad:
            self.made.add("vader-", bad / 3)

    def _words(self) -> None:
        """Words and pairs of neighbours, once each; a negated word is another word."""
        made, marks, texts = self.made, self._known.marks, self._read.texts
        for text in texts:
            if text in marks:
                made.counts["says:" + marks[text]] = 1.0
        if self.turned:
            texts = ["not_" + text if place in self.turned else text for place, text in enumerate(texts)]
        made.words = {*texts, *map(" ".join, pairwise(("^", *texts, "$")))}
