"""Words of a text and phrases among them: whole words by construction, in linear time. Start with `Phrases`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_ENDINGS = ("", "s", "es", "d", "ed", "ing")

T = TypeVar("T")


def words(text: str) -> list[str]:
    """The words of a text in lower case; hyphens part them, apostrophes don't."""
    return _WORD.findall(text.lower().replace("’", "'"))


class Phrases(Generic[T]):
    """A set of phrases, each with what it stands for; the longest one that begins at a word wins.

    A phrase that ends in `*` also matches with a plural or verb ending (`resign*`: resigns, resigned, resigning).
    """

    def __init__(self, phrases: Mapping[str, T], split: Callable[[str], Sequence[str]] = words) -> None:
        self._first: dict[str, list[tuple[tuple[str, ...], T]]] = {}
        for phrase, value in phrases.items():
            for form in _forms(phrase, split):
                self._first.setdefault(form[0], []).append((form, value))
        for choices in self._first.values():
            choices.sort(key=lambda choice: -len(choice[0]))

    def find(self, tokens: Sequence[str]) -> Iterator[tuple[int, int, T]]:
        """Yield (first word, number of words, value) of each phrase, left to right, none overlapping."""
        first = self._first
        end = 0
        for start, token in enumerate(tokens):
            if start < end or token not in first:
                continue
            for form, value in first[token]:
                if len(form) == 1 or tuple(tokens[start : start + len(form)]) == form:
                    yield start, len(form), value
                    end = start + len(form)
                    break


def _forms(phrase: str, split: Callable[[str], Sequence[str]]) -> list[tuple[str, ...]]:
    tokens = tuple(split(phrase))
    if not phrase.endswith("*"):
        return [tokens]
    stem = tokens[-1]
    forms = [stem + ending for ending in _ENDINGS]
    if stem.endswith("e"):
        forms.append(stem[:-1] + "ing")
    return [(*tokens[:-1], form) for form in forms]
