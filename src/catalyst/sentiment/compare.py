"""Numbers that are set against each other: "EPS $1.20 vs. $1.05", "sales of 3.1 mn compared to 2.8 mn". Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from catalyst.sentiment.tokens import Tokens

_AGAINST = frozenset(("vs", "versus", "against", "from", "than"))
_COMPARED = frozenset(("compared", "comparison", "versus", "vs", "against"))
_REACH = 6
"""How far a number stands from the word that compares it."""

_SCALES = {
    "thousand": 1e3, "k": 1e3, "lakh": 1e5, "million": 1e6, "mln": 1e6, "mn": 1e6, "m": 1e6,
    "crore": 1e7, "cr": 1e7, "billion": 1e9, "bln": 1e9, "bn": 1e9, "b": 1e9, "cents": 0.01, "cent": 0.01, "c": 0.01,
}  # fmt: skip


class _Entry(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def weight(self) -> float: ...


class _Thing(Protocol):
    @property
    def start(self) -> int: ...
    @property
    def entry(self) -> _Entry: ...


def comparisons(read: Tokens, objects: Sequence[_Thing]) -> Iterator[tuple[str, float]]:
    """(`more:profit`, 1.0) for each pair: whether the first number is larger, of what, and whether that is good."""
    texts, values = read
    if len(values) < 2:
        return
    for place, text in enumerate(texts):
        if text not in _AGAINST and text not in _COMPARED:
            continue
        first = _nearest(values, range(place - 1, max(-1, place - _REACH - 1), -1))
        second = _nearest(values, range(place + 1, min(len(texts), place + _REACH + 1)))
        if first is None or second is None or _alike(texts, first, second):
            continue
        before, after = _scaled(read, first), _scaled(read, second)
        if before == after:
            continue
        thing = _of(objects, first)
        more = before > after
        sign = (1.0 if more else -1.0) * (thing.entry.weight if thing else 1.0)
        yield f"{'more' if more else 'less'}:{thing.entry.name if thing else 'none'}", sign


def _nearest(values: dict[int, float], places: range) -> int | None:
    return next((place for place in places if place in values), None)


def _alike(texts: list[str], first: int, second: int) -> bool:
    """Whether they cannot be compared: a share and an amount."""
    return (texts[first] == "<percent>") != (texts[second] == "<percent>")


def _scaled(read: Tokens, place: int) -> float:
    following = read.texts[place + 1 : place + 2]
    return read.values[place] * _SCALES.get(following[0] if following else "", 1.0)


def _of(objects: Sequence[_Thing], number: int) -> _Thing | None:
    before = [thing for thing in objects if number - 14 <= thing.start < number]
    return before[-1] if before else None
