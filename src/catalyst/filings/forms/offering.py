"""S-1, S-3, F-1, F-3 and 424B: what is offered, how much of it, at which price, how far along, as the prospectus says.

Only plain statements are taken, each with its sentence: a wrong size is worse than none. The cover tells the terms,
"The Offering" the shares outstanding; dilution is the shares offered against those outstanding before, where both are
stated and the company itself sells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import islice

from catalyst.filings.forms.deal import COUNT, MONEY, agreed, number, terms
from catalyst.filings.forms.deal_kind import banks, kind_of, security_of
from catalyst.filings.forms.parts import basis, fact, main_text, quoted
from catalyst.filings.forms.sentences import sentences, split
from catalyst.filings.types import Parsed, Submission
from catalyst.stream.types import Fact

_COVER_CHARACTERS = 30_000
_COVER_START = re.compile(
    r"^[ \t|]{0,20}(?:preliminary )?prospectus(?! summary)(?: supplement)?\b(?! \|? ?\d)[^\n.]{0,60}$",
    re.IGNORECASE | re.MULTILINE,
)
_REGISTRATION = re.compile(r"registration statement[ \t\n]+(?:\(?under|no)", re.IGNORECASE)
_COVER_END = re.compile(r"^[ \t|]{0,20}(?:table of contents|about this prospectus)\b", re.IGNORECASE | re.MULTILINE)
_SIZE_LINE = re.compile(
    rf"^[ \t]{{0,10}}(?:up to[ \t]+)?{MONEY}(?:[ \t]+of)?"
    r"(?:[ \t]+(?:aggregate principal amount|shares|common|class|ordinary|american|\d|senior|subordinated|"
    r"convertible|floating|fixed|notes|preferred|debt)[^\n]{0,120})?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_SHARES_LINE = re.compile(
    rf"^[ \t]{{0,10}}(?:up to[ \t]+)?{COUNT}[ \t]+(?:shares|ordinary shares|american depositary shares|units|ADSs)"
    r"(?:[ \t]+of[ \t]+(?:our[ \t]+)?(?:class [a-c][ \t]+)?(?:common|ordinary|preferred)[^\n]{0,60})?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_WARRANTS_LINE = re.compile(
    r"^[ \t]{0,10}(?P<pre>pre-?funded )?(?:common |series [a-z] )?warrants to purchase (?:up to )?(?:an aggregate of )?"
    rf"{COUNT} shares",
    re.IGNORECASE | re.MULTILINE,
)
_PRICE_ROW = re.compile(
    r"^[ \t|]{0,8}(?:(?:combined |assumed )?(?:initial )?(?:public )?offering price|price to (?:the "
    r")?public)[^|\n]{0,40}\|(?P<cells>[^\n]{1,200})$",
    re.IGNORECASE | re.MULTILINE,
)
_CELL = re.compile(r"\$[ \t|]*(\d[\d,]*(?:\.\d{1,8})?)")
_LAST_PRICE = re.compile(
    r"(?:last[ \t]+reported|last[ \t]+quoted|closing)[ \t]+(?:sale[ \t]+|sales[ \t]+)?price"
    rf"[^$\n]{{0,200}}?\b(?:was|is|of)[ \t]+{MONEY}",
    re.IGNORECASE,
)
_ON = re.compile(
    r"\b(?P<month>January|February|March|April|May|June|July|August|September|October|November|December) "
    r"(?P<day>\d{1,2}), (?P<year>20\d\d)"
)
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
_BEFORE = re.compile(
    r"^[^\n|]{0,80}\boutstanding[^\n|]{0,30}\b(?:prior to|before)\b[^\n|]{0,60}\|[ \t|]*" + COUNT,
    re.IGNORECASE | re.MULTILINE,
)
_BASED_ON = re.compile(
    rf"\bbased (?:up)?on (?:an aggregate of |approximately )?{COUNT} (?:shares|ordinary shares)(?: of (?:our |"
    rf"the company[’']s )?"
    r"(?:class [a-c] )?(?:common stock|ordinary shares))?(?: issued and)? outstanding\b",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"^[^\n|]{0,80}\boutstanding[^\n|]{0,30}\bafter\b[^\n|]{0,60}\|[ \t|]*" + COUNT, re.IGNORECASE | re.MULTILINE
)
_OFFERING_SECTION = 400_000
_PROCEEDS_SECTION = re.compile(r"^[ \t|]{0,20}use of proceeds[ \t|]{0,20}$", re.IGNORECASE | re.MULTILINE)
_PRELIMINARY = re.compile(
    r"subject to completion|preliminary (?:pricing|prospectus)|information in this (?:preliminary "
    r")?(?:prospectus|pricing)"
    r"[^.]{0,40} is not complete|which is not complete and may be changed",
    re.IGNORECASE,
)
_SHELF = re.compile(r"\bfrom time to time\b|\bprospectus\b", re.IGNORECASE)
_UNPRICED = ("at the market", "resale")
"""Sold at the price of the day: any price that the cover names is another."""
_UNDERLYING = re.compile(r"\b(?:underlying|issuable|upon)\b", re.IGNORECASE)
_NOT_COMMON = re.compile(
    r"\b(?:class [b-z]|founder|units?|warrants?|preferred|private|private placement)\b", re.IGNORECASE
)
_HEAD = 4_000


def parse(submission: Submission, form: str = "") -> Parsed:
    """The text, and the offering's terms as the prospectus states them."""
    parsed = basis(submission, form, "offering", main_text(submission))
    return replace(parsed, facts=tuple(_facts(parsed.text, parsed.form.upper())))


def _cover(text: str, form: str) -> str:
    """Up to the table of contents that follows the prospectus's cover; a link to it may stand at the very top.

    A registration statement's facing page comes before the cover: it is passed over where the cover is found.
    """
    begin = 0
    if not form.startswith("424") and _REGISTRATION.search(text[:6_000]):
        found = _COVER_START.search(text, min(len(text), 1_500), 2 * _COVER_CHARACTERS)
        begin = found.start() if found else 0
    start = min(len(text), begin + 1_500)
    end = _COVER_END.search(text, start, begin + _COVER_CHARACTERS)
    return text[begin : end.start() if end else begin + _COVER_CHARACTERS]


def _facts(text: str, form: str) -> Iterator[Fact]:
    cover = _cover(text, form)
    said = list(sentences(cover))
    kinds = [*kind_of(cover), *security_of(cover[:_HEAD])]
    found: dict[str, list[Fact]] = {}
    for one in (*_on_lines(cover), *terms(said), *_last_price(said)):
        found.setdefault(one.name, []).append(one)
    _same_warrants(found)
    if "use_of_proceeds" not in found:
        found["use_of_proceeds"] = list(_proceeds(text))
    if any(one.value in _UNPRICED for one in kinds):
        found.pop("offering_price", None)
    for facts in found.values():
        yield from _first_stated(facts)
    yield from kinds
    yield from _stage(cover, form, found)
    yield from banks(said, cover.split("\n"))
    known = {name: facts[0] for name, facts in found.items() if facts}
    yield from _outstanding(text, known, {str(one.value) for one in kinds})


def _first_stated(facts: list[Fact]) -> Iterator[Fact]:
    """Of facts that lines and sentences both state the first; series of warrants all."""
    if facts and facts[0].name.startswith(("warrant", "prefunded")):
        yield from facts
    elif facts:
        yield facts[0]


def _same_warrants(found: dict[str, list[Fact]]) -> None:
    for name, facts in found.items():
        if name.startswith(("warrant", "prefunded")):
            found[name] = list({fact.value: fact for fact in reversed(facts)}.values())[::-1]


def _on_lines(cover: str) -> Iterator[Fact]:
    """What stands on lines and rows of their own: "$25,000,000", "3,000,000 Shares", the price table."""
    yield from agreed("offering_size", "USD", _lined(_SIZE_LINE, cover, Decimal(10_000)))
    yield from agreed("offering_shares", "shares", _lined(_SHARES_LINE, cover, Decimal(1)))
    for found in _WARRANTS_LINE.finditer(cover):
        value = number(found)
        if value:
            name = "prefunded_warrant_shares" if found["pre"] else "warrant_shares"
            yield fact(name, value, unit="shares", scope="current", quote=quoted(found[0]), verified=True)
    yield from _price_table(cover)


def _lined(pattern: re.Pattern[str], cover: str, least: Decimal) -> Iterator[tuple[Decimal, str]]:
    for found in pattern.finditer(cover):
        value = number(found)
        if value is not None and value >= least and not _UNDERLYING.search(found[0]):
            yield value, quoted(found[0])


def _price_table(cover: str) -> Iterator[Fact]:
    """The row of prices: each but the last is per share or warrant, the last the whole; two cells at least."""
    rows = [found for found in _PRICE_ROW.finditer(cover) if len(_CELL.findall(found["cells"])) > 1]
    if len(rows) != 1:
        return
    cells = [Decimal(cell.replace(",", "")) for cell in _CELL.findall(rows[0]["cells"])]
    quote = quoted(rows[0][0])
    if cells[-1] > 10_000 and cells[-1] > 100 * cells[0]:
        if cells[0] < 1_000:
            yield fact("offering_price", cells[0], unit="USD/share", scope="current", quote=quote, verified=True)
        yield fact("offering_size", cells[-1], unit="USD", scope="current", quote=quote, verified=True)


def _last_price(said: Sequence[str]) -> Iterator[Fact]:
    stated = [(found, one) for one in said for found in _LAST_PRICE.finditer(one)]
    values = {value for found, _ in stated if (value := number(found)) is not None}
    if len(values) == 1:
        found, one = stated[0]
        quote = quoted(one) if len(one) <= 400 else quoted(found[0])
        yield fact(
            "last_price",
            values.pop(),
            unit="USD/share",
            period=_day(quote),
            scope="current",
            quote=quote,
            verified=True,
        )


def _day(quote: str) -> str:
    days = {f"{m['year']}-{_MONTHS.index(m['month']) + 1:02d}-{int(m['day']):02d}" for m in _ON.finditer(quote)}
    return days.pop() if len(days) == 1 else ""


def _proceeds(text: str) -> Iterator[Fact]:
    """The sentence on the use of proceeds, from the section of that name."""
    for found in islice(_PROCEEDS_SECTION.finditer(text), 4):
        facts = [
            one
            for one in terms(list(sentences(text[found.end() : found.end() + 2_500])))
            if one.name == "use_of_proceeds"
        ]
        if facts:
            yield facts[0]
            return


def _stage(cover: str, form: str, found: dict[str, list[Fact]]) -> Iterator[Fact]:
    """A registration statement or a preliminary prospectus announces; a final prospectus with a price is priced."""
    early = _PRELIMINARY.search(cover)
    if early:
        yield fact("offering_stage", "announced", quote=quoted(early[0]), verified=True)
    elif not form.startswith("424"):
        shelf = _SHELF.search(cover)
        if shelf:
            yield fact("offering_stage", "announced", quote=quoted(shelf[0]), verified=True)
    elif price := found.get("offering_price"):
        yield fact("offering_stage", "priced", quote=price[0].quote, verified=True)


def _outstanding(text: str, known: dict[str, Fact], kinds: set[str]) -> Iterator[Fact]:
    """Shares outstanding before and after, and the dilution by the shares that the company itself offers."""
    body = text[:_OFFERING_SECTION]
    before = list(agreed("shares_outstanding_before", "shares", _counted(_BEFORE, body)))
    before = before or list(agreed("shares_outstanding_before", "shares", _counted(_BASED_ON, body)))
    yield from before
    yield from agreed("shares_outstanding_after", "shares", _counted(_AFTER, body))
    offered = known.get("offering_shares")
    if not before or offered is None or kinds & {"resale", "debt"}:
        return
    shares, base = offered.value, before[0].value
    if isinstance(shares, Decimal) and isinstance(base, Decimal) and base:
        share = (100 * shares / base).quantize(Decimal("0.1"))
        yield fact("dilution", share, unit="%", scope="current", quote=before[0].quote, verified=True)


def _counted(pattern: re.Pattern[str], text: str) -> Iterator[tuple[Decimal, str]]:
    for found in islice(pattern.finditer(text), 8):
        value = number(found)
        if value:
            line_start, line_end = text.rfind("\n", 0, found.start()) + 1, text.find("\n", found.end())
            line = text[line_start : line_end if line_end >= 0 else len(text)]
            said = next((one for one in split(line) if found["value"] in one), line)
            if not _NOT_COMMON.search(line[: max(0, found.start("value") - line_start)][:80]):
                yield value, quoted(said)
