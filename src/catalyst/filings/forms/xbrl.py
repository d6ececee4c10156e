"""The few numbers every reader wants, from inline XBRL and from classic instances, found by one scan of the bytes.

Facts with dimensions (segments, classes) are left out, except the share counts of classes on the cover. Every fact is
a number the filer tagged, so it is `verified`; the quote is the row or sentence that shows it.
Rules: Inline XBRL 1.1 (scale, sign, format, nil) and the EDGAR Filer Manual's chapter 6 for `dei`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from catalyst.filings.forms.parts import fact, quoted
from catalyst.filings.forms.text import decode, html_text
from catalyst.stream.types import Fact

CONCEPTS: dict[str, tuple[str, ...]] = {
    "revenue": (
        "Revenues",
        "RevenueFromContractWithCustomerExcludingAssessedTax",
        "RevenueFromContractWithCustomerIncludingAssessedTax",
        "SalesRevenueNet",
        "RevenuesNetOfInterestExpense",
        "Revenue",
        "SalesRevenueGoodsNet",
        "SalesRevenueServicesNet",
    ),
    "net_income": (
        "NetIncomeLoss",
        "ProfitLossAttributableToOwnersOfParent",
        "ProfitLoss",
        "NetIncomeLossAvailableToCommonStockholdersBasic",
    ),
    "eps_basic": ("EarningsPerShareBasic", "EarningsPerShareBasicAndDiluted", "BasicEarningsLossPerShare"),
    "eps_diluted": ("EarningsPerShareDiluted", "EarningsPerShareBasicAndDiluted", "DilutedEarningsLossPerShare"),
    "operating_income": ("OperatingIncomeLoss", "ProfitLossFromOperatingActivities"),
    "cash": (
        "CashAndCashEquivalentsAtCarryingValue",
        "CashAndCashEquivalents",
        "CashCashEquivalentsRestrictedCashAndRestrictedCashEquivalents",
        "Cash",
    ),
    "shares_outstanding": ("EntityCommonStockSharesOutstanding",),
}
"""Our name -> XBRL concepts (us-gaap, ifrs-full, dei), the first that is there wins."""

_WANTED = frozenset(concept for concepts in CONCEPTS.values() for concept in concepts)
_INLINE = re.compile(rb"<ix:nonFraction\b([^<>]{0,2000})>", re.IGNORECASE)
_CLASSIC = re.compile(
    rb"<(?:[\w-]{1,40}:)?("
    + "|".join(sorted(_WANTED, key=len, reverse=True)).encode()
    + rb")\s([^<>]{0,2000})>([^<]{0,200})"
)
_NAME = re.compile(rb"\bname\s*=\s*[\"'](?:[\w-]+:)?(\w+)[\"']")
_ATTRIBUTE = re.compile(rb"([\w:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_CONTEXT = re.compile(rb"<((?:\w+:)?context)\b([^<>]{0,1000})>")
_ID = re.compile(rb"\bid\s*=\s*[\"']([^\"']{1,300})[\"']")
_DATE = re.compile(rb"<(?:\w+:)?(startDate|endDate|instant)\b[^<>]*>\s*(\d{4}-\d{2}-\d{2})")
_DEI = re.compile(
    rb"<(?:ix:nonNumeric\b[^<>]{0,500}name=[\"'])?dei:(DocumentFiscalPeriodFocus|DocumentFiscalYearFocus)[\"']?[^<>]{0,500}>"
    rb"(?:<[^<>]{0,500}>)?\s*([A-Z0-9]{2,4})"
)
_TAG = re.compile(rb"<[^<>]*>")
_BLOCK_START = re.compile(rb"<(?:tr|p|div)\b", re.IGNORECASE)
_BLOCK_END = re.compile(rb"</(?:tr|p|div)\s*>", re.IGNORECASE)
_DASHES = frozenset(("-", "—", "–", "−", "", "nil", "none"))
_MOST_FACTS = 20_000
_NEAR = 12_000
_LARGEST_SCALE = 18
_LONGEST_NUMBER = 40


@dataclass(frozen=True, slots=True)
class Context:
    """When a fact holds: an instant (`start` is None) or a duration; `dimensions` when it is about a part only."""

    start: date | None
    end: date
    dimensions: bool

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1 if self.start else 0


@dataclass(frozen=True, slots=True)
class Tagged:
    """One tagged number with its place in the bytes."""

    concept: str
    value: Decimal
    context: Context
    unit: str
    at: int
    source: bytes
    """Its element as the instance has it; empty for inline facts."""


def has_xbrl(body: bytes) -> bool:
    """Whether the document is inline XBRL or an instance."""
    return b"<ix:" in body or _is_instance(body)


def _is_instance(body: bytes) -> bool:
    return re.search(rb"<(?:xbrli:)?xbrl\b", body[:20_000]) is not None


def xbrl_facts(body: bytes, annual: bool, period: date | None = None) -> list[Fact]:
    """Current and prior values of CONCEPTS. `annual` for a 10-K or 20-F; `period` is the header's, a hint only."""
    contexts = _contexts(body)
    tagged = list(_instance(body, contexts) if _is_instance(body) else _inline(body, contexts))
    focus = {name.decode(): value.decode() for name, value in _DEI.findall(body)}
    end = _current_end(tagged, annual, period)
    if end is None:
        return []
    facts: list[Fact] = []
    for name, concepts in CONCEPTS.items():
        for scope, item in _chosen(name, concepts, tagged, annual, end):
            facts.append(_fact(body, name, scope, item, end, focus))
    return facts


def _contexts(body: bytes) -> dict[bytes, Context]:
    """Every context by id; one whose dates cannot be read is left out."""
    contexts: dict[bytes, Context] = {}
    for found in _CONTEXT.finditer(body):
        name = _ID.search(found[2])
        stop = body.find(b"</" + found[1], found.end())
        if stop < 0:
            break
        inner = body[found.end() : min(stop, found.end() + 10_000)]
        dates = dict(_DATE.findall(inner))
        try:
            start = date.fromisoformat(dates[b"startDate"].decode()) if b"startDate" in dates else None
            end = date.fromisoformat((dates.get(b"endDate") or dates[b"instant"]).decode())
        except (KeyError, ValueError):
            continue
        if name:
            contexts[name[1]] = Context(start, end, b"Member" in inner)
    return contexts


def _inline(body: bytes, contexts: dict[bytes, Context]) -> Iterator[Tagged]:
    for count, found in enumerate(_INLINE.finditer(body)):
        name = _NAME.search(found[1])
        if count > _MOST_FACTS:
            return
        if name is None or name[1].decode("ascii", "replace") not in _WANTED:
            continue
        attributes = _attributes(found[1])
        context = contexts.get(attributes.get("contextref", b""))
        shown = body[found.end() : _content_end(body, found.end())]
        value = None if attributes.get("xsi:nil") == b"true" else _number(shown, attributes)
        if context is not None and value is not None:
            unit = _unit(attributes.get("unitref", b""))
            yield Tagged(name[1].decode(), value, context, unit, found.start(), b"")


def _content_end(body: bytes, start: int) -> int:
    """Where the element's content ends, past facts nested in it."""
    at, depth = start, 1
    limit = start + 4_000
    while depth:
        stop = body.find(b"</ix:nonFraction", at, limit)
        if stop < 0:
            return min(len(body), start + 200)
        depth += body.count(b"<ix:nonFraction", at, stop) - 1
        at = stop + 16
        end = stop
    return end


def _attributes(source: bytes) -> dict[str, bytes]:
    return {name.decode("ascii", "replace").lower(): one or two for name, one, two in _ATTRIBUTE.findall(source)}


def _number(shown: bytes, attributes: dict[str, bytes]) -> Decimal | None:
    """The tagged value: displayed digits, its format, times ten to the scale, with its sign."""
    text = "".join(decode(_TAG.sub(b"", shown)).replace("&#160;", "").replace("&nbsp;", "").split())
    style = attributes.get("format", b"").rpartition(b":")[2].lower()
    if b"zero" in style or b"dash" in style or text in _DASHES:
        return Decimal(0) if style or text in ("-", "—", "–", "−") else None
    text = text.replace(".", "").replace(",", ".") if b"comma" in style else text.replace(",", "")
    return _scaled(text, attributes.get("scale", b"0"), attributes.get("sign") == b"-")


def _scaled(text: str, scale: bytes, negative: bool) -> Decimal | None:
    """Digits times ten to the scale, written out in full; None for what is no sane number."""
    if len(text) > _LONGEST_NUMBER:
        return None
    try:
        power = int(scale)
        value = Decimal(text)
    except (InvalidOperation, ValueError):
        return None
    if abs(power) > _LARGEST_SCALE or not value.is_finite() or abs(value.adjusted()) > _LONGEST_NUMBER:
        return None
    value = Decimal(f"{value.scaleb(power):f}")
    return -value if negative else value


def _instance(body: bytes, contexts: dict[bytes, Context]) -> Iterator[Tagged]:
    for found in _CLASSIC.finditer(body):
        attributes = _attributes(found[2])
        context = contexts.get(attributes.get("contextref", b""))
        value = _scaled(found[3].decode("ascii", "replace").strip(), b"0", False)
        if context is not None and value is not None and attributes.get("xsi:nil") != b"true":
            unit = _unit(attributes.get("unitref", b""))
            yield Tagged(found[1].decode(), value, context, unit, found.start(), found[0])


def _unit(reference: bytes) -> str:
    """`USD`, `shares`, `USD/share`; other currencies by their code where the unit's id names it."""
    name = reference.decode("ascii", "replace").lower()
    currency = next((code for code in ("usd", "eur", "gbp", "jpy", "cny", "cad", "chf", "rmb") if code in name), "")
    if currency:
        return f"{currency.upper()}/share" if "share" in name else currency.upper()
    return "shares" if "share" in name else ""


def _current_end(tagged: Iterable[Tagged], annual: bool, period: date | None) -> date | None:
    """The reporting period's end: the latest end of a whole period; near the header's, if it has one."""
    low, high = (340, 380) if annual else (75, 105)
    ends = {item.context.end for item in tagged if not item.context.dimensions and low <= item.context.days <= high}
    ends = ends or {item.context.end for item in tagged if not item.context.dimensions and item.context.start}
    if period:
        near = [end for end in ends if abs((end - period).days) <= 10]
        return max(near) if near else period
    return max(ends) if ends else None


def _chosen(
    name: str, concepts: tuple[str, ...], tagged: list[Tagged], annual: bool, end: date
) -> Iterator[tuple[str, Tagged]]:
    """(scope, fact) of one name: of the first concept that has a current value."""
    if name == "shares_outstanding":
        yield from _shares(tagged)
        return
    for concept in concepts:
        whole = [item for item in tagged if item.concept == concept and not item.context.dimensions]
        found = list(_instants(whole, end) if name == "cash" else _durations(whole, annual, end))
        if any(scope == "current" for scope, _ in found):
            yield from found
            return


def _shares(tagged: list[Tagged]) -> Iterator[tuple[str, Tagged]]:
    """The cover's count; one per class where there are several."""
    counts = [item for item in tagged if item.concept == "EntityCommonStockSharesOutstanding"]
    whole = [item for item in counts if not item.context.dimensions]
    for item in whole[:1] or counts[:5]:
        yield "current", item


def _instants(items: list[Tagged], end: date) -> Iterator[tuple[str, Tagged]]:
    now = next((item for item in items if abs((item.context.end - end).days) <= 1), None)
    before = [item for item in items if item.context.end < end - timedelta(days=20)]
    if now:
        yield "current", now
        if before:
            yield "prior", max(before, key=lambda item: (item.context.end, -item.at))


def _durations(items: list[Tagged], annual: bool, end: date) -> Iterator[tuple[str, Tagged]]:
    """The period itself (a quarter, a year), then the year to date, each with the same span a year before."""
    spans = ((340, 380),) if annual else ((75, 105), (165, 200), (255, 290))
    now = [item for item in items if abs((item.context.end - end).days) <= 3]
    for low, high in spans:
        current = next((item for item in now if low <= item.context.days <= high), None)
        if current is None:
            continue
        yield "current", current
        prior = next((item for item in items if low <= item.context.days <= high and _year_before(item, end)), None)
        if prior:
            yield "prior", prior
    if annual and not any(340 <= item.context.days <= 380 for item in now):
        yield from (("current", item) for item in now[:1])


def _year_before(item: Tagged, end: date) -> bool:
    return 340 <= (end - item.context.end).days <= 390


def _fact(body: bytes, name: str, scope: str, item: Tagged, end: date, focus: dict[str, str]) -> Fact:
    unit = item.unit
    if name.startswith("eps") and unit and "/" not in unit:
        unit = f"{unit}/share" if unit != "shares" else "USD/share"
    period = _period(item.context, end, focus)
    quote = quoted(decode(item.source)) if item.source else _row(body, item.at)
    return fact(name, item.value, unit=unit, period=period, scope=scope, quote=quote, verified=True)


def _period(context: Context, end: date, focus: dict[str, str]) -> str:
    """`2025-Q3` or `2025` where the filer names the fiscal period, else the dates themselves."""
    if context.start is None:
        return context.end.isoformat()
    year, part = focus.get("DocumentFiscalYearFocus", ""), focus.get("DocumentFiscalPeriodFocus", "")
    if year.isdigit():
        shown = int(year) - round((end - context.end).days / 365.25)
        if part == "FY" and context.days > 300:
            return str(shown)
        if part.startswith("Q") and context.days <= 105:
            return f"{shown}-{part}"
    return f"{context.start.isoformat()}/{context.end.isoformat()}"


def _row(body: bytes, at: int) -> str:
    """The table row or block around a fact, as the document's text shows it."""
    floor = max(0, at - _NEAR)
    tr = max(body.rfind(b"<tr", floor, at), body.rfind(b"<TR", floor, at))
    if tr >= 0 and body.find(b"</tr", tr, at) < 0:
        stop = body.find(b"</tr", at, at + _NEAR)
        return quoted(html_text(body[tr : stop if stop >= 0 else at + _NEAR]).replace("\n", " "))
    starts = [found.start() for found in _BLOCK_START.finditer(body, floor, at)]
    stop_at = _BLOCK_END.search(body, at, at + _NEAR)
    start = starts[-1] if starts else at
    return quoted(html_text(body[start : stop_at.start() if stop_at else at + 1_000]).replace("\n", " "))
