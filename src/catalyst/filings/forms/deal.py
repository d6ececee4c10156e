"""The terms of an offering as sentences state them, in a prospectus or a press release. Start with `terms`.

A term is taken where every sentence that states it agrees; where two differ neither is taken, because a wrong price is
worse than none. Series of warrants may differ: each is told. Quotes are the sentences, cut to size around the term.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation

from catalyst.filings.forms.parts import MAX_QUOTE, fact
from catalyst.stream.types import Fact

MONEY = r"(?:US)?\$[ \t]?(?P<value>\d[\d,]{0,18}(?:\.\d{1,8})?)(?:[ \t]?(?P<scale>million|billion)\b)?(?![\d,]*\d)"
COUNT = r"(?P<value>\d{1,3}(?:,\d{3})+|\d{4,12}|\d{1,4}(?:\.\d{1,3})?[ \t](?P<scale>million))(?![\d.]*\d)"
_KINDS = (
    r"(?:newly issued |registered |restricted )?(?:shares\b|ordinary shares|common shares|common units|units\b|ADSs?\b|"
    r"american depositary shares)"
)
_UP_TO = r"(?:up to |an aggregate of |a total of |approximately |aggregate of )*"
_SALE = re.compile(
    rf"\b(?:offering|sale|sell(?:ing)?|sold|issuance|issued?|issue|purchased?|placement|offered)\b"
    r"(?: \([^)]{0,30}\))?"
    rf"(?: and (?:sale|sell|sold|issuance))?(?: by (?:us|the company)| to [^,;$\d]{{1,60}}?)?,? ?(?:of |its "
    rf")?{_UP_TO}{COUNT} {_KINDS}",
    re.IGNORECASE,
)
_NOT_SOLD = re.compile(
    r"\b(?:warrants?|options?|rights?|additional|exercise|conversion|outstanding|redeem\w*|repurchas\w+|plan|awards?)\b"
    r"[^.;]{0,70}$",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"^[^.;,]{0,40}\b(?:upon|issuable|underlying|of warrants)\b|^[^;]{0,60}\bincluding\b|^[^.;]{0,40}\boutstanding\b",
    re.IGNORECASE,
)
_PRICE = re.compile(
    r"(?:offering|purchase|public|combined|effective|issue|sale)[ -](?:offering |purchase )?price"
    r"(?: (?:to the public|for each|per|of each|each)\b[^$;]{0,160}?)?,?(?: of| is| will be|:| was)?"
    rf"[ \t]{MONEY}(?P<per>[ \t]?(?:per|for each|a|each)\b[^;.$]{{0,30}})?"
    rf"|\bto the public at (?:a |an )?(?:initial )?(?:price|public offering price) of {MONEY.replace('P<', 'P<b_')}"
    rf"|\bat (?:a |an )?price (?:to the public )?of {MONEY.replace('P<', 'P<c_')}[ \t](?:per|a|for "
    rf"each)[ \t](?:share|unit|ADS)"
    rf"|\bpriced at {MONEY.replace('P<', 'P<d_')}[ \t](?:per|a)[ \t](?:share|unit|ADS)"
    rf"|\boffering price of {MONEY.replace('P<', 'P<e_')}",
    re.IGNORECASE,
)
_NO_PRICE = re.compile(
    r"\b(?:assum\w+|last reported|last quoted|closing (?:sale )?price|exercise price|conversion price|aggregate|total|"
    r"maximum|less than|redemption|(?:per|each|for a) pre-?funded|between|range|par value|book value|"
    r"non-affiliates|public float|market value|floor)\b[^;]{0,140}$",
    re.IGNORECASE,
)
_NO_SHARE = re.compile(r"\b(?:million|billion|notes?|bonds?|debentures?|principal|face)\b", re.IGNORECASE)
_ABOUT_SIZE = re.compile(
    rf"\bgross proceeds\b[^$;]{{0,200}}?{MONEY}"
    rf"|{MONEY.replace('P<', 'P<b_')}(?: in| of)? (?:aggregate )?(?:gross proceeds|principal amount|aggregate "
    rf"principal amount)"
    rf"|\b(?:aggregate|maximum|total) (?:gross )?(?:sales|offering) price of (?:up to )?{MONEY.replace('P<', 'P<c_')}"
    rf"|\b(?:pricing|launch|closing|completion) of (?:its |an? |the )?(?:previously announced )?(?:upsized )?"
    rf"{MONEY.replace('P<', 'P<d_')} (?:upsized |underwritten |public |registered |private |concurrent |senior )*"
    r"(?:offering|placement|notes|financing)",
    re.IGNORECASE,
)
_NOT_SIZE = re.compile(
    r"\b(?:if (?:the|any|all)|upon (?:the )?(?:exercise|full)|exercised?|full exercise|additional|assuming|"
    r"repurchase|redeem\w*|"
    r"existing|previously issued|outstanding|over-?allot\w*|minimum|concurrent private)\b",
    re.IGNORECASE,
)
_EACH = re.compile(r"\b(?:each|per)\b", re.IGNORECASE)
_WARRANTS = re.compile(
    r"(?P<pre>pre-?funded )?(?:(?:common|series [a-z]|class [a-z]|stock|purchase|investor|private) )*warrants?"
    rf"(?: \([^)]{{0,60}}\))?,? (?:exercisable )?(?:to (?:purchase|acquire)|for) {_UP_TO}(?:an additional )?{COUNT}"
    rf"(?: additional)? (?:of our )?(?:{_KINDS}|of)",
    re.IGNORECASE,
)
_AGENTS = re.compile(
    r"(?:placement agent|underwriter|representative)s?[’']?s? warrants?\b[^;]{0,40}$|\boption\b[^;]{0,140}$",
    re.IGNORECASE,
)
_EXERCISE = re.compile(
    rf"exercise price(?: for the [^$;]{{1,40}}?)?(?: of| is| equal to| will be|, [^$;]{{1,40}},)?[ \t]{MONEY}"
    rf"|\bwarrants?\b[^;$]{{0,160}}\bat (?:a|an) (?:exercise )?price of {MONEY.replace('P<', 'P<b_')}[ \t]per "
    rf"(?:\w+[ \t]){{0,3}}share",
    re.IGNORECASE,
)
_PREFUNDED = re.compile(r"pre-?funded", re.IGNORECASE)
_ALL_WARRANTS = re.compile(r"(pre-?funded )?(?:\w+ )?warrants?\b", re.IGNORECASE)
_NOMINAL = Decimal("0.02")
_OPTION = re.compile(
    rf"\boption\b[^;$]{{0,140}}?\bto (?:purchase|buy|sell) {_UP_TO}(?:an additional )?{_UP_TO}{COUNT}(?: additional)? "
    rf"(?:of our )?{_KINDS}",
    re.IGNORECASE,
)
_OPTION_MONEY = re.compile(
    rf"\boption\b[^;$]{{0,140}}?\bto (?:purchase|buy|sell) {_UP_TO}(?:an additional )?{_UP_TO}{MONEY}", re.IGNORECASE
)
_GRANTED = re.compile(r"underwriter|initial purchaser|representative|over-?allot|\b\d\d-day\b", re.IGNORECASE)
_PROCEEDS = re.compile(
    r"\b(?:intends?|expects?|plans?|anticipates?|will|currently intend) (?:to )?(?:use|utilize|"
    r"apply)\b[^;]{0,120}\bproceeds\b"
    r"|\bproceeds\b[^;]{0,160}\b(?:will be|are expected to be|to be|are intended to be|is expected to be) used\b"
    r"|\b(?:not|never) receive any (?:of the )?proceeds\b",
    re.IGNORECASE,
)
_NO_PROCEEDS = re.compile(
    r"underwriters?[’'] discount|upon (?:the )?exercise of|concurrent|as described (?:under|in)"
    r"|as follows:?$|(?:the )?following (?:table|purposes|manner|amounts)|\bused as described\b",
    re.IGNORECASE,
)
_SCALES = {"million": Decimal(1_000_000), "billion": Decimal(1_000_000_000), "": Decimal(1)}
_MOST_SERIES = 4
_LEAST_SIZE = Decimal(10_000)
_DEAREST = Decimal(5_000)
"""A share's price is below this; what is dearer is a note's."""


def terms(sentences: Sequence[str]) -> Iterator[Fact]:
    """Shares, price, size, warrants, over-allotment and use of proceeds, each with its sentence."""
    yield from agreed("offering_shares", "shares", _shares(sentences))
    yield from agreed("offering_price", "USD/share", _prices(sentences))
    yield from agreed("offering_size", "USD", _sizes(sentences))
    yield from _warrants(sentences)
    yield from agreed("overallotment_shares", "shares", _options(sentences, _OPTION))
    yield from agreed("overallotment_size", "USD", _options(sentences, _OPTION_MONEY))
    used = next((said for said in sentences if _PROCEEDS.search(said) and not _NO_PROCEEDS.search(said)), "")
    if used:
        yield fact("use_of_proceeds", used[:MAX_QUOTE], quote=used, verified=True)


def agreed(name: str, unit: str, stated: Iterator[tuple[Decimal, str]]) -> Iterator[Fact]:
    """The value that all who state it give; nothing where two differ."""
    found: dict[Decimal, str] = {}
    for value, quote in stated:
        found.setdefault(value, quote)
    if len(found) == 1:
        value, quote = next(iter(found.items()))
        yield fact(name, value, unit=unit, scope="current", quote=quote, verified=True)


def number(found: re.Match[str]) -> Decimal | None:
    """The value that a pattern of `MONEY` or `COUNT` found, in base units."""
    groups = found.groupdict()
    for key, text in groups.items():
        if text and key.endswith("value"):
            scale = groups.get(key.replace("value", "scale")) or ""
            digits = text.lower().replace("million", "").replace(",", "").strip()
            try:
                return Decimal(f"{Decimal(digits) * _SCALES[scale.lower()]:f}")
            except InvalidOperation:
                return None
    return None


def around(sentence: str, start: int, end: int) -> str:
    """A sentence, or of a long one the part around a place, out to whole words."""
    if len(sentence) <= MAX_QUOTE:
        return sentence
    first = max(0, min(start - 120, len(sentence) - MAX_QUOTE))
    first = sentence.find(" ", first) + 1 if first else 0
    last = first + MAX_QUOTE
    cut = sentence[first:last]
    return (cut.rsplit(" ", 1)[0] if last < len(sentence) and first + len(cut) > end else cut).strip()


def _shares(sentences: Sequence[str]) -> Iterator[tuple[Decimal, str]]:
    for said in sentences:
        for found in _SALE.finditer(said):
            lead = said[max(0, found.start() - 60) : found.start("value")]
            value = number(found)
            if value and not _NOT_SOLD.search(lead) and not _MORE.search(said[found.end() : found.end() + 60]):
                yield value, around(said, *found.span())


def _prices(sentences: Sequence[str]) -> Iterator[tuple[Decimal, str]]:
    for said in sentences:
        for found in _PRICE.finditer(said):
            value = number(found)
            if (
                value is None
                or not Decimal(0) < value < _DEAREST
                or _NO_SHARE.search(said[found.start() : found.end() + 30])
            ):
                continue
            if not _NO_PRICE.search(
                said[max(0, found.start() - 140) : found.start()] + found.group()[:-1].split("$")[0]
            ):
                yield value, around(said, *found.span())


def _sizes(sentences: Sequence[str]) -> Iterator[tuple[Decimal, str]]:
    for said in sentences:
        for found in _ABOUT_SIZE.finditer(said):
            value = number(found)
            near = said[max(0, found.start() - 80) : found.end() + 40]
            is_whole = not _EACH.search(said[found.start() : found.end() + 12])
            if value is not None and value >= _LEAST_SIZE and is_whole and not _NOT_SIZE.search(near):
                yield value, around(said, *found.span())


def _warrants(sentences: Sequence[str]) -> Iterator[Fact]:
    counts: dict[tuple[str, Decimal], str] = {}
    prices: dict[tuple[str, Decimal], str] = {}
    for said in sentences:
        for found in _WARRANTS.finditer(said):
            value = number(found)
            if value and not _AGENTS.search(said[max(0, found.start() - 140) : found.start() + 10]):
                name = "prefunded_warrant_shares" if found["pre"] else "warrant_shares"
                counts.setdefault((name, value), around(said, *found.span()))
        for found in _EXERCISE.finditer(said):
            value = number(found)
            if value and value < _DEAREST and not _is_prefunded(said, found, value):
                prices.setdefault(("warrant_exercise_price", value), around(said, *found.span()))
    for unit, known in (("shares", counts), ("USD/share", prices)):
        for (name, value), quote in list(known.items())[:_MOST_SERIES]:
            yield fact(name, value, unit=unit, scope="current", quote=quote, verified=True)


def _is_prefunded(said: str, found: re.Match[str], value: Decimal) -> bool:
    if value < _NOMINAL:
        return True
    named = list(_ALL_WARRANTS.finditer(said, 0, found.end() + 40))
    return bool(named) and named[-1][1] is not None


def _options(sentences: Sequence[str], pattern: re.Pattern[str]) -> Iterator[tuple[Decimal, str]]:
    for said in sentences:
        found = pattern.search(said)
        value = number(found) if found else None
        if found and value and _GRANTED.search(said):
            yield value, around(said, *found.span())
