"""Put canonical terms in their order and make the question of them: `ordered`, `question`.

The order is free only where every term has a slot of its own; else words keep their places, but for a single period, a
single movement, and the company that owns what is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from catalyst.llm.cache.question import Question, Slots
from catalyst.llm.cache.terms import ACTIONS, WORDS, Sort, Term

_ORDER: tuple[Sort, ...] = ("entity", "qualifier", "metric", "direction", "number", "period")
_SLOTS: dict[Sort, str] = {
    "entity": "entities",
    "period": "periods",
    "number": "numbers",
    "metric": "metrics",
    "qualifier": "qualifiers",
    "direction": "directions",
    "tag": "tags",
    "negation": "negations",
    "relation": "relations",
    "quoted": "quoted",
}
_RHYTHMS = frozenset(("year-over-year", "quarter-over-quarter", "month-over-month"))
_MEASURED = frozenset(("beat estimate", "miss estimate", "meet estimate"))
_MOVES = frozenset(
    (
        "rise",
        "fall",
        "improve",
        "worsen",
        "widen",
        "narrow",
        "expand",
        "accelerate",
        "decelerate",
        "surge",
        "plunge",
        "calculate",
        "change",
    )
)


def question(text: str, terms: Sequence[Term]) -> Question:
    """The question that canonical terms make."""
    slots: dict[str, list[str]] = {}
    markers = []
    for term in terms:
        if term.sort == "marker":
            markers.append(term.text.lstrip("~"))
        elif term.sort in _SLOTS:
            slots.setdefault(_SLOTS[term.sort], []).append(term.text)
    words = tuple(term.text for term in terms if term.sort in WORDS)
    return Question(
        text,
        canonical=" | ".join(term.text for term in terms),
        slots=Slots(" ".join(markers), **{name: tuple(values) for name, values in slots.items()}),
        words=words,
        fixed_order=not _may_swap(terms),
    )


def _may_swap(terms: Sequence[Term]) -> bool:
    """Whether the words may change places: two nouns beside at most one company that owns them, and nothing else."""
    content = [term for term in terms if term.sort in WORDS or term.sort == "metric"]
    free = all(term.sort not in ("relation", "negation", "quoted", "verb", "direction") for term in terms)
    return free and len(content) <= 2 and all(term.sort in ("noun", "metric") for term in content)


def leads(terms: Sequence[Term]) -> bool:
    """Whether the company may come first: not where something is done to it."""
    at = next((i for i, term in enumerate(terms) if term.sort == "entity"), 0)
    if at and terms[at - 1].text in _MOVES and any(term.sort == "metric" for term in terms):
        return True
    return not at or terms[at - 1].sort not in ("verb", "direction", "relation")


def ordered(terms: list[Term], owner: bool) -> list[Term]:
    if _sortable(terms) and leads(terms):
        return sorted(terms, key=lambda term: _ORDER.index(term.sort))
    periods = [term for term in terms if term.sort == "period"]
    if len(periods) == 1:
        terms = [*(term for term in terms if term.sort != "period"), *periods]
    terms = _move_last(terms)
    terms = (
        [
            *(t for t in terms if t.text not in _RHYTHMS and t.sort != "period"),
            *(t for t in terms if t.text in _RHYTHMS and t.sort != "period"),
            *(t for t in terms if t.sort == "period"),
        ]
        if len(periods) <= 1
        else terms
    )
    if sum(t.sort == "metric" for t in terms) == 1:
        terms = sorted(terms, key=lambda term: (term.text in _MEASURED) + 2 * (term.sort == "period"))
    if owner:
        terms = sorted(terms, key=lambda term: term.sort != "entity")
    return terms


def _move_last(terms: list[Term]) -> list[Term]:
    """A single movement behind what moves: `cut guidance` as `guidance cut`."""
    moves = [term for term in terms if term.sort in ACTIONS]
    if (
        len(moves) != 1
        or moves[0].text not in _MOVES
        or any(term.sort in ("relation", "negation", "quoted") for term in terms)
    ):
        return terms
    rest = [term for term in terms if term is not moves[0]]
    end = next((i for i, term in enumerate(rest) if term.sort == "period"), len(rest))
    return [*rest[:end], moves[0], *rest[end:]]


def _sortable(terms: Sequence[Term]) -> bool:
    counts: dict[str, int] = {}
    for term in terms:
        if term.sort not in _ORDER:
            return False
        counts[term.sort] = counts.get(term.sort, 0) + 1
    if any(term.sort == "direction" and term.text not in _MOVES for term in terms) and any(
        term.topic for term in terms
    ):
        return False
    return all(count == 1 for sort, count in counts.items() if sort != "qualifier")
