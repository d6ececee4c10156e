"""Bring the terms of a question into one order and leave out what carries no meaning: `Frame`.

The order is free only where every term has a slot of its own (one company, one figure, one period …); otherwise the
words stay as they were written, and only a company that owns what is asked (`revenue of X`, `X's revenue`) is moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from catalyst.llm.cache.lexicon import fold
from catalyst.llm.cache.question import Question, Slots
from catalyst.llm.cache.terms import Sort, Term

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
_WORDS: frozenset[Sort] = frozenset(("word", "verb", "noun"))
_ACTIONS: frozenset[Sort] = frozenset(("verb", "direction"))
_PAST_KINDS = frozenset(("yes", "who", "where", "what", "whose"))
_SECURITY = frozenset(
    (
        "share price",
        "closing price",
        "opening price",
        "stock",
        "trading volume",
        "trade",
        "price target",
        "beta",
        "ticker",
        "shares outstanding",
        "dividend yield",
        "52-week high",
        "52-week low",
        "average daily volume",
        "float",
        "price",
        "buy",
        "sell",
        "stock split",
        "short interest",
        "vote",
        "exchange listing",
        "all-time high",
        "all-time low",
        "par value",
    )
)
"""What depends on the class of stock: for a company of several classes its name is none of its tickers then."""


class Frame:
    """The small words of `words.toml`, and what is done with them."""

    def __init__(self, lists: Mapping[str, Any], sentences: Mapping[str, str]) -> None:
        self._sentences = sentences
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
        self._light = frozenset(words["light"])
        self._sources = frozenset(words["sources"])
        self._counted: dict[str, str] = lists["counted"]
        self._bounds = _phrases(lists["bounds"])
        self._times = _phrases(lists["times"])

    def build(self, kind: str, terms: list[Term], *, strict: bool = False) -> list[Term]:
        """The canonical terms, the kind of question first."""
        past, passive = self._tense(terms)
        owner = self._owner(terms)
        terms = self._glue(terms)
        terms = self._without_small_words(terms, strict)
        terms = _classes(terms)
        terms = [replace(term, text="sell") if term.text == "sold off" else term for term in terms]
        past = past or _past_verb(kind, terms)
        if not strict:
            kind, terms = self._sentence(kind, terms)
            kind, terms = _as_topic(kind, terms, self._counted)
            terms = self._without_light_verbs(kind, terms)
            terms = self._without_sources(kind, terms)
            kind, terms = _difference(kind, terms)
        acts = any(term.sort in _ACTIONS for term in terms)
        kind = _final_kind(kind, terms, acts)
        head = [Term("marker", f"~{kind or 'q'}")]
        if past and (strict or _tense_matters(kind, terms)):
            head.append(Term("marker", "~past"))
        if passive and acts and kind:
            head.append(Term("marker", "~passive"))
        return [*head, *_ordered(terms, owner)]

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
            elif be and term.sort in _ACTIONS and term.past:
                return past, True
        return past, False

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
            glued.append(term)
        return _or_more(glued)

    def _without_small_words(self, terms: Sequence[Term], strict: bool) -> list[Term]:
        dropped = self._strict if strict else self._dropped
        found: list[Term] = []
        for i, term in enumerate(terms):
            if term.sort in ("possessive", "bar") or (term.text == "company" and not strict):
                continue
            if found and _is_form(found[-1]) and term.raw.lower() in ("filing", "filings", "report", "reports", "form"):
                continue
            if term.sort == "word":
                small = self._small(term, dropped, i, main=self._is_main(terms, i))
                if small is not None:
                    found.append(small)
                continue
            found.append(term)
        return found

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
        if word in self._relations:
            return Term("relation", "versus" if word == "vs" else word)
        return Term("relation", "and") if word == "&" else Term("word", fold(word), term.raw)

    def _sentence(self, kind: str, terms: list[Term]) -> tuple[str, list[Term]]:
        """A sentence that asks for a topic becomes the topic."""
        said = ["E" if term.sort == "entity" else term.text for term in terms if term.sort != "period"]
        topic = self._sentences.get(" ".join((kind, *said)))
        if topic is None:
            return kind, terms
        kept = [term for term in terms if term.sort in ("entity", "period")]
        return "", [*kept, Term("metric", topic, topic=True)]

    def _without_light_verbs(self, kind: str, terms: list[Term]) -> list[Term]:
        """`the revenue X reported` is the revenue of X."""
        asks = kind in ("", "what", "howmuch", "count", "define")
        if not asks or not any(term.sort == "metric" for term in terms):
            return terms
        if any(term.sort in ("direction", "negation") for term in terms):
            return terms
        kept = [term for term in terms if not (term.sort == "verb" and term.text in self._light)]
        figure = any(term.sort == "metric" and not term.topic for term in kept)
        left = ("verb", "relation") if figure else ("verb", "relation", "noun", "word")
        return terms if any(term.sort in left for term in kept) else kept

    def _without_sources(self, kind: str, terms: list[Term]) -> list[Term]:
        """`from the agreement` is `in the agreement` where nothing moves; so is `to` before a verb no direction."""
        found: list[Term] = []
        for term, after in zip(terms, [*terms[1:], Term("bar", "")], strict=False):
            if term.sort == "relation" and term.text == "to" and after.sort in _ACTIONS:
                continue
            if term.sort == "relation" and term.text == "from" and after.text in self._sources and kind in ("", "what"):
                continue
            found.append(term)
        return found


def question(text: str, terms: Sequence[Term]) -> Question:
    """The question that canonical terms make."""
    slots: dict[str, list[str]] = {}
    markers = []
    for term in terms:
        if term.sort == "marker":
            markers.append(term.text.lstrip("~"))
        elif term.sort in _SLOTS:
            slots.setdefault(_SLOTS[term.sort], []).append(term.text)
    words = tuple(term.text for term in terms if term.sort in _WORDS)
    return Question(
        text,
        canonical=" | ".join(term.text for term in terms),
        slots=Slots(" ".join(markers), **{name: tuple(values) for name, values in slots.items()}),
        words=words,
        fixed_order=not _may_swap(terms),
    )


def _may_swap(terms: Sequence[Term]) -> bool:
    """Whether the words may change places: two nouns beside at most one company that owns them, and nothing else."""
    content = [term for term in terms if term.sort in _WORDS or term.sort == "metric"]
    free = all(term.sort not in ("relation", "negation", "quoted", "verb", "direction") for term in terms)
    return free and len(content) <= 2 and all(term.sort in ("noun", "metric") for term in content)


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


def _is_form(term: Term) -> bool:
    return term.sort == "metric" and term.topic and (term.text[:1].isdigit() or term.text[1:2] == "-")


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


def _classes(terms: list[Term]) -> list[Term]:
    """A company of several classes under its name is no class of it where classes differ."""
    if not any(term.text in _SECURITY for term in terms):
        return terms
    return [
        replace(term, text=f"{term.text.split('-')[0]}-X") if term.sort == "entity" and term.raw == "name" else term
        for term in terms
    ]


def _as_topic(kind: str, terms: list[Term], counted: Mapping[str, str]) -> tuple[str, list[Term]]:
    """Questions that ask for a topic in other words: how it performed, where it is based, how many it employs."""
    content = [term for term in terms if term.sort not in ("entity", "period")]
    texts = [term.text for term in content]
    if kind == "percent" and "come" in texts and "from" in texts:
        return kind, [term for term in terms if term.text not in ("come", "from")]
    if kind == "when":
        return kind, [term for term in terms if term.text != "will"]
    if (
        kind == "count"
        and texts[:1]
        and texts[0] in counted
        and set(texts[1:]) <= {"have", "employ", "work", "operate", "serve"}
    ):
        kept = [t for t in terms if t not in content[1:]]
        return "", [replace(t, sort="metric", text=counted[t.text], topic=False) if t in content else t for t in kept]
    if (
        kind == "count"
        and "stock" in texts
        and "outstanding" in texts
        and set(texts) <= {"stock", "outstanding", "have"}
    ):
        rest = [t for t in terms if t not in content]
        return "", [*rest, Term("metric", "shares outstanding")]
    if kind in ("what", "define") and texts[-1:] in (["mean"], ["stand"]) and len(texts) > 1:
        return "define", [t for t in terms if t is not content[-1]]
    return kind, terms


def _difference(kind: str, terms: list[Term]) -> tuple[str, list[Term]]:
    """`How does A differ from B` asks what `the difference between A and B` is; the sides have no order."""
    texts = [term.text for term in terms]
    if kind == "how" and "differ" in texts and "from" in texts[texts.index("differ") :]:
        at, other = texts.index("differ"), texts.index("from", texts.index("differ"))
        if other != at + 1:
            return kind, terms
        sides = terms[:at], terms[other + 1 :]
    elif kind == "difference" and texts.count("and") == 1:
        at = texts.index("and")
        sides = terms[:at], terms[at + 1 :]
    else:
        return kind, terms
    left, right = sides
    if left and all(term.sort == "qualifier" for term in left):
        left = [*left, *(term for term in right if term.sort != "qualifier")]
    first, second = sorted((left, right), key=lambda side: [term.text for term in side])
    return "difference", [*first, Term("relation", "and"), *second]


def _final_kind(kind: str, terms: Sequence[Term], acts: bool) -> str:
    figures = any(term.sort == "metric" and not term.topic for term in terms)
    metric = any(term.sort == "metric" for term in terms)
    if kind == "define":
        return "" if not acts else "define"
    if kind in ("howmuch", "count") and figures and not acts:
        return ""
    if kind in ("what", "who") and metric and not acts:
        return ""
    if kind == "what" and not acts:
        return ""
    return kind


def _past_verb(kind: str, terms: Sequence[Term]) -> bool:
    return kind in ("what", "who") and any(term.sort in _ACTIONS and term.past for term in terms)


def _tense_matters(kind: str, terms: Sequence[Term]) -> bool:
    if kind == "when":
        return True
    if any(term.sort == "period" for term in terms):
        return False
    topic = any(term.sort == "metric" and term.topic for term in terms)
    figure = any(term.sort == "metric" and not term.topic for term in terms)
    return kind in _PAST_KINDS or (not kind and topic and not figure)


def _ordered(terms: list[Term], owner: bool) -> list[Term]:
    if _sortable(terms):
        return sorted(terms, key=lambda term: _ORDER.index(term.sort))
    periods = [term for term in terms if term.sort == "period"]
    if len(periods) == 1:
        terms = [*(term for term in terms if term.sort != "period"), *periods]
    if owner:
        terms = sorted(terms, key=lambda term: term.sort != "entity")
    return terms


def _sortable(terms: Sequence[Term]) -> bool:
    counts: dict[str, int] = {}
    for term in terms:
        if term.sort not in _ORDER:
            return False
        counts[term.sort] = counts.get(term.sort, 0) + 1
    return all(count == 1 for sort, count in counts.items() if sort != "qualifier")
