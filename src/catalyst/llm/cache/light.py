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
        self._of_stocks = frozenset(lists["stock"]["figures"])
        self._classes = frozenset(lists["stock"]["classes"])

    def without(self, kind: str, terms: list[Term]) -> list[Term]:
        """The terms without what carries no meaning in a question of this kind."""
        return self._without_sources(kind, self._without_tellers(kind, self._without_light(kind, terms)))

    def without_stock(self, kind: str, terms: list[Term]) -> list[Term]:
        """A stock's P/E is its company's."""
        texts = {term.text for term in terms}
        if kind not in ("", "what", "howmuch", "yes") or not texts & self._of_stocks or texts & self._classes:
            return terms
        if sum(term.sort == "entity" for term in terms) != 1 or any(term.sort == "number" for term in terms):
            return terms
        return [term for term in terms if not (term.text == "stock" and term.sort == "noun")]

    def _without_light(self, kind: str, terms: list[Term]) -> list[Term]:
        """`the revenue X reported` is the revenue of X, `the level of debt` the debt."""
        if kind in ("", "who") and any(term.sort == "metric" and term.topic for term in terms):
            terms = _unless_empty([term for term in terms if term.text not in self._offices], terms)
        if kind == "who" and not any(term.sort == "direction" for term in terms):
            terms = [term for term in terms if term.text not in ("act", "serve")] if len(terms) > 1 else terms
        if kind in ("what", "howmuch") and (got := self._quantity(terms)):
            return got
        if kind not in ("", "what", "howmuch", "count", "define") or not any(term.sort == "metric" for term in terms):
            return terms
        figure = any(is_figure(term) for term in terms)
        if kind == "what" and not figure:
            terms = self._without_teller(terms)
        if figure and kind != "count":
            terms = self._without_measures(terms)
        if any(term.sort in ("direction", "negation") for term in terms):
            return [term for term in terms if term.text not in self._undergo] if kind == "what" and figure else terms
        held = any(term.text in self._stocks for term in terms)
        light = self._light - self._flows if held or not figure else self._light
        kept = [term for term in terms if not (term.sort == "verb" and term.text in light)]
        left = ("verb", "relation") if figure else ("verb", "relation", "noun", "word")
        return terms if any(term.sort in left for term in kept) else kept

    def _quantity(self, terms: list[Term]) -> list[Term]:
        """`what fine did X get` as `X's fine`; empty where it is no such question."""
        if not any(term.text in self._quantities for term in terms) or any(term.sort == "relation" for term in terms):
            return []
        actions = [term for term in terms if term.sort in ACTIONS and term.text not in self._quantities]
        got = len(actions) == 1 and actions[0].text in ("get", "receive")
        return [term for term in terms if term is not actions[0]] if got else []

    def _without_teller(self, terms: list[Term]) -> list[Term]:
        """`the risks X discloses` are X's risks: a company tells, or nobody is named."""
        verbs = [term for term in terms if term.sort == "verb"]
        if len(verbs) != 1 or verbs[0].text not in self._tells or any(term.sort == "relation" for term in terms):
            return terms
        at = terms.index(verbs[0])
        told = not at or (at == 1 and terms[0].sort == "entity")
        return [*terms[:at], *terms[at + 1 :]] if told else terms

    def _without_measures(self, terms: list[Term]) -> list[Term]:
        """`the level of debt` is the debt, `the P/E multiple` the P/E."""
        ratio = any("/" in term.text or "ratio" in term.text for term in terms if is_figure(term))
        spared = self._measures | {"ratio", "multiple"} if ratio else self._measures
        return [term for term in terms if not (term.sort in WORDS and term.text in spared)]

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
        """`from the agreement` is `in the agreement` where nothing moves."""
        found: list[Term] = []
        for term, after in zip(terms, [*terms[1:], Term("bar", "")], strict=False):
            if term.sort == "relation" and term.text == "from" and after.text in self._sources and kind in ("", "what"):
                continue
            found.append(term)
        return found


def without_infinitives(terms: list[Term]) -> list[Term]:
    """`caused it to fall` as `caused its fall`."""
    pairs = zip(terms, [*terms[1:], Term("bar", "")], strict=False)
    return [
        term for term, after in pairs if not (term.sort == "relation" and term.text == "to" and after.sort in ACTIONS)
    ]


def impersonal(kind: str, terms: list[Term]) -> list[Term]:
    """`how do you calculate X` as `how is X calculated`, `all the subsidiaries` as `the subsidiaries`."""
    words = [term.raw.lower() if term.sort == "word" else "|" for term in terms]
    if kind in ("", "what") and words[0] == "all" and len(terms) > 1:
        return terms[2:] if words[1] == "of" else terms[1:]
    for i in range(len(terms) - 2):
        if words[i] in ("do", "does", "can") and words[i + 1] in ("you", "one", "i", "people") and kind == "how":
            return [*terms[:i], *terms[i + 2 :]] if terms[i + 2].sort in ACTIONS else terms
    return terms


def _unless_empty(kept: list[Term], terms: list[Term]) -> list[Term]:
    return kept if kept else terms
