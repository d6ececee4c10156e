"""Figures that only sentences tell: dividends declared, and results where no table could be read.

A sentence counts when it gives the number to the figure itself ("revenue of $1.2 billion"), for the release's own
period. Where sentences differ, nothing is given. Start with `told`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from catalyst.filings.forms.earnings.names import Basis
from catalyst.filings.forms.earnings.passages import Passage
from catalyst.filings.forms.earnings.terms import Said, mentions

_N = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,12}(?:\.\d+)?|\.\d+"
_AMOUNT = rf"[$€£]\s?(?P<open>\()?(?P<digits>{_N})\)?(?:\s?(?P<scale>billion|million|thousand|bn|mm|b|m)\b)?"
_GIVES = re.compile(
    r"(?:\s?\([^)]{1,40}\))?(?:\s(?:for|in) (?:the|its|"
    r"our) (?:\w+[ -]){0,3}quarter(?: of)?(?: fiscal)?(?: year)?(?: \d{4})?(?: ended \w+ \d{1,2}, \d{4})?,?)?"
    r"\s?(?:of|was|were|totaled|totalled|is|reached|came in at|:|(?:increased|decreased|grew|rose|declined|"
    r"improved|fell)(?: by)?(?: \d[\d.]*\s?(?:%|percent))?(?: year[- ]over[- ]year)? to)"
    rf"\s(?:an? |new |record |all-time |approximately |about |nearly |over )*{_AMOUNT}",
    re.IGNORECASE,
)
_PER_SHARE = re.compile(
    rf"{_AMOUNT}\s(?:in )?(?:earnings )?per (?P<kind>(?:diluted |basic |common |fully diluted )*)share", re.IGNORECASE
)
_LONGER = re.compile(
    r"\b(?:six|nine|twelve|6|9|12)[ -]months?\b|\byear[- ]to[- ]date\b|\bfull[- ]year\b|\bfiscal year\b|"
    r"\bfor the year\b|\byear ended\b|\b(?:26|39|52|53)[ -]weeks?\b|"
    r"\bfirst half\b|\bannual\b|\btrailing\b|\bpro ?forma\b|\bexcluding\b|\bguidance\b|\boutlook\b|\bexpect|"
    r"\banticipat|\brange\b|\bwould have\b|\bincluded\b",
    re.IGNORECASE,
)
_QUARTER = re.compile(r"\bquarter\b|\bthree months\b|\bq[1-4]\b|\b[1-4]q\d", re.IGNORECASE)
_DECLARED = re.compile(
    r"\b(?:declar\w+|approv\w+|authori[sz]ed|announc\w+|will pay|next quarterly|payable)\b", re.IGNORECASE
)
_PAID = re.compile(r"\b(?:was|were) paid\b|\bquarterly (?:cash )?dividend\b", re.IGNORECASE)
_DIVIDEND = re.compile(
    rf"dividends?\b(?:[^$;.]|\.(?=\d)){{0,120}}?\$\s?(?P<a>{_N})(?=(?:\s(?:cents )?(?:per|a|on each|for each)\s|"
    rf"\s?\(|,|\s(?:payable|to be|representing|is|will|was)|[.;]|$))|"
    rf"\$\s?(?P<b>{_N})[ -]per[ -](?:common )?share (?:quarterly |cash |regular )*dividend",
    re.IGNORECASE,
)
_NOT_COMMON = re.compile(
    r"\bpreferred\b|\bdepositary\b|\bdividend equivalents?\b|\bpreference\b|\bspecial\b", re.IGNORECASE
)
_COMPARED = re.compile(
    r"\b(?:compar\w+|versus|vs\.?|against|up from|down from|previously)\b|"
    r"\bfrom (?:the |a )?(?:year|prior|previous|first|second|third|fourth|same|\$|20\d\d)",
    re.IGNORECASE,
)
_FIRST = 15
"""How many sentences with money are read: the results stand first, segments and notes follow."""
_POWERS = {"billion": 9, "bn": 9, "b": 9, "million": 6, "mm": 6, "m": 6, "thousand": 3, "": 0}
_MOST_DIVIDEND = Decimal(500)
_LEAST_MONEY = Decimal(10_000)
_MOST_SENTENCES = 400
_CASH = re.compile(
    r"\b(?<!restricted )cash and cash equivalents (?:balance )?(?:was|were|totaled|totalled|of) (?:approximately )?"
    rf"{_AMOUNT}"
    r"[^.;]{0,40}?\b(?:as of|at) (?:the end of|[A-Z][a-z]+ \d{1,2}|quarter[- ]end|year[- ]end)",
    re.IGNORECASE,
)
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Told:
    """One figure from a sentence; `basis` is gaap or non_gaap."""

    name: str
    basis: Basis
    value: Decimal
    quote: str


def told(sentences: Iterable[Passage], annual: bool = False) -> dict[Key, Told]:
    """The figures on which all sentences that tell them agree. `annual`: the release is about a year, not a quarter."""
    rivals: dict[Key, list[Told]] = defaultdict(list)
    telling = (passage for passage in sentences if any(sign in passage.text for sign in "$€£"))
    for passage in islice(telling, _FIRST):
        if annual or not (_LONGER.search(passage.text) or _is_longer(passage) or _is_bare_year(passage)):
            for item in _figures(passage.text):
                rivals[item.name, item.basis].append(item)
    return {key: items[0] for key, items in rivals.items() if len({item.value for item in items}) == 1}


def _is_bare_year(passage: Passage) -> bool:
    """ "2021 net income of $2.3 billion": a year without a quarter is the year's."""
    said = f"{passage.heading} {passage.text}"
    return re.search(r"(?<!, )\b20\d\d\b", passage.text) is not None and not _QUARTER.search(said)


def _is_longer(passage: Passage) -> bool:
    """Whether a sentence stands under a heading such as "Full Year 2025"."""
    return bool(_LONGER.search(passage.heading)) and not _QUARTER.search(passage.heading)


def dividend(sentences: Iterable[Passage]) -> tuple[Told | None, bool]:
    """The dividend per common share that is declared, and whether sentences differ on it."""
    declared: list[Told] = []
    for passage in sentences:
        if (
            "ividend" not in passage.text
            or _NOT_COMMON.search(passage.text)
            or not (_DECLARED.search(passage.text) or _PAID.search(passage.text))
        ):
            continue
        found = _DIVIDEND.search(passage.text)
        value = Decimal((found["a"] or found["b"]).replace(",", "")) if found else None
        if (
            value is not None
            and 0 < value < _MOST_DIVIDEND
            and _DIVIDEND.search(passage.text, found.end() if found else 0) is None
        ):
            declared.append(Told("dividend_per_share", "gaap", value, passage.text))
    firm = [item for item in declared if _DECLARED.search(item.quote)] or declared
    values = {item.value for item in firm}
    return (firm[0], False) if len(values) == 1 else (None, len(values) > 1)


def cash(sentences: Iterable[Passage]) -> Told | None:
    """Cash and cash equivalents as of a day, where all sentences that tell it agree; investments are not counted in."""
    found: list[Told] = []
    for passage in islice(sentences, _MOST_SENTENCES):
        said = _CASH.search(passage.text)
        if said and (said["scale"] or "," in said["digits"]):
            power = _POWERS[(said["scale"] or "").lower()]
            value = Decimal(said["digits"].replace(",", "")).scaleb(power)
            found.append(Told("cash", "gaap", Decimal(f"{value:f}"), passage.text))
    return found[0] if found and len({item.value for item in found}) == 1 else None


def _figures(sentence: str) -> Iterator[Told]:
    named = list(mentions(sentence))
    for index, said in enumerate(named):
        item = _given(sentence, said) if said.name != "other" else None
        if item:
            yield item
            if item.name == "net_income" and index + 1 < len(named):
                yield from _share_of(sentence, said, item)


def _given(sentence: str, said: Said) -> Told | None:
    """The number that stands right behind a figure's name."""
    found = _GIVES.match(sentence, said.end)
    if found is None or _COMPARED.search(sentence[: said.start]):
        return None
    value = _value(found, said)
    if value is None:
        return None
    basis: Basis = "non_gaap" if said.adjusted or said.name == "ebitda" else "gaap"
    name = {"ebitda": "ebitda_adjusted", "eps": "eps_diluted"}.get(said.name, said.name)
    if said.name == "eps" and not (
        re.search("dilut", sentence[said.start - 25 if said.start > 25 else 0 : said.end], re.I) or said.adjusted
    ):
        return None
    if basis == "non_gaap" and name == "revenue":
        return None
    return Told(name, basis, value, sentence)


def _value(found: re.Match[str], said: Said) -> Decimal | None:
    value = Decimal(found["digits"].replace(",", "")).scaleb(_POWERS[(found["scale"] or "").lower()])
    value = -value if found["open"] or said.loss else value
    if said.name == "eps":
        return None if found["scale"] or abs(value) > 1_000 else value
    return Decimal(f"{value:f}") if abs(value) >= _LEAST_MONEY else None


def _share_of(sentence: str, said: Said, income: Told) -> Iterator[Told]:
    """`net loss of $69.6 million, or $0.51 per diluted share`: the first number per share behind it."""
    found = _PER_SHARE.search(sentence, said.end, said.end + 110)
    if (
        found is None
        or "dilut" not in found["kind"].lower()
        or re.search(r"compared|versus|from\b", sentence[said.end : found.start()])
    ):
        return
    value = Decimal(found["digits"])
    negative = found["open"] or (income.value < 0 and value > 0)
    yield Told("eps_diluted", income.basis, -value if negative else value, sentence)
