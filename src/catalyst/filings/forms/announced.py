"""Offerings that an 8-K tells of: in its press release, or in items 1.01 to 8.01. Start with `announced`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from catalyst.filings.forms.deal import terms
from catalyst.filings.forms.deal_kind import banks, kind_of, security_of, stage_of
from catalyst.filings.forms.sentences import sentences
from catalyst.filings.types import Exhibit, ItemText
from catalyst.stream.types import Fact

_ITEMS = ("1.01", "3.02", "7.01", "8.01", "5")
_READ = 9_000
"""Characters of a release or an item: terms stand first."""
_LEAD = 3
"""Sentences and title lines in which a release says what it announces."""
_MOST = 40
_OFFERING = (
    r"(?:offering|private placement|registered direct|at-the-market|at the market|notes|debentures|PIPE|financing)"
)
_TELLS = re.compile(
    r"\b(?:pric(?:ing|es|ed)|propos\w+|clos(?:ing|es|ed)|complet(?:ion|es|ed)|commenc\w+|launch\w*|upsiz\w+|"
    r"terminat\w+|"
    r"withdr[ae]w\w*|announc\w+)\b[^;]{0,160}?"
    rf"\b(?:public |underwritten |direct |private |registered |equity |notes? |common stock |share |ADS "
    rf")*{_OFFERING}\b",
    re.IGNORECASE,
)
_AGREED = re.compile(
    r"\b(?:entered into|executed|priced|closed|completed|consummated|commenced)\b[^;]{0,220}?"
    r"\b(?:underwriting agreement|securities purchase agreement|placement agen(?:cy|t) agreement|sales agreement|"
    r"equity distribution agreement|subscription agreement|(?:public|direct|private|underwritten) (?:offering|"
    r"placement)|"
    r"offering of (?:[\d,$]+|its|common|shares))",
    re.IGNORECASE,
)
_SELLS = re.compile(r"\b(?:offering|placement|issu\w+|sell|sale|sold|underwrit\w+|offer and sell)\b", re.IGNORECASE)
_NOT_OFFERING = re.compile(
    r"\b(?:third|second|first|fourth|quarter|fiscal|annual) (?:quarter|year|results)|\bfinancial results\b|"
    r"tender offer|exchange offer|"
    r"\bacquisition of\b[^.]{0,80}\bcompleted\b|product offering|service offering|stock repurchase|redemption of",
    re.IGNORECASE,
)
_PARTIES = re.compile(r"\b(?:amend(?:ed|ment)|credit agreement|merger agreement|asset purchase)\b", re.IGNORECASE)


def announced(items: Sequence[ItemText], exhibits: Sequence[Exhibit]) -> tuple[Fact, ...]:
    """The terms of the offering that a filing announces; empty where it announces none.

    The release tells first; the item's own text adds what the release leaves out.
    """
    found: dict[str, list[Fact]] = {}
    for text, told in _texts(items, exhibits):
        for name, facts in _by_name(_told(text, told)).items():
            found.setdefault(name, facts)
    if _is_priced(found):
        found["offering_stage"] = [found["offering_stage"][0].model_copy(
            update={"value": "priced", "quote": found["offering_price"][0].quote}
        )]  # fmt: skip
    terms_known = found.keys() - {"offering_stage", "offering_kind", "security_kind", "underwriter", "use_of_proceeds"}
    return tuple(fact for facts in found.values() for fact in facts) if terms_known else ()


def _is_priced(found: dict[str, list[Fact]]) -> bool:
    """Whether what is merely announced has its price already: agreed with the buyers."""
    stage = found.get("offering_stage")
    return bool(stage and stage[0].value == "announced" and found.get("offering_price"))


def _texts(items: Sequence[ItemText], exhibits: Sequence[Exhibit]) -> Iterator[tuple[list[str], list[str]]]:
    """The sentences of each text that announces an offering, and those of them that say how far along it is."""
    for exhibit in exhibits:
        said = list(islice(sentences(exhibit.text, _READ), _MOST))
        title = [one for one in said[:12] if _TELLS.search(one) and not _NOT_OFFERING.search(one)][:_LEAD]
        if title:
            yield said, title
    for item in items:
        if item.code not in _ITEMS:
            continue
        said = list(islice(sentences(item.text, _READ), _MOST))
        start = next((place for place, one in enumerate(said) if _agrees(one)), None)
        if start is not None:
            yield said[start:], said[start : start + 2 * _LEAD]


def _agrees(said: str) -> bool:
    return bool(_AGREED.search(said) and _SELLS.search(said)) and not (
        _PARTIES.search(said) or _NOT_OFFERING.search(said)
    )


def _told(said: list[str], title: list[str]) -> Iterator[Fact]:
    head = "\n".join([*title, *said[:8]])
    yield from terms(said)
    yield from stage_of(title)
    yield from kind_of(head)
    yield from security_of("\n".join(title))
    yield from banks(said)


def _by_name(facts: Iterator[Fact]) -> dict[str, list[Fact]]:
    found: dict[str, list[Fact]] = {}
    for fact in facts:
        found.setdefault(fact.name, []).append(fact)
    return found
