"""Put a question's words into one order: `Clauses`. Passive becomes active, what is asked about moves behind its verb,
and what belongs to something (`the fee in the agreement`) moves behind it (`agreement fee`).

Nothing is left out here but the forms of `to be`, `to do` and the small words that the order stands for. What these
rules do not understand keeps its order, so that only the same words match it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from catalyst.llm.cache.terms import ACTIONS, Term

_DO = frozenset(("do", "does", "did"))
_HAVE = frozenset(("has", "have", "had"))
_BE = frozenset(("is", "are", "was", "were", "be", "been", "being", "am", "get", "got", "gets"))
_UNCHANGED = frozenset(("cut", "beat", "set", "put", "hit", "let", "bid", "cast", "split", "hurt"))
_ARTICLES = frozenset(("the", "a", "an", "its", "their", "any", "this", "that", "these", "those", "his", "her"))
_JOINS = frozenset(("of", "in", "for", "at", "on", "within"))
"""What ties a noun to the one it belongs to."""
_MODALS = frozenset(("will", "would", "can", "could", "should", "may", "might", "must", "shall"))
_REGARDING = frozenset(("about", "regarding", "concerning", "around", "on"))
_COMPARATIVES = frozenset(("higher", "more", "fewer", "better", "worse"))
"""They stand before a noun, as `rising` would; no verb."""
_ABOUT = frozenset(("risk", "risk factor"))
_INSTRUMENTS = frozenset(
    ("indenture", "agreement", "credit facility", "credit agreement", "merger agreement", "plan", "lease agreement")
)


class Clauses:
    """The word lists of `[clauses]` in `words.toml`."""

    def __init__(self, lists: Mapping[str, Any]) -> None:
        words = lists["clauses"]
        self._own_acts = frozenset(words["own_acts"])
        self._aimed = frozenset(words["aimed"])
        self._alone = frozenset(words["alone"])
        self._sources = frozenset(lists["words"]["sources"])

    def straighten(self, kind: str, terms: list[Term], being: bool) -> tuple[list[Term], bool]:
        """The terms in order, and whether a passive without its doer is left."""
        periods = _periods(terms)
        terms = _placed(terms)
        terms = _without_times(terms)
        modal = _modal(kind, terms)
        if modal is not None:
            helped = any(_is_word(term, _BE | _HAVE) for term in terms[modal + 1 : _main_verb(kind, terms)])
            does = [] if helped else [Term("word", "does", "does")]
            straight, passive = self._clause(kind, [*terms[:modal], *does, *terms[modal + 1 :]], being)
            return [terms[modal], *straight, *periods], passive
        terms, passive = self._clause(kind, terms, being)
        return [*terms, *periods], passive

    def _clause(self, kind: str, terms: list[Term], being: bool) -> tuple[list[Term], bool]:
        if any(_is_word(term, _DO) for term in terms):
            terms = [
                Term("verb", "expect", term.raw)
                if term.text == "expected" and term.raw.lower() in ("forecast", "estimate")
                else term
                for term in terms
            ]
        if kind == "yes" and (there := self._there(terms)):
            return there, False
        at = _main_verb(kind, terms)
        if at is None:
            return self._nouns(_of_parts(self._drawn(_had(terms)))), False
        before, verb, after = terms[:at], terms[at], terms[at + 1 :]
        if not before and after and _is_word(after[0], _BE):  # `how exposed is X to …`
            end = next(
                (i for i, term in enumerate(after) if i and not _is_noun(term) and not _is_word(term, _ARTICLES)),
                len(after),
            )
            before, after = after[1:end], after[end:]
            return [*self._nouns(before), verb, *self._parts(after)], False
        helpers = {term.raw.lower() for term in before if term.sort == "word"}
        if helpers & _BE and not verb.past and not verb.raw.lower().endswith("ing") and verb.raw and at and kind != "":
            verb = replace(verb, past=verb.raw.lower() in _UNCHANGED)
        if kind != "yes" and not helpers & (_DO | _HAVE | _BE) and not verb.past:
            return self._parts(terms), False
        if verb.past and not helpers & (_DO | (_HAVE if "been" not in helpers else frozenset())):
            return self._passive(kind, before, verb, after, being or bool(helpers & _BE), being)
        asked, subject = _around_helper(before, _DO | _HAVE if helpers & (_DO | _HAVE) else _BE)
        if not subject:
            asked, subject = [], asked
        if not subject:
            return self._parts(terms), False
        return [*self._nouns(subject), verb, *self._after(asked, after)], False

    def _there(self, terms: list[Term]) -> list[Term]:
        """`were there dividend cuts at X` as `did X cut its dividend`; empty where it is no such question."""
        words = [term.raw.lower() if term.sort == "word" else "|" for term in terms]
        if "there" not in words[:4]:
            return []
        at = words.index("there")
        first = at + (2 if words[at + 1 : at + 2] == ["been"] else 1)
        owner = [term for term in terms[:at] if term.sort == "entity"]
        end = next((i for i in range(first, len(terms)) if words[i] in _JOINS), len(terms))
        thing = [term for term in terms[first:end] if not _is_word(term, _ARTICLES)]
        if len(thing) < 2 or thing[-1].past or thing[-1].sort not in ACTIONS or thing[-1].text not in self._own_acts:
            return []
        if not all(_is_noun(term) for term in thing[:-1]):
            return []
        return [*owner, *self._nouns(terms[end + 1 :]), thing[-1], *self._nouns(thing[:-1])]

    def _drawn(self, terms: list[Term]) -> list[Term]:
        """`from the agreement` as `of the agreement`."""
        return [
            replace(term, raw="of")
            if _is_word(term, frozenset(("from",)))
            and any(after.text in self._sources for after in terms[i + 1 : i + 4])
            else term
            for i, term in enumerate(terms)
        ]

    def _passive(
        self, kind: str, before: list[Term], verb: Term, after: list[Term], helped: bool, being: bool
    ) -> tuple[list[Term], bool]:
        doer, rest = _by(after)
        if kind == "who" and rest and _is_word(rest[-1], frozenset(("by",))):
            return self._parts([verb, *(term for term in before if not _is_word(term, _BE | _HAVE)), *rest[:-1]]), False
        if before and _is_word(before[0], frozenset(("by",))):
            doer, before = _around_helper(before[1:], _BE)
        patient = [term for term in before if not _is_word(term, _BE | _HAVE)]
        if doer:
            return [*self._nouns(doer), verb, *self._after(patient, rest)], False
        reduced = being and (not rest or _is_word(rest[0], _JOINS | {"under", "from", "to"}))
        if (
            reduced
            and any(term.sort in ("metric", "noun") for term in patient)
            and not any(_is_word(t, _DO | _HAVE) for t in before)
        ):
            helped = not any(term.sort == "entity" for term in patient)
        if not helped or not _content(patient):
            return self._parts([*before, verb, *after]), helped and kind not in ("what", "howmuch", "count", "percent")
        owned = self._nouns(patient)
        if not any(term.sort == "entity" for term in owned):
            return [verb, *self._after(patient, rest)], False
        if owned[0].sort == "entity" and len(_content(owned)) > 1 and verb.text in self._own_acts:
            return [owned[0], verb, *self._after(owned[1:], rest)], False
        return [*owned, verb, *self._parts(rest)], True

    def _after(self, asked: Sequence[Term], after: Sequence[Term]) -> list[Term]:
        """What is behind the verb: what is asked about, and what is said of it."""
        return self._parts([*asked, *after])

    def _parts(self, terms: Sequence[Term]) -> list[Term]:
        """Each stretch of nouns in order by itself; verbs and the other small words stay between them."""
        found: list[Term] = []
        stretch: list[Term] = []
        terms = _of_parts(terms)
        for i, term in enumerate(terms):
            joins = _is_word(term, _JOINS) or _is_word(term, _ARTICLES) or term.sort == "possessive"
            if joins or _is_noun(term) or (term.sort in ACTIONS and _nominal(terms, i)):
                stretch.append(term)
                continue
            found += [*self._nouns(stretch), term]
            stretch = []
        return [*found, *self._nouns(stretch)]

    def _nouns(self, terms: Sequence[Term]) -> list[Term]:
        """`A of B` as `B A`, from the right; what is done to a company (`stake in X`) keeps its place."""
        groups: list[list[Term]] = [[]]
        ties: list[str] = []
        for term in terms:
            if _is_word(term, _JOINS):
                groups.append([])
                ties.append(term.raw.lower())
            elif not _is_word(term, _ARTICLES) and term.sort != "possessive":
                groups[-1].append(term)
        found: list[Term] = _superlative(groups[-1])
        for group, tie in zip(reversed(groups[:-1]), reversed(ties), strict=True):
            last = group[-1] if group else None
            if last is not None and last.sort in ACTIONS and last.text not in self._alone and found and tie == "of":
                found = [*group, *found]
            elif last is not None and last.text in self._aimed and found and found[0].sort == "entity":
                found = [*group, Term("relation", "of"), *found]
            else:
                found = [*found, *group]
        return found


def _placed(terms: list[Term]) -> list[Term]:
    """A company behind `at` comes first: what happens there is its own."""
    for i in range(1, len(terms) - 1):
        if _is_word(terms[i], frozenset(("at",))) and terms[i + 1].sort == "entity" and terms[0].sort != "entity":
            first = 1 if _is_word(terms[0], _BE | _DO | _HAVE) else 0
            return [*terms[:first], terms[i + 1], Term("possessive", "'s", "'s"), *terms[first:i], *terms[i + 2 :]]
    return terms


def _of_parts(terms: Sequence[Term]) -> list[Term]:
    """`revenue from phones` as `revenue of phones`; what comes from a company keeps its direction."""
    found = list(terms)
    for i in range(1, len(found) - 1):
        if _belongs(found, i):
            found[i] = replace(found[i], raw="of")
    return [
        term
        for i, term in enumerate(found)
        if not (_is_word(term, frozenset(("related",))) and 0 < i < len(found) - 1 and _is_noun(found[i + 1]))
    ]


def _belongs(terms: Sequence[Term], at: int) -> bool:
    """Whether a small word ties what is left of it to what is right of it as `of` would."""
    left, rest = terms[at - 1], [term for term in terms[at + 1 :] if not _is_word(term, _ARTICLES)]
    right, word = rest[0] if rest else left, terms[at]
    if _is_word(word, frozenset(("from",))):
        whole = not any(term.sort in ("entity", "metric") for term in terms[at:])
        return left.sort == "metric" and not left.topic and _is_noun(terms[at + 1]) and whole
    if _is_word(word, _REGARDING):
        return left.text in _ABOUT and _is_noun(right)
    return _is_word(word, frozenset(("under",))) and _is_noun(left) and right.text in _INSTRUMENTS


def _had(terms: list[Term]) -> list[Term]:
    """`stake does X have in Y` as `X's stake in Y`."""
    asked, subject = _around_helper(terms, _DO)
    at = next((i for i, term in enumerate(subject) if _is_word(term, _HAVE)), None)
    if not asked or not at:
        return terms
    return [*subject[:at], Term("possessive", "'s", "'s"), *asked, *subject[at + 1 :]]


def _periods(terms: Sequence[Term]) -> list[Term]:
    """The periods, in order; `between A and B` is `from A to B`."""
    found = [term for term in terms if term.sort == "period"]
    if len(found) == 2 and found[0].text.startswith("between ") and found[1].text.startswith("and "):
        first, last = found[0].text.removeprefix("between "), found[1].text.removeprefix("and ")
        return [replace(found[0], text=f"from {first}"), replace(found[1], text=f"to {last}")]
    return found


def _without_times(terms: Sequence[Term]) -> list[Term]:
    """The terms without periods, and without what ties them."""
    kept: list[Term] = []
    for term in terms:
        if term.sort == "period":
            while kept and (_is_word(kept[-1], _JOINS | _ARTICLES | {"during", "as"})):
                kept.pop()
            continue
        kept.append(term)
    return kept


def _superlative(terms: list[Term]) -> list[Term]:
    """`revenue highest` as `highest revenue`."""
    if len(terms) > 1 and terms[-1].text in ("highest", "lowest") and terms[-1].sort == "qualifier":
        return [*terms[:-2], terms[-1], terms[-2]]
    return terms


def _modal(kind: str, terms: Sequence[Term]) -> int | None:
    """Where the only `will`, `can`, `must` … before the verb stands: it goes to the front, for it says not who."""
    found = [i for i, term in enumerate(terms[: _main_verb(kind, terms)]) if _is_word(term, _MODALS)]
    return found[0] if len(found) == 1 and terms[found[0]].raw.islower() else None


def _main_verb(kind: str, terms: Sequence[Term]) -> int | None:
    for i, term in enumerate(terms):
        if term.sort in ACTIONS and term.text not in _COMPARATIVES and not _nominal(terms, i):
            return i
    return None


def _nominal(terms: Sequence[Term], at: int) -> bool:
    """Whether a word of action is a noun here: `the rise in sales`, `its decline`."""
    before = terms[at - 1] if at else None
    if before is not None and (before.sort == "possessive" or _is_word(before, _ARTICLES | {"of"})):
        return before.raw.lower() != "that"
    follows = at + 1 < len(terms) and _is_word(terms[at + 1], frozenset(("of", "in")))
    return follows and not terms[at].past and not any(_is_word(term, _DO) for term in terms[:at])


def _around_helper(before: Sequence[Term], helpers: frozenset[str]) -> tuple[list[Term], list[Term]]:
    for i, term in enumerate(before):
        if _is_word(term, helpers):
            return list(before[:i]), list(before[i + 1 :])
    return [], list(before)


def _by(after: Sequence[Term]) -> tuple[list[Term], list[Term]]:
    """The doer behind `by`, and what else is behind the verb."""
    for i, term in enumerate(after):
        if _is_word(term, frozenset(("by",))) and i + 1 < len(after) and after[i + 1].sort not in ("number", "period"):
            end = i + 1
            while end < len(after) and (_is_noun(after[end]) or _is_word(after[end], _ARTICLES)):
                end += 1
            return list(after[i + 1 : end]), [*after[:i], *after[end:]]
    return [], list(after)


def _is_word(term: Term, words: frozenset[str]) -> bool:
    return term.sort == "word" and term.raw.lower() in words


def _is_noun(term: Term) -> bool:
    if term.sort == "word":
        return term.raw.lower() not in _SMALL
    return term.sort in ("entity", "metric", "noun", "qualifier", "number", "quoted") or term.text in _COMPARATIVES


def _content(terms: Sequence[Term]) -> list[Term]:
    return [term for term in terms if _is_noun(term)]


_SMALL = (
    _DO
    | _HAVE
    | _BE
    | _ARTICLES
    | _JOINS
    | frozenset(("by", "to", "from", "with", "and", "or", "than", "per", "before", "after", "not", "no", "between"))
    | frozenset(("into", "over", "under", "about", "against", "since", "until", "through", "what", "which", "who"))
    | frozenset(("when", "how", "will", "would", "can", "could", "should", "may", "might", "must", "shall", "vs"))
    | frozenset(("versus", "as", "if", "because", "but", "it", "&"))
)
