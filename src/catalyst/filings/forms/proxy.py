"""Proxies, tender offers, going-private statements: meeting and proposals, price and deadline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import islice

from catalyst.filings.forms.deal import COUNT, MONEY, agreed, around, number
from catalyst.filings.forms.parts import basis, fact, main_text, quoted, releases
from catalyst.filings.forms.sentences import sentences
from catalyst.filings.types import Parsed, Submission
from catalyst.stream.types import Fact

_READ = 40_000
_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DATE = rf"(?P<month>{_MONTH}) (?P<day>\d{{1,2}}),? (?P<year>20\d\d)"
_MEETING = re.compile(
    rf"\b(?P<kind>annual|special|extraordinary)(?: general)? meeting\b[^;]{{0,260}}?\b(?:held|on|convened?|"
    rf"virtually)\b[^;]{{0,120}}?{_DATE}",
    re.IGNORECASE,
)
_DATE_ROW = re.compile(
    rf"^[\s|]{{0,8}}(?:meeting )?(?:date|date and time|when|time and date)\b[\s|:]{{0,8}}[^\n]{{0,60}}?{_DATE}",
    re.IGNORECASE | re.MULTILINE,
)
_RECORD = re.compile(
    rf"\brecord date\b[^.;]{{0,80}}?{_DATE}|\bof record\b[^;]{{0,120}}?{_DATE.replace('P<', 'P<b_')}", re.IGNORECASE
)
_PROPOSAL = re.compile(
    r"^[ \t|]{0,8}(?:proposal (?:no\. ?|number )?(?P<number>\d{1,2}|one|two|three|four|five|six|seven|eight)|"
    r"\(?(?P<listed>\d{1,2})[.)])[ \t|:.–—-]{0,8}"
    r"(?P<what>(?:to |the |an? |advisory|election|approv|ratif|elect|adopt|amend|stockholder|"
    r"shareholder)[^\n|]{8,300})",
    re.IGNORECASE | re.MULTILINE,
)
_VOTES = re.compile(
    r"\b(?:elect\w*|ratif\w+|approv\w+|adopt\w*|amend\w*|advisory|authori[sz]\w+|vote|merger|reverse (?:stock "
    r")?split|consider)\b",
    re.IGNORECASE,
)
_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}
_MOST_PROPOSALS = 12
_OFFER_PRICE = re.compile(
    rf"\b(?:at a (?:purchase )?price (?:per share )?of|offer price of|right to receive|purchase price of|in "
    rf"exchange for|price (?:per share )?of) {MONEY}"
    r"(?:[ \t](?:in cash,? )?(?:per|for each|a)[ \t](?:\w+[ \t]){0,3}(?:share|ADS|unit)|[ \t]in cash|,? net to the)",
    re.IGNORECASE,
)
_SOUGHT = re.compile(
    rf"\b(?:offer|offering|tender offer)\b[^;]{{0,80}}?\bto purchase (?:up to |an aggregate of )*{COUNT} (?:of "
    rf"its |of the )?(?:outstanding )?(?:shares|units)",
    re.IGNORECASE,
)
_ALL = re.compile(
    r"\boffer\b[^;]{0,80}?\bto purchase (?:any and )?all\b[^;]{0,60}?\b(?:outstanding|issued)\b", re.IGNORECASE
)
_EXPIRES = re.compile(rf"\b(?:expir\w+|withdrawal rights)\b[^;]{{0,160}}?\b{_DATE}", re.IGNORECASE)


def meeting(submission: Submission, form: str = "") -> Parsed:
    """DEF 14A and PRE 14A: when holders meet, who may vote, on what."""
    parsed = basis(submission, form, "generic", main_text(submission))
    return replace(parsed, facts=tuple(_meeting_facts(parsed.text[:_READ])), exhibits=releases(submission))


def tender(submission: Submission, form: str = "") -> Parsed:
    """SC TO and SC 13E-3: the price offered, the shares sought, the deadline."""
    parsed = basis(submission, form, "generic", main_text(submission))
    exhibits = releases(submission)
    said = list(islice(sentences(parsed.text, 2 * _READ), 400))
    return replace(parsed, facts=tuple(_tender_facts(said)), exhibits=exhibits)


def _meeting_facts(text: str) -> Iterator[Fact]:
    said = list(islice(sentences(text), 400))
    found = next(((one, hit) for one in said if (hit := _MEETING.search(one))), None)
    row = _DATE_ROW.search(text)
    if found:
        one, hit = found
        yield fact(
            "meeting_date", _day(hit), period=_day(hit), quote=quoted(one if len(one) <= 400 else hit[0]), verified=True
        )
        yield fact("meeting_kind", hit["kind"].lower(), quote=quoted(hit[0]), verified=True)
    elif row:
        yield fact("meeting_date", _day(row), period=_day(row), quote=quoted(row[0]), verified=True)
    record = next((hit for one in said if (hit := _RECORD.search(one))), None)
    if record:
        day = _day(record)
        yield fact("record_date", day, period=day, quote=quoted(record[0]), verified=True)
    yield from _proposals(text)


def _proposals(text: str) -> Iterator[Fact]:
    """Numbered from 1 without a gap, each once: the first list of them that has more than one, or names proposals."""
    told: dict[int, str] = {}
    for found in _PROPOSAL.finditer(text):
        shown = found["number"] or found["listed"]
        place = int(shown) if shown.isdigit() else _WORDS[shown.lower()]
        if place == len(told) + 1 and _VOTES.search(found["what"]):
            told[place] = quoted(found["what"]).rstrip(" ;,.").removesuffix(" and").rstrip(" ;,.")
    for place, what in list(told.items())[:_MOST_PROPOSALS]:
        yield fact(f"proposal_{place}", what, quote=what, verified=True)


def _tender_facts(said: list[str]) -> Iterator[Fact]:
    yield from agreed("offer_price", "USD/share", _stated(_OFFER_PRICE, said))
    yield from agreed("shares_sought", "shares", _stated(_SOUGHT, said))
    every = next((one for one in said if _ALL.search(one)), "")
    if every:
        yield fact("shares_sought_all", "all outstanding", quote=quoted(every), verified=True)
    expiring = next(((one, hit) for one in said if (hit := _EXPIRES.search(one))), None)
    if expiring:
        day = _day(expiring[1])
        yield fact("offer_expires", day, period=day, quote=quoted(expiring[1][0]), verified=True)


def _stated(pattern: re.Pattern[str], said: list[str]) -> Iterator[tuple[Decimal, str]]:
    for one in said:
        for found in pattern.finditer(one):
            value = number(found)
            if value:
                yield value, around(one, *found.span())


def _day(found: re.Match[str]) -> str:
    groups = found.groupdict()
    prefix = "" if groups.get("month") else "b_"
    month, day, year = (groups[f"{prefix}{name}"] for name in ("month", "day", "year"))
    return f"{year}-{_MONTHS.index(month.capitalize()) + 1:02d}-{int(day):02d}"
