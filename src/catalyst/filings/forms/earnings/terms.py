"""What sentences call figures, with the words around them that change their meaning. Start with `mentions`.

A segment's or a product's revenue is none of the company's: only words that leave the whole in place may stand before
"revenue".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_MENTION = re.compile(
    r"(?P<eps>(?:net )?(?:earnings|income|loss|profit)(?: \(loss\))? per (?:common |ordinary |diluted |basic |"
    r"fully diluted )*share|"
    r"\bE\.?P\.?S\b\.?|\bper (?:common |ordinary |diluted |basic |fully diluted )+share|\bper share\b|\ba share\b)|"
    r"(?P<ebitda>\badjusted ebitdax?\b)|"
    r"(?P<revenue>\b(?:revenues?|net sales|sales)\b(?! (?:and marketing|tax|force|team|price|volume|growth|mix|"
    r"cycle|representative)|[- ](?:ex\b|excluding|based|generating)))|"
    r"(?P<net_income>\bnet (?:income|earnings|loss|profit)(?: \(loss\))?)|"
    r"(?P<other>gross (?:margin|profit)|operating (?:income|expenses?|loss|profit|margin|cash)|"
    r"income from operations|ebitda|tax rate|"
    r"capital expenditures?|capex|free cash flow|cash flow|(?:other|interest) (?:income|expense)|expenses?|"
    r"costs?|charges?|backlog|bookings|"
    r"dividends?|proceeds|repurchase|buyback|shares outstanding|share count|savings|depreciation|amortization|"
    r"spending|investment|margins?|"
    r"book value|guests|units|stores|arr\b|billings|loans|deposits|assets|debt|liquidity|cash\b|synerg)",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"([\w'’.&%-]+)\s+$")
_WHOLE = frozenset(
    [
        "total",
        "net",
        "consolidated",
        "quarterly",
        "annual",
        "our",
        "its",
        "the",
        "that",
        "of",
        "expects",
        "expect",
        "expecting",
        "anticipates",
        "anticipate",
        "targets",
        "target",
        "targeting",
        "full-year",
        "year",
        "quarter",
        "fiscal",
        "company's",
        "company’s",
        "and",
        "for",
        "gaap",
        "operating",
        "in",
        "overall",
        "reported",
        "with",
        "projects",
        "projected",
        "estimates",
        "estimated",
        "reports",
        "record",
        "generated",
        "posted",
        "delivered",
        "achieved",
        "on",
        "forecasts",
        "forecast",
        "to",
        "first-quarter",
        "second-quarter",
        "third-quarter",
        "fourth-quarter",
        "full",
        "worldwide",
        "corporate",
        "announced",
        "sees",
        "as",
        "results",
        "increased",
        "by",
        "recorded",
        "had",
        "overall,",
        "a",
        "driven",
        "quarter,",
        "period",
        "results:",
        "highlights:",
        "where",
        "strong",
        "expected",
        "preliminary",
        "company",
        "group",
    ]
)
_YEAR = re.compile(r"(?:fy|q[1-4]|[1-4]q)?['’]?(?:20)?\d\d\Z|q[1-4]\Z", re.IGNORECASE)
_ADJUSTED = re.compile(
    r"\b(?:adjusted|non-?gaap|pro ?forma|core|underlying|normalized)\b(?![^.;]{0,60}\bgaap (?:net|diluted|earnings))",
    re.IGNORECASE,
)
_GAAP = re.compile(r"(?<!non-)(?<!non )\bgaap\b", re.IGNORECASE)
_NEAR = 60


@dataclass(frozen=True, slots=True)
class Said:
    """One figure named in a sentence. `other` names what we don't tell of, so that its numbers stay its own."""

    name: str
    start: int
    end: int
    adjusted: bool
    loss: bool


def mentions(sentence: str) -> Iterator[Said]:
    """The figures that a sentence names, left to right."""
    for found in _MENTION.finditer(sentence):
        name = found.lastgroup or "other"
        if name == "revenue" and not _is_whole(sentence, found.start()):
            name = "other"
        start = found.start()
        yield Said(name, start, found.end(), _is_adjusted(sentence, start), "loss" in found.group().lower())


def _is_whole(sentence: str, at: int) -> bool:
    """Whether the words before "revenue" leave it the whole company's: "total revenue", "Q3 2025 revenue"."""
    before = _BEFORE.search(sentence, max(0, at - 40), at)
    if before is None:
        return at == 0 or sentence[:at].rstrip()[-1:] in ("", "•", "-", "–", "—", "“", '"', "(", ":", ",", ";", ".")
    word = before[1].lower().rstrip(",")
    if word == "net" or word == "total":
        return _is_whole(sentence, before.start()) if before.start() > at - 40 else True
    return word in _WHOLE or _YEAR.match(word) is not None


def _is_adjusted(sentence: str, at: int) -> bool:
    """Whether the nearest word on the basis says adjusted."""
    near = sentence[max(0, at - _NEAR) : at]
    adjusted = [found.start() for found in _ADJUSTED.finditer(near)]
    gaap = [found.start() for found in _GAAP.finditer(near)]
    return bool(adjusted) and (not gaap or max(adjusted) > max(gaap))
