"""Bring the terms of a question into one order and leave out what carries no meaning: `Frame`.

The order is free only where every term has a slot of its own (one company, one figure, one period …); otherwise the
words stay as they were written, and only a company that owns what is asked (`revenue of X`, `X's revenue`) is moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from catalyst.llm.cache.clause import Clauses
from catalyst.llm.cache.kinds import (
    as_topic,
    comparison,
    difference,
    final_kind,
    meaning,
    past_verb,
    recurs,
    tense_matters,
    upcoming,
    whole_of,
)
from catalyst.llm.cache.lexicon import fold
from catalyst.llm.cache.light import Light, impersonal, without_infinitives
from catalyst.llm.cache.order import leads, ordered
from catalyst.llm.cache.terms import ACTIONS, Term
from catalyst.llm.cache.topics import Topics, is_form

_SAME_RELATIONS = {"vs": "versus", "following": "after", "regarding": "about", "concerning": "about", "till": "until"}


class Frame:
    """The small words of `words.toml`, and what is done with them."""

    def __init__(self, lists: Mapping[str, Any], topics: Topics) -> None:
        self._topics = topics
        self._clauses = Clauses(lists)
        self._light = Light(lists)
        self._mutual = frozenset(lists["clauses"]["mutual"])
        self._by_class = frozenset(lists["stock"]["by_class"])
        words = lists["words"]
        self._past = frozenset(words["past"])
        self._forms = frozenset(words["present"]) | self._past
        self._be = frozenset(words["be"])
        self._modals: dict[str, str] = words["modals"]
        self._dropped = frozenset(words["dropped"])
        self._strict = frozenset(words["strict"])
        self._possessors = frozenset(words["possessors"])
        self._negations: dict[str, str] = words["negations"]
        self._relations = frozenset(words["relations"])
        self._quantities = frozenset(lists["quantities"]["nouns"])
        self._counted: dict[str, str] = lists["counted"]
        self._bounds = _phrases(lists["bounds"])
        self._times = _phrases(lists["times"])

    def build(self, kind: str, terms: list[Term], *, being: bool = False, strict: bool = False) -> list[Term]:
        """The canonical terms, the kind of question first."""
        said = terms
        was = kind.endswith("-past")
        kind = kind.removesuffix("-past")
        kind = meaning(kind, terms)
        past, passive = self._tense(terms)
        past = past or (was and kind == "when")
        owner = self._owner(terms)
        terms = self._glue(terms)
        if not strict:
            terms = impersonal(kind, terms)
            terms, passive = self._clauses.straighten(kind, terms, being)
        terms = self._without_small_words(terms, strict)
        terms = self._of_class(terms) if strict else self._light.without_stock(kind, self._of_class(terms))
        terms = [replace(term, text="sell") if term.text == "sold off" else term for term in terms]
        if not strict:
            past = past or (not being and not self._helped(said) and past_verb(kind, terms))
            terms = without_infinitives(terms)
            kind, terms = self._topics.turn("whatis" if being and kind == "what" else kind, terms)
            kind = "what" if kind == "whatis" else kind
            kind, terms = as_topic(kind, terms, self._counted)
            past = past or (was and recurs(terms))
            terms = self._light.without(kind, terms if past else upcoming(terms))
        past = past or (strict and past_verb(kind, terms))
        if not strict:
            kind, terms = difference(kind, terms)
            kind, terms = comparison(kind, whole_of(kind, terms))
        acts = any(term.sort in ACTIONS for term in terms)
        kind = final_kind(kind, [t for t in terms if t.sort != "period"], acts, self._quantities)
        head = [Term("marker", f"~{kind or 'q'}")]
        if past and (strict or tense_matters(kind, terms)):
            head.append(Term("marker", "~past"))
        if passive and acts and kind:
            head.append(Term("marker", "~passive"))
        return [*head, *ordered(terms, owner and leads(terms))]

    def piece(self, text: str, read: Sequence[Term]) -> Term:
        """One piece of a canonical text, read again."""
        if len(read) == 1 and read[0].sort != "word":
            return replace(read[0], text=text)
        if read[-1].sort in ("number", "period"):
            return Term(read[-1].sort, text)
        if text in self._negations.values():
            return Term("negation", text)
        return Term("relation" if text in self._relations or text in self._modals.values() else "word", text)

    def _tense(self, terms: Sequence[Term]) -> tuple[bool, bool]:
        """Whether a form of the past tense stands in it, and whether a participle after a form of `to be` does."""
        words = [term.raw.lower() for term in terms if term.sort == "word"]
        asked_now = "do" in words or "does" in words
        past = any(word in self._past and not (asked_now and word in ("has", "have")) for word in words)
        be = False
        for term in terms:
            if term.sort == "word" and term.raw.lower() in self._be:
                be = True
            elif be and term.sort in ACTIONS and term.past:
                return past, True
        return past, False

    def _helped(self, terms: Sequence[Term]) -> bool:
        """Whether a form of `to be`, `to do` or `to have` stands in it."""
        return any(term.sort == "word" and term.raw.lower() in self._forms for term in terms)

    def _owner(self, terms: Sequence[Term]) -> bool:
        """Whether the only company owns what is asked: `X's margin`, `the margin of X`."""
        at = [i for i, term in enumerate(terms) if term.sort == "entity"]
        if len(at) != 1:
            return False
        after = terms[at[0] + 1] if at[0] + 1 < len(terms) else None
        before = [term.raw.lower() for term in terms[: at[0]] if term.sort == "word"]
        near = terms[at[0] - 1] if at[0] else None
        if after is not None and after.sort == "possessive":
            return True
        if near is None or near.sort != "word":
            return False
        word = before[-2] if before[-1:] == ["the"] and len(before) > 1 else before[-1]
        return word in self._possessors and word != "by"

    def _glue(self, terms: Sequence[Term]) -> list[Term]:
        """Bounds join the number behind them, `before` and its like the period."""
        glued: list[Term] = []
        for term in terms:
            if term.sort in ("number", "period"):
                names = self._bounds if term.sort == "number" else self._times
                name, length = _before(names, glued)
                glued = glued[: len(glued) - length]
                if name and term.sort == "number" and glued and _spoken(glued[-1]) == "by":
                    glued.pop()
                term = replace(term, text=f"{name} {term.text}") if name and name != "in" else term
                term = _year_over_year(term)
            glued.append(term)
        return _top(_or_more(glued))

    def _without_small_words(self, terms: Sequence[Term], strict: bool) -> list[Term]:
        dropped = self._strict if strict else self._dropped
        found: list[Term] = []
        for i, term in enumerate(terms):
            if term.sort in ("possessive", "bar"):
                continue
            if term.text == "company" and not strict and not any(verb.text in self._mutual for verb in terms[:i]):
                continue
            if found and is_form(found[-1]) and term.raw.lower() in ("filing", "filings", "report", "reports", "form"):
                continue
            if term.sort == "word":
                small = self._small(term, dropped, i, main=self._is_main(terms, i))
                if small is not None:
                    found.append(small)
                continue
            found.append(term)
        return found

    def _of_class(self, terms: list[Term]) -> list[Term]:
        """A company of several classes under its name is no class of it where classes differ."""
        if not any(term.text in self._by_class for term in terms):
            return terms
        return [
            replace(term, text=f"{term.text.split('-')[0]}-X") if term.sort == "entity" and term.raw == "name" else term
            for term in terms
        ]

    def _is_main(self, terms: Sequence[Term], at: int) -> bool:
        """Whether the verb at a place has its auxiliary before it."""
        return any(term.raw.lower() in self._forms or term.raw.lower() in self._modals for term in terms[:at])

    def _small(self, term: Term, dropped: frozenset[str], at: int, main: bool) -> Term | None:
        word = term.raw.lower()
        if word in self._negations:
            return Term("negation", self._negations[word])
        if word in self._modals and not (word in ("may", "will") and at and term.raw[0].isupper()):
            return Term("relation", self._modals[word])
        if word in ("do", "doing", "done") and main:
            return Term("word", "do", term.raw)
        if word in dropped or word in self._forms:
            return None
        if word in self._relations or word in _SAME_RELATIONS:
            return Term("relation", _SAME_RELATIONS.get(word, word))
        return Term("relation", "and") if word == "&" else Term("word", fold(word), term.raw)


def _phrases(table: Mapping[str, Sequence[str]]) -> dict[tuple[str, ...], str]:
    return {tuple(phrase.split()): name for name, phrases in table.items() for phrase in phrases}


def _before(names: Mapping[tuple[str, ...], str], terms: Sequence[Term]) -> tuple[str, int]:
    """The set phrase that ends `terms`, the longest first, and how many terms it takes (an article between counts)."""
    end = len(terms)
    if end and terms[-1].raw.lower() in ("the", "a") and terms[-1].sort == "word":
        end -= 1
    words = [_spoken(term) for term in terms[max(0, end - 6) : end]]
    for length in range(min(6, len(words)), 0, -1):
        name = names.get(tuple(words[-length:]))
        if name:
            return name, length + len(terms) - end
    return "", 0


def _spoken(term: Term) -> str:
    if term.sort == "word":
        return term.raw.lower()
    return term.raw.lower() if term.sort in ("direction", "verb", "qualifier") and term.raw else "|"


def _year_over_year(term: Term) -> Term:
    """`from a year ago` compares with the year before, whatever day it is asked."""
    tied, _, when = term.text.partition(" ")
    if term.sort != "period" or tied not in ("from", "versus") or not when.startswith(("1-year-ago", "1-year-earlier")):
        return term
    return Term("qualifier", "year-over-year", "")


def _top(terms: list[Term]) -> list[Term]:
    """`the 10 largest` is the top 10."""
    for i in range(len(terms) - 1):
        pair = terms[i : i + 2]
        number = next((term for term in pair if term.sort == "number" and term.text.isdigit()), None)
        if number is not None and any(term.text == "highest" for term in pair):
            return [*terms[:i], replace(number, text=f"top {number.text}"), *terms[i + 2 :]]
    return terms


def _or_more(terms: list[Term]) -> list[Term]:
    """`10 or more` is at least 10."""
    for i in range(len(terms) - 2):
        words = [_spoken(term) for term in terms[i + 1 : i + 3]]
        if (
            terms[i].sort == "number"
            and words[0] == "or"
            and words[1] in ("more", "higher", "greater", "less", "fewer", "lower")
        ):
            bound = "ge" if words[1] in ("more", "higher", "greater") else "le"
            return [*terms[:i], replace(terms[i], text=f"{bound} {terms[i].text}"), *_or_more(terms[i + 3 :])]
    return terms
