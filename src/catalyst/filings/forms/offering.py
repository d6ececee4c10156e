"""S-1, S-3, F-1, F-3 and 424B: what is offered, how much of it, at which price, as the cover says.

Only plain statements of the cover page are taken, each at most once and each with its sentence: a wrong size is worse
than none. Where two statements of one kind disagree, neither is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from catalyst.filings.forms.parts import basis, fact, main_text, quoted
from catalyst.filings.types import Parsed, Submission
from catalyst.stream.types import Fact

_COVER_CHARACTERS = 30_000
_COVER_END = re.compile(r"^[ \t|]{0,20}(?:table of contents|about this prospectus)\b", re.IGNORECASE | re.MULTILINE)
_MONEY = r"(?:US)?\$[ \t]?(?P<value>\d[\d,]{0,18}(?:\.\d{1,6})?)(?:[ \t]?(?P<scale>million|billion))?(?![\d,]*\d)"
_COUNT = r"(?P<value>\d{1,3}(?:,\d{3})+|\d{4,12})"
_SIZE = (
    re.compile(
        rf"^[ \t]{{0,10}}(?:up to[ \t]+)?{_MONEY}(?:[ \t]+of)?"
        r"(?:[ \t]+(?:aggregate principal amount|shares|common|class|ordinary|american|\d|senior|subordinated|"
        r"convertible|floating|fixed|notes|preferred|debt)[^\n]{0,120})?[ \t]*$",
        re.IGNORECASE | re.MULTILINE,
    ),
    re.compile(
        r"(?:aggregate|maximum|total)[ \t]+(?:gross[ \t]+)?(?:sales|offering)[ \t]+price[ \t]+of[ \t]+"
        rf"(?:up[ \t]+to[ \t]+)?{_MONEY}",
        re.IGNORECASE,
    ),
)
_SHARES = (
    re.compile(
        rf"^[ \t]{{0,10}}(?:up to[ \t]+)?{_COUNT}[ \t]+(?:shares|ordinary shares|american depositary shares|units|ADSs)"
        r"(?:[ \t]+of[ \t]+(?:our[ \t]+)?(?:class [a-c][ \t]+)?(?:common|ordinary|preferred)[^\n]{0,60})?[ \t]*$",
        re.IGNORECASE | re.MULTILINE,
    ),
    re.compile(rf"we[ \t]+are[ \t]+offering[ \t]+(?:up[ \t]+to[ \t]+)?{_COUNT}[ \t]+shares\b", re.IGNORECASE),
)
_PRICE = (
    re.compile(
        r"(?:public|combined|initial public)?[ \t]*offering[ \t]+price[^.;$\n]{0,80}?"
        rf"(?:of|is|will[ \t]+be)[ \t]+{_MONEY}(?:[ \t]+per[ \t]+(?:share|unit|ADS))?",
        re.IGNORECASE,
    ),
    re.compile(
        rf"purchase[ \t]+price[ \t]+of[ \t]+each[ \t]+share[^.;$\n]{{0,200}}?[ \t]is[ \t]+{_MONEY}", re.IGNORECASE
    ),
)
_LAST_PRICE = re.compile(
    r"(?:last[ \t]+reported|last[ \t]+quoted|closing)[ \t]+(?:sale[ \t]+|sales[ \t]+)?price"
    rf"[^$\n]{{0,200}}?\b(?:was|is|of)[ \t]+{_MONEY}",
    re.IGNORECASE,
)
_ASSUMED = re.compile(r"\b(?:assum|between|last reported|last quoted|closing|range)", re.IGNORECASE)
_AT_MARKET = re.compile(r"at[ -]the[ -]market[”\"]?[ -](?:offering|issuance|equity|sales)", re.IGNORECASE)
_DEBT = re.compile(r"\b(?:notes?[ \t]+due|debentures?|senior[ \t]+notes?|principal[ \t]+amount)\b", re.IGNORECASE)
_STOCK = re.compile(r"\b(?:common[ \t]+(?:stock|shares?)|(?:ordinary|depositary)[ \t]+shares?)\b", re.IGNORECASE)
_SCALES = {"million": Decimal(1_000_000), "billion": Decimal(1_000_000_000), "": Decimal(1)}
_LEAST_SIZE = Decimal(10_000)


def parse(submission: Submission, form: str = "") -> Parsed:
    """The text, and the offering's terms as the cover states them."""
    parsed = basis(submission, form, "offering", main_text(submission))
    return replace(parsed, facts=tuple(_facts(_cover(parsed.text))))


def _cover(text: str) -> str:
    """Up to the table of contents that follows the prospectus's cover; a link to it may stand at the very top."""
    start = min(len(text), 1_500)
    found = _COVER_END.search(text, start, _COVER_CHARACTERS)
    return text[: found.start() if found else _COVER_CHARACTERS]


def _facts(cover: str) -> Iterator[Fact]:
    kinds = (
        ("offering_size", _SIZE, "USD"),
        ("offering_shares", _SHARES, "shares"),
        ("offering_price", _PRICE, "USD/share"),
        ("last_price", (_LAST_PRICE,), "USD/share"),
    )
    for name, patterns, unit in kinds:
        found = _agreed(cover, patterns, name)
        if found:
            value, quote = found
            yield fact(name, value, unit=unit, scope="current", quote=quote, verified=True)
    yield from _terms(cover)


def _agreed(cover: str, patterns: tuple[re.Pattern[str], ...], name: str) -> tuple[Decimal, str] | None:
    """The value that the cover states; None when it states two. The first pattern that is met decides."""
    for pattern in patterns:
        stated: dict[Decimal, str] = {}
        for found in pattern.finditer(cover):
            value = _value(found)
            if value is None or not _plausible(name, value, found[0]):
                continue
            stated.setdefault(value, quoted(found[0]))
        if stated:
            return next(iter(stated.items())) if len(stated) == 1 else None
    return None


def _value(found: re.Match[str]) -> Decimal | None:
    try:
        number = Decimal(found["value"].replace(",", ""))
    except InvalidOperation:
        return None
    scale = (found.groupdict().get("scale") or "").lower()
    return Decimal(f"{number * _SCALES[scale]:f}")


def _plausible(name: str, value: Decimal, words: str) -> bool:
    if name == "offering_size":
        return value >= _LEAST_SIZE
    if name == "offering_price":
        return not _ASSUMED.search(words) and Decimal(0) < value < _LEAST_SIZE
    return value > 0


def _terms(cover: str) -> Iterator[Fact]:
    market = _AT_MARKET.search(cover)
    if market:
        yield fact("offering_kind", "at the market", quote=quoted(market[0]), verified=True)
    head = cover[:4_000]
    debt, stock = _DEBT.search(head), _STOCK.search(head)
    if bool(debt) != bool(stock):
        kind, found = ("debt", debt) if debt else ("equity", stock)
        yield fact("security_kind", kind, quote=quoted(found[0] if found else ""), verified=True)
