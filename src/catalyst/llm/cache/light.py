"""Leave out verbs and nouns that only carry a figure to its company: `Light`. Their lists stand in `words.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalyst.llm.cache.terms import ACTIONS, WORDS, Term
from catalyst.llm.cache.topics import is_figure, is_form


class Light:
    """What a figure, a topic or a document is asked for with."""

    def __init__(self, lists: Mapping[str, Any]) -> None:
        words = lists["words"]
        self._quantities = frozenset(lists["quantities"]["nouns"])
        self._light = frozenset(words["light"])
        self._measures = frozenset(words["measures"])
        self._stocks = frozenset(words["stocks"])
        self._flows = frozenset(words["flows"])
        self._offices = frozenset(words["offices"])
        self._tells = frozenset(words["tells"])
        self._undergo = frozenset(("disclose", "have", "see", "show", "record", "experience", "get"))
        self._sources = frozenset(words["sources"])

    def without(self, kind: str, terms: list[Term]) -> list[Term]:
        """The terms without what carries no meaning in a question of this kind."""
        return self._without_sources(kind, self._without_tellers(kind, self._without_light(kind, terms)))

    def _without_light(self, kind: str, terms: list[Term]) -> list[Term]:
        """`the revenue X reported` is the revenue of X, `the level of debt` the debt."""
        if kind in ("", "who") and any(term.sort == "metric" and term.topic for term in terms):
            terms = _unless_empty([term for term in terms if term.text not in self._offices], terms)
        if kind == "who" and not any(term.sort == "direction" for term in terms):
            terms = [term for term in terms if term.text not in ("act", "serve")] if len(terms) > 1 else terms
        if kind in ("what", "howmuch") and any(term.text in self._quantities for term in terms):
            actions = [term for term in terms if term.sort in ACTIONS and term.text not in self._quantities]
            if (
                len(actions) == 1
                and actions[0].text in ("get", "receive")
                and not any(t.sort == "relation" for t in terms)
            ):
                return [term for term in terms if term is not actions[0]]
        if kind not in ("", "what", "howmuch", "count", "define") or not any(term.sort == "metric" for term in terms):
            return terms
        figure = any(is_figure(term) for term in terms)
        if figure and kind != "count":
            terms = [term for term in terms if not (term.sort in WORDS and term.text in self._measures)]
        if any(term.sort in ("direction", "negation") for term in terms):
            return [term for term in terms if term.text not in self._undergo] if kind == "what" and figure else terms
        held = any(term.text in self._stocks for term in terms)
        light = self._light - self._flows if held or not figure else self._light
        kept = [term for term in terms if not (term.sort == "verb" and term.text in light)]
        left = ("verb", "relation") if figure else ("verb", "relation", "noun", "word")
        return terms if any(term.sort in left for term in kept) else kept

    def _without_tellers(self, kind: str, terms: list[Term]) -> list[Term]:
        """`does the filing mention X` asks whether X is in the filing."""
        if kind not in ("yes", "what") or not any(term.text in self._sources or is_form(term) for term in terms):
            return terms
        kept = [term for term in terms if not (term.sort == "verb" and term.text in self._tells)]
        kept = (
            [term for term in kept if term.sort != "relation" or term.text not in ("about", "under")]
            if len(kept) < len(terms)
            else kept
        )
        if any(
            term.sort not in ("number", "period", "entity")
            and term.text not in self._sources
            and term.text != "item"
            and not is_form(term)
            for term in kept
        ):
            return kept
        return terms if len(kept) == len(terms) else [*kept, Term("verb", "say")]

    def _without_sources(self, kind: str, terms: list[Term]) -> list[Term]:
        """`from the agreement` is `in the agreement` where nothing moves; so is `to` before a verb no direction."""
        found: list[Term] = []
        for term, after in zip(terms, [*terms[1:], Term("bar", "")], strict=False):
            if term.sort == "relation" and term.text == "to" and after.sort in ACTIONS:
                continue
            if term.sort == "relation" and term.text == "from" and after.text in self._sources and kind in ("", "what"):
                continue
            found.append(term)
        return found


def _unless_empty(kept: list[Term], terms: list[Term]) -> list[Term]:
    return kept if kept else terms
