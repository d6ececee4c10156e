"""Take politeness off both ends of a question and find what kind of answer it asks for: `Openings`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from catalyst.llm.cache.terms import Term

_BEFORE_WHAT = frozenset(("at", "in", "on", "during", "for"))
_BESIDE_WHAT = frozenset(("by", "from", "to", "with", "under"))
_BE = frozenset(("is", "are", "was", "were"))
Tails = dict[str, list[tuple[tuple[str, ...], str]]]


class Openings:
    """The set phrases of `words.toml` that begin and end questions."""

    def __init__(self, lists: Mapping[str, Any]) -> None:
        polite = [(phrase, "") for phrase in lists["openers"]]
        self._first = _by_first([*polite, *((phrase, "what") for phrase in lists["displays"])])
        self._last = _by_first([(" ".join(reversed(phrase.split())), "") for phrase in lists["closers"]])
        self._kinds = _by_first(
            [(one, kind) for kind, phrases in lists["kinds"].items() for phrase in phrases for one in _spelled(phrase)]
        )
        self._asks = frozenset(lists["words"]["asks"])

    def take(
        self, terms: Sequence[Term], begins_a_topic: Callable[[Sequence[Term]], bool]
    ) -> tuple[str, bool, list[Term]]:
        """The kind (empty for a phrase or statement), whether it took a form of `to be` along, and what is left."""
        rest, shown = self._opened(list(terms), begins_a_topic)
        rest = self._closed(rest)
        if not rest:
            return shown, False, rest
        if (
            _words(rest)[0] in _BEFORE_WHAT
            and _words(rest)[1:2] in (["what"], ["which"])
            and not _match(self._kinds, _words(rest))
        ):
            rest = rest[1:]
        elif (
            _words(rest)[0] in _BESIDE_WHAT
            and _words(rest)[1:2] in (["what"], ["which"])
            and not _match(self._kinds, _words(rest))
        ):
            return "what", False, [rest[0], *rest[2:]]
        if begins_a_topic(rest):
            return "what", False, rest
        if found := _match(self._kinds, _words(rest)):
            length, kind = found
            being = rest[length - 1].raw.lower()
            if kind == "what" and being in ("is", "are") and _words(rest[length:])[:1] != ["the"]:
                kind = f"term-{being}"
            if "was" in _words(rest[1:length]) and kind in ("when", "what"):
                kind = f"{kind}-past"
            return kind, being in _BE, rest[length:]
        return ("yes" if _words(rest)[0] in self._asks else shown), shown == "what", rest

    def _opened(self, rest: list[Term], begins_a_topic: Callable[[Sequence[Term]], bool]) -> tuple[list[Term], str]:
        shown = ""
        while rest and (found := _match(self._first, _words(rest))):
            length, kind = found
            if kind and (length >= len(rest) or begins_a_topic(rest)):
                break
            rest, shown = rest[length:], kind or shown
            if kind and _words(rest)[0] in ("me", "us"):
                rest = rest[1:]
        return rest, shown

    def _closed(self, rest: list[Term]) -> list[Term]:
        while len(rest) > 1 and (found := _match(self._last, _words(rest[::-1]))):
            rest = rest[: -found[0]]
        return rest


def _spelled(phrase: str) -> list[str]:
    """A phrase for each choice of `(this|that|)` in it."""
    parts = [part.split("|") for part in re.split(r"[()]", phrase)]
    return [" ".join("".join(choice).split()) for choice in product(*parts)]


def _words(terms: Sequence[Term]) -> list[str]:
    return [term.raw.lower() if term.sort == "word" else "|" for term in terms[:12]]


def _by_first(phrases: Iterable[tuple[str, str]]) -> Tails:
    tails: Tails = {}
    for phrase, kind in phrases:
        words = tuple(phrase.replace("'d", " would").split())
        for form in {words, tuple(phrase.split())}:
            tails.setdefault(form[0], []).append((form, kind))
    for choices in tails.values():
        choices.sort(key=lambda choice: -len(choice[0]))
    return tails


def _match(tails: Tails, words: list[str]) -> tuple[int, str] | None:
    for phrase, kind in tails.get(words[0], ()) if words else ():
        if tuple(words[: len(phrase)]) == phrase:
            return len(phrase), kind
    return None
