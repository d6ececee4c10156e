"""Settle what kind of answer is asked for: the same question is asked as `how much did X grow` and as `X's growth`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from catalyst.llm.cache.terms import ACTIONS, Term
from catalyst.llm.cache.topics import is_figure

_PAST_KINDS = frozenset(("yes", "who", "where", "what", "whose"))
_MOVING_DAYS = frozenset(("earnings date", "closing date", "effective date", "expiration date", "termination date"))
_TIED = frozenset(("before", "after", "since", "until", "by", "from", "between", "and", "end", "start"))
_COMPARED = dict.fromkeys(("more", "greater", "higher", "larger", "bigger"), "more") | dict.fromkeys(
    ("less", "fewer", "lower", "smaller"), "less"
)
_TERM, _SMALLEST = 3, 4
"""Terms in a term, and the letters of the shortest unknown word in it."""
_SHARED = frozenset(("come", "from", "derive", "generate", "own", "account for", "represent"))
_SHARES = frozenset(
    ("come", "from", "generate", "derive", "account for", "represent", "earn", "make", "up", "attribute", "to")
)
"""How a part is tied to its whole: it comes from it, is derived from it, accounts for it."""


def as_topic(kind: str, terms: list[Term], counted: Mapping[str, str]) -> tuple[str, list[Term]]:
    """Questions that ask for a topic in other words: how it performed, where it is based, how many it employs."""
    content = [term for term in terms if term.sort not in ("entity", "period")]
    texts = [term.text for term in content]
    if kind == "howmuchof":
        kind = "percent" if _SHARED & set(texts) else "howmuch"
    if kind == "percent" and any(is_figure(term) for term in terms):
        from_one = {i for i, term in enumerate(terms[:-1]) if term.text == "from" and terms[i + 1].sort == "entity"}
        kept = [term for i, term in enumerate(terms) if term.text not in _SHARES or i in from_one]
        return kind, sorted(kept, key=lambda term: term.sort != "entity" and not is_figure(term))
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


def meaning(kind: str, terms: Sequence[Term]) -> str:
    """`what is X` and `explain X` ask what X means where X is a bare term; `the X` is the one of this case."""
    if kind not in ("term-is", "term-are", "explain", "define"):
        return kind
    content = [term for term in terms if not (term.sort == "word" and term.raw.lower() in ("a", "an"))]
    bare = 0 < len(content) <= _TERM and all(
        term.sort in ("metric", "noun", "qualifier")
        or (term.sort == "word" and term.raw.isalpha())
        or (term.sort == "verb" and not term.past and term is not content[-1])
        for term in content
    )
    small = any(term.sort == "word" and len(term.raw) < _SMALLEST for term in content)
    if kind == "term-are" and any(term.topic for term in content):
        bare = False  # `what are key risks` asks for them
    if bare and not small:
        return "define"
    return "what" if kind.startswith("term") else kind


def difference(kind: str, terms: list[Term]) -> tuple[str, list[Term]]:
    """`How does A differ from B` asks what `the difference between A and B` is; the sides have no order."""
    texts = [term.text for term in terms]
    if kind == "how" and "differ" in texts and "from" in texts[texts.index("differ") :]:
        at, other = texts.index("differ"), texts.index("from", texts.index("differ"))
        if other != at + 1:
            return kind, terms
        sides = terms[:at], terms[other + 1 :]
    elif kind == "difference" and sum(text in ("and", "from") for text in texts) == 1:
        at = next(i for i, text in enumerate(texts) if text in ("and", "from"))
        sides = terms[:at], terms[at + 1 :]
    else:
        return kind, terms
    left, right = sides
    if left and all(term.sort == "qualifier" for term in left):
        left = [*left, *(term for term in right if term.sort != "qualifier")]
    first, second = sorted((left, right), key=lambda side: [term.text for term in side])
    return "difference", [*first, Term("relation", "and"), *second]


def comparison(kind: str, terms: list[Term]) -> tuple[str, list[Term]]:
    """`compare A and B` asks how A compares with B; the sides have no order where both are companies."""
    sides = [term for term in terms if term.sort == "entity"]
    rest = [
        term
        for term in terms
        if term.sort != "entity" and term.text not in ("compare", "and", "with", "to", "versus", "against")
    ]
    asked = any(term.text in ("compare", "versus") for term in terms)
    if asked and (times := _two_times(kind, terms, rest)):
        return "compare", times
    if (
        not asked
        or len(sides) != 2
        or kind not in ("", "how", "what")
        or any(term.sort not in ("metric", "qualifier", "period", "noun") for term in rest)
    ):
        return kind, terms
    metrics = [term for term in rest if term.sort == "metric"]
    if len({term.text for term in metrics}) != 1:
        return kind, terms
    rest = [term for i, term in enumerate(rest) if term.sort != "metric" or rest.index(term) == i]
    return "compare", [*sorted(sides, key=lambda term: term.text), *rest]


def _two_times(kind: str, terms: list[Term], rest: list[Term]) -> list[Term]:
    """What is compared between two periods, and these in order; empty where it is anything else."""
    periods = [term for term in rest if term.sort == "period"]
    others = [term for term in rest if term.sort != "period"]
    figures = {term.text for term in others if term.sort == "metric"}
    plain = all(term.sort in ("metric", "qualifier") for term in others)
    if kind not in ("", "how", "what") or len(periods) != 2 or len(figures) != 1 or not plain:
        return []
    bare = [replace(term, text=term.text.removeprefix("to ").removeprefix("versus ")) for term in periods]
    if any(term.text.split()[0] in _TIED for term in bare):
        return []
    once = [term for i, term in enumerate(others) if others.index(term) == i]
    companies = [term for term in terms if term.sort == "entity"]
    return [*companies, *once, *sorted(bare, key=lambda term: term.text)]


def final_kind(kind: str, terms: Sequence[Term], acts: bool, quantities: frozenset[str]) -> str:
    figures = any(term.sort == "metric" and not term.topic for term in terms)
    metric = any(term.sort == "metric" for term in terms)
    if kind in ("howmuch", "count") and figures and not acts:
        return ""
    if kind in ("what", "who") and metric and not acts:
        return ""
    if kind == "what" and not acts:
        return ""
    if kind == "howmuch" and not acts and terms and any(term.text in quantities for term in terms):
        return ""
    if kind in ("", "what") and figures and _moves(terms):
        return "howmuch"
    return kind


def _moves(terms: Sequence[Term]) -> bool:
    """Whether nothing is asked but how far a figure moved: `revenue growth`."""
    content = [term for term in terms if term.sort not in ("entity", "period", "qualifier", "word", "noun")]
    moved = len(content) == 2 and {content[0].sort, content[1].sort} == {"metric", "direction"}
    return moved and content[1].text in ("rise", "fall", "expand", "improve")


def past_verb(kind: str, terms: Sequence[Term]) -> bool:
    return kind in ("what", "who") and any(term.sort in ACTIONS and term.past for term in terms)


def tense_matters(kind: str, terms: Sequence[Term]) -> bool:
    if kind == "when":
        return True
    if any(term.sort == "period" for term in terms):
        return False
    if not kind and any(term.sort == "metric" and term.text.endswith((" date", "founder")) for term in terms):
        return recurs(terms)
    topic = any(term.sort == "metric" and term.topic for term in terms)
    figure = any(term.sort == "metric" and not term.topic for term in terms)
    return kind in _PAST_KINDS or (not kind and topic and not figure)


def whole_of(kind: str, terms: list[Term]) -> list[Term]:
    """`is A greater than B` and `is there more A than B` as `A more than B`."""
    texts = [term.text for term in terms]
    if kind != "yes" or texts.count("than") != 1:
        return terms
    at = texts.index("than")
    for word, same in _COMPARED.items():
        if texts[at - 1] == word:
            return [*terms[: at - 1], Term("relation", same), *terms[at:]]
        if at > 1 and texts[at - 2] == word and same == word:
            return [*terms[: at - 2], terms[at - 1], Term("relation", same), *terms[at:]]
    return terms


def recurs(terms: Sequence[Term]) -> bool:
    """Whether a day is asked for that comes again, or that may yet be moved."""
    return any(term.sort == "metric" and term.text in _MOVING_DAYS for term in terms)


def upcoming(terms: list[Term]) -> list[Term]:
    """When earnings are reported, asked in the present without a period, is when they are next."""
    if any(term.sort == "period" for term in terms):
        return terms
    return [replace(term, text="next earnings date") if term.text == "earnings date" else term for term in terms]
