"""Turn a way of asking into the topic it asks for: `Topics`. `frames.tsv` and `sentences.tsv` hold the ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from catalyst.llm.cache.terms import Sort, Term

Known = Mapping[str, tuple[Sort, bool]]
"""What a canonical phrase is: its sort, and whether it is a topic."""

_ALWAYS: frozenset[Sort] = frozenset(("entity", "period"))


@dataclass(frozen=True, slots=True)
class Way:
    """One line of `frames.tsv`."""

    place: int
    kinds: frozenset[str]
    words: tuple[str, ...]
    stay: frozenset[str]
    company: bool
    undergone: bool
    """Whether no company may stand before the first word: it is done to it, not by it."""
    figure: bool
    becomes: str
    stands: tuple[Term, ...]
    whole: bool

    def turn(self, kind: str, terms: list[Term]) -> tuple[str, list[Term]] | None:
        """The kind and the terms after it; None where it does not apply."""
        if (kind not in self.kinds and "*" not in self.kinds) or not self._there(terms):
            return None
        texts = [term.text for term in terms]
        gone = {texts.index(word) for word in self.words if word not in self.stay}
        if self.whole and any(
            term.sort not in _ALWAYS and i not in gone and not (self.figure and is_figure(term))
            for i, term in enumerate(terms)
        ):
            return None
        at = texts.index(self.words[0])
        kept: list[Term] = []
        for i, term in enumerate(terms):
            if i == at and self.becomes:
                kept += self.stands
            elif i not in gone:
                kept.append(term)
        if not self.becomes:  # what is left asks for a thing: its head comes last
            kept += self.stands
        return (kind if self.becomes == "=" else self.becomes), kept

    def _there(self, terms: Sequence[Term]) -> bool:
        """Whether all that it needs stands there."""
        texts = [term.text for term in terms]
        if any(word not in texts for word in self.words):
            return False
        companies = [i for i, term in enumerate(terms) if term.sort == "entity"]
        if (self.company and not companies) or (
            self.undergone and min(companies, default=len(terms)) < texts.index(self.words[0])
        ):
            return False
        return not self.figure or any(is_figure(term) and term.text not in self.words for term in terms)


class Topics:
    """All ways of asking, by the first word each needs."""

    def __init__(self, lines: Iterable[Sequence[str]], sentences: Mapping[str, str], known: Known) -> None:
        self._sentences = sentences
        self._ways: dict[str, list[Way]] = {}
        for place, line in enumerate(lines):
            way = _way(place, line, known)
            self._ways.setdefault(way.words[0], []).append(way)

    def turn(self, kind: str, terms: list[Term]) -> tuple[str, list[Term]]:
        """The kind and terms once every way that applies was taken, from the top of the file."""
        kind, terms = self._sentence(kind, terms)
        found = sorted((way for term in terms for way in self._ways.get(term.text, ())), key=lambda way: way.place)
        for way in found:
            turned = way.turn(kind, terms)
            if turned is not None:
                kind, terms = turned
        return kind, terms

    def _sentence(self, kind: str, terms: list[Term]) -> tuple[str, list[Term]]:
        """A sentence that asks for a topic becomes the topic."""
        if len(terms) > 8:
            return kind, terms
        said = ["E" if term.sort == "entity" else term.text for term in terms if term.sort != "period"]
        topic = self._sentences.get(" ".join((kind, *said)))
        if topic is None:
            return kind, terms
        kept = [term for term in terms if term.sort in _ALWAYS]
        return "", [*kept, Term("metric", topic, topic=True)]


def is_figure(term: Term) -> bool:
    """Whether a term is a figure, not a topic."""
    return term.sort == "metric" and not term.topic


def is_form(term: Term) -> bool:
    """Whether a term is a form's name: 10-k."""
    return term.sort == "metric" and term.topic and (term.text[:1].isdigit() or term.text[1:2] == "-")


def _way(place: int, line: Sequence[str], known: Known) -> Way:
    kinds, words, becomes, stands, *whole = [*line, "", ""][:5]
    needed = [word.lstrip("+") for word in words.split(",")]
    return Way(
        place,
        _kinds(kinds.split()),
        tuple(word for word in needed if word not in ("E", "<E", "M")),
        frozenset(word[1:] for word in words.split(",") if word.startswith("+")),
        "E" in needed,
        "<E" in needed,
        "M" in needed,
        "" if becomes == "-" else becomes,
        tuple(_term(word, known) for word in stands.split(",") if word),
        whole[:1] == ["whole"],
    )


def _kinds(named: Sequence[str]) -> frozenset[str]:
    """`what` is also what was asked with a form of `to be` (`what is`)."""
    return frozenset("" if kind == "-" else kind for kind in (*named, *(["whatis"] if "what" in named else ())))


def _term(text: str, known: Known) -> Term:
    sort, topic = known.get(text, ("word", False))
    return Term(sort, text, topic=topic)
