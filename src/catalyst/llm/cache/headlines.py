"""What a headline tells, whichever wire carries it: `Headlines` takes off what wires add, and spells the rest one way."""  # noqa: E501

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from catalyst.llm.cache.lexicon import fold
from catalyst.llm.cache.terms import Sort, Term

_TAG = re.compile(
    r"\s*[(\[](?:(?:NYSE(?:\s(?:American|Arca|MKT))?|NASDAQ(?:GS|GM|CM)?|AMEX|OTC(?:QB|QX|MKTS)?|TSXV?|LSE|CSE|CBOE)\s?:\s?)?"
    r"(?P<tag>\$?[A-Z]{1,5}(?:[.-][A-Z])?)(?:[.:][A-Z]{1,2})?[)\]]|\s+(?P<cash>\$[A-Z]{1,5})(?=\s*$)|^(?P<lead>\$?[A-Z]{2,5})\s?[:\-]\s"
)
_SAYS = re.compile(
    r"^(?P<what>.{10,}), (?P<who>[A-Z][^,]+(?:, (?:Inc|Ltd|Corp|LLC)\.?)?(?: \([^)]*\))?) (?:says|said|announces|reports)$",  # noqa: E501
    re.IGNORECASE,
)
_COMMA_LEGAL = re.compile(r",\s(?:Inc|Ltd|Corp|LLC)\b\.?", re.IGNORECASE)
_CUT = re.compile(r"\s*(?:\.{2,}|…)\s*$")
_DATELINE = re.compile(r"^[A-Z][A-Za-z. ]+,\s(?:[A-Z][a-z.]+\s\d{1,2}(?:,\s\d{4})?)\s(?:\([^)]{2,30}\)\s)?-+\s")


class Headlines:
    """The lists under `[headline]` of `words.toml`."""

    def __init__(self, lists: Mapping[str, Any]) -> None:
        words = lists["headline"]
        sources = "|".join(sorted(map(re.escape, words["sources"]), key=len, reverse=True))
        prefixes = "|".join((*words["prefixes"], sources))
        self._prefix = re.compile(
            rf"^[*\s]*(?:(?:{prefixes})\s?(?::|-+|\|)\s*|\((?:{sources})\)\s*-*\s*)", re.IGNORECASE
        )
        self._suffix = re.compile(rf"\s+(?:(?:-+|\||by|via)\s*(?:{sources})|\((?:{sources})\))\s*$", re.IGNORECASE)
        self._legal = frozenset(words["legal"])
        self._dropped = frozenset(words["dropped"])
        small = lists["words"]
        self._negations: dict[str, str] = small["negations"]
        self._relations = frozenset(small["relations"])

    def bare(self, text: str) -> tuple[str, list[str], bool]:
        """The headline alone, the tickers it was tagged with, and whether it was cut."""
        cut = bool(_CUT.search(text))
        text = _DATELINE.sub("", _CUT.sub("", text))
        text = _COMMA_LEGAL.sub("", text)
        for _ in range(4):
            shorter = self._suffix.sub("", self._prefix.sub("", text))
            if shorter == text or not shorter:
                break
            text = shorter
        text = _SAYS.sub(r"\g<who> \g<what>", text)
        tags = [next(filter(None, found.groups())).lstrip("$") for found in _TAG.finditer(text)]
        return _TAG.sub("", text).strip(" *-"), tags, cut

    def without_legal(self, terms: Sequence[Term]) -> list[Term]:
        """The terms without `Inc.` and its like behind a name."""
        return [
            term
            for i, term in enumerate(terms)
            if not (i and term.sort == "word" and term.raw[:1].isupper() and term.raw.lower() in self._legal)
        ]

    def build(self, told: Sequence[Term], tags: Sequence[str]) -> list[Term]:
        """The canonical terms: the words as they stand, a single period last, then tags of unknown companies."""
        pairs = zip(told, [*told[1:], Term("bar", "")], strict=False)
        terms = [_future(term) for raw, after in pairs if (term := self._term(raw, after)) is not None]
        periods = [term for term in terms if term.sort == "period"]
        if len(periods) == 1:
            terms = [*(term for term in terms if term.sort != "period"), *periods]
        known = {term.text for term in terms if term.sort == "entity"}
        unknown = [Term("tag", f"tag:{tag}") for tag in dict.fromkeys(tags) if f"${tag}" not in known]
        if any(term.text == "job" for term in terms):
            terms = [replace(term, text="lay off") if term.text == "lower" else term for term in terms]
        return [Term("marker", "~headline"), *terms, *unknown]

    def _term(self, term: Term, after: Term) -> Term | None:
        if term.sort in ("possessive", "bar", "marker"):
            return None
        if term.sort != "word":
            return term
        word = term.raw.lower()
        if word in self._negations:
            return Term("negation", self._negations[word])
        if word in self._dropped or word == "&":
            return None
        if word in ("will", "to"):
            return Term("relation", "to" if after.sort == "number" else "will")
        if word == "by" and after.sort == "number":
            return None
        sort: Sort = "relation" if word in self._relations else "word"
        return Term(sort, fold(word), term.raw)


def _future(term: Term) -> Term:
    """`to buy`, `will buy` and `agrees to buy` tell of one deal to come."""
    return Term("relation", "will") if term.sort == "verb" and term.text in ("agree to",) else term
