"""Forms 3, 4, 5 and 144: who, of which issuer, bought or sold what, at which price, and what is left.

The XML is EDGAR's Ownership schema (https://www.sec.gov/info/edgar/specifications/ownershipxmltechspec.htm); older
paper-like filings have text only and give no facts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from lxml import etree

from catalyst.errors import ParseError
from catalyst.filings.forms.parts import basis, fact, main_document, main_text
from catalyst.filings.forms.xmltext import is_xml, local, parse_xml, xml_text
from catalyst.filings.types import Header, Parsed, Party, Submission
from catalyst.stream.types import Fact

CODES = {
    "P": "open-market purchase",
    "S": "open-market sale",
    "A": "grant or award",
    "D": "disposition to the issuer",
    "F": "shares withheld for tax or exercise price",
    "M": "exercise or conversion of a derivative",
    "C": "conversion of a derivative",
    "X": "exercise of an in-the-money derivative",
    "G": "gift",
    "V": "reported early",
    "J": "other",
    "K": "equity swap",
    "L": "small acquisition",
    "U": "tender in a change of control",
    "W": "inheritance",
    "Z": "voting trust",
    "I": "discretionary plan transaction",
    "E": "expiration of a short position",
    "H": "expiration of a long position",
    "O": "exercise of an out-of-the-money derivative",
}
"""Transaction codes of Forms 4 and 5, General Instruction 8."""

_MOST_ROWS = 500
_MOST_NOTES = 200
_TRUE = ("1", "true", "yes")


@dataclass(frozen=True, slots=True)
class Row:
    """One transaction or holding of Table I or II; numbers are None where the filer left them open."""

    security: str
    day: str
    code: str
    acquired: bool | None
    shares: Decimal | None
    price: Decimal | None
    after: Decimal | None
    derivative: bool
    indirect: str
    """The nature of indirect ownership; `I` where it is indirect without words; empty when direct."""
    strike: Decimal | None
    notes: tuple[str, ...]

    @property
    def line(self) -> str:
        """The row in words, as `Parsed.text` shows it."""
        cells = [
            self.security,
            self.day,
            f"{self.code} ({CODES.get(self.code, 'unknown code')})" if self.code else "holding",
            {True: "acquired", False: "disposed", None: ""}[self.acquired],
            f"{self.shares:,f} shares" if self.shares is not None else "",
            f"at ${self.price:,f}" if self.price is not None else "",
            f"exercise price ${self.strike:,f}" if self.strike is not None else "",
            f"owned after: {self.after:,f}" if self.after is not None else "",
            f"indirect: {self.indirect}" if self.indirect else "direct",
            "derivative" if self.derivative else "",
            f"notes {', '.join(self.notes)}" if self.notes else "",
        ]
        return " | ".join(cell for cell in cells if cell)


def parse(submission: Submission, form: str = "") -> Parsed:
    """Transactions as facts and a readable text; a filing without the XML keeps its text and says so."""
    main = main_document(submission)
    if main is None or not is_xml(main.body):
        parsed = basis(submission, form, "ownership", main_text(submission))
        return replace(parsed, problems=(*parsed.problems, "no ownership XML: text only"))
    try:
        root = parse_xml(main.body)
    except ParseError as error:
        parsed = basis(submission, form, "ownership", "")
        return replace(parsed, problems=(*parsed.problems, str(error)))
    if local(root) != "ownershipDocument":
        parsed = basis(submission, form, "ownership", xml_text(main.body))
        return replace(parsed, problems=(*parsed.problems, f"<{local(root)[:60]}> is no ownershipDocument: text only"))
    return _parsed(submission, form, root)


def _parsed(submission: Submission, form: str, root: etree._Element) -> Parsed:
    rows = [row for element in _rows(root) if (row := _row(element))]
    header = _with_parties(submission.header, root)
    parsed = basis(replace(submission, header=header), form, "ownership", _text(root, header, rows))
    problems = parsed.problems if rows or _value(root, "noSecuritiesOwned") else (*parsed.problems, "no transactions")
    return replace(parsed, facts=tuple(_facts(root, rows)), problems=problems)


def _rows(root: etree._Element) -> list[etree._Element]:
    tables = [child for child in root if local(child) in ("nonDerivativeTable", "derivativeTable")]
    return [row for table in tables for row in table if local(row).endswith(("Transaction", "Holding"))][:_MOST_ROWS]


def _row(element: etree._Element) -> Row:
    acquired = _value(element, "transactionAcquiredDisposedCode").upper()
    nature = _value(element, "natureOfOwnership")
    indirect = _value(element, "directOrIndirectOwnership").upper() == "I"
    notes = dict.fromkeys(note.get("id", "") for note in _named(element, "footnoteId"))
    after = _number(element, "sharesOwnedFollowingTransaction")
    return Row(
        security=_value(element, "securityTitle"),
        day=_value(element, "transactionDate")[:10],
        code=_value(element, "transactionCode").upper()[:2],
        acquired={"A": True, "D": False}.get(acquired),
        shares=_number(element, "transactionShares"),
        price=_number(element, "transactionPricePerShare"),
        after=after if after is not None else _number(element, "valueOwnedFollowingTransaction"),
        derivative=local(element).startswith("derivative"),
        indirect=(nature or "I") if indirect else "",
        strike=_number(element, "conversionOrExercisePrice"),
        notes=tuple(note for note in notes if note),
    )


def _named(element: etree._Element, name: str) -> list[etree._Element]:
    return [found for found in element.iter() if local(found) == name]


def _value(element: etree._Element, name: str) -> str:
    """The text of the first element of that name, or of the <value> in it; empty when absent."""
    found = next((found for found in element.iter() if local(found) == name), None)
    if found is None:
        return ""
    inner = next((child for child in found if local(child) == "value"), found)
    return " ".join((inner.text or "").split())[:500]


def _number(element: etree._Element, name: str) -> Decimal | None:
    text = _value(element, name).replace(",", "").lstrip("$")
    try:
        number = Decimal(text) if len(text) <= 30 else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() and abs(number.adjusted()) < 30 else None


def _is_true(root: etree._Element, name: str) -> bool:
    return _value(root, name).lower() in _TRUE


def _with_parties(header: Header, root: etree._Element) -> Header:
    """A bare document's parties come from the XML itself."""
    form = header.form or _value(root, "documentType")
    if header.parties:
        return replace(header, form=form)
    issuer = Party("issuer", _value(root, "issuerCik").zfill(10), _value(root, "issuerName"))
    owners = [
        Party("reporting", _value(owner, "rptOwnerCik").zfill(10), _value(owner, "rptOwnerName"))
        for owner in _named(root, "reportingOwner")[:_MOST_ROWS]
    ]
    return replace(header, form=form, parties=(issuer, *owners))


def _role(owner: etree._Element) -> str:
    flags = (("isDirector", "director"), ("isOfficer", "officer"), ("isTenPercentOwner", "10 % owner"))
    roles = [word for name, word in flags if _is_true(owner, name)]
    title = _value(owner, "officerTitle") or _value(owner, "otherText")
    return ", ".join([*roles, *([title] if title else [])])


def _text(root: etree._Element, header: Header, rows: list[Row]) -> str:
    lines = [f"Form {header.form}: {_value(root, 'issuerName')} ({_value(root, 'issuerTradingSymbol')})"]
    owners = _named(root, "reportingOwner")[:_MOST_ROWS]
    lines += [f"Reporting owner: {_value(owner, 'rptOwnerName')} | {_role(owner)}".rstrip(" |") for owner in owners]
    if _is_true(root, "aff10b5One"):
        lines.append("Under a Rule 10b5-1 plan: yes")
    lines += [row.line for row in rows]
    for note in _named(root, "footnote")[:_MOST_NOTES]:
        lines.append(f"{note.get('id', '')}: {_all_text(note)}")
    remarks = _value(root, "remarks")
    return "\n".join([*lines, f"Remarks: {remarks}"] if remarks else lines)


def _all_text(element: etree._Element) -> str:
    return " ".join("".join(str(part) for part in element.itertext()).split())


def _facts(root: etree._Element, rows: list[Row]) -> list[Fact]:
    """Per transaction: shares (negative when disposed), price, value, and what is owned after."""
    roles = [_role(owner) for owner in _named(root, "reportingOwner")[:5]]
    facts = [
        fact(name, value, quote=value, verified=True)
        for name, value in (
            ("issuer", _value(root, "issuerName")),
            ("owner", _value(root, "rptOwnerName")),
            ("owner_role", "; ".join(role for role in roles if role)),
        )
        if value
    ]
    if _is_true(root, "aff10b5One"):
        facts.append(fact("plan_10b5_1", "yes", quote="Under a Rule 10b5-1 plan: yes", verified=True))
    for row in rows:
        facts += _row_facts(row)
    return facts


def _row_facts(row: Row) -> list[Fact]:
    kind = "derivative_" if row.derivative else ""
    common = {"period": row.day, "quote": row.line, "verified": True, "scope": "current"}
    facts = []
    if row.code:
        facts.append(fact(f"{kind}transaction_code", row.code, **common))
    if row.shares is not None:
        signed = -row.shares if row.acquired is False else row.shares
        facts.append(fact(f"{kind}transaction_shares", signed, unit="shares", **common))
    if row.price is not None:
        facts.append(fact(f"{kind}transaction_price", row.price, unit="USD/share", **common))
    if row.after is not None:
        facts.append(fact(f"{kind}shares_owned_after", row.after, unit="shares", **common))
    return facts
