"""Schedules 13D and 13G: the issuer, each reporting person's shares and per cent of the class.

Since December 2024 they are XML (https://www.sec.gov/submit-filings/technical-specifications); before, pages whose
cover has numbered rows (11 and 13 of 13D, 9 and 11 of 13G). From pages only plain rows are taken.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from lxml import etree

from catalyst.errors import ParseError
from catalyst.filings.forms.parts import basis, fact, main_document, main_text, quoted
from catalyst.filings.forms.xmltext import is_xml, local, parse_xml, xml_text
from catalyst.filings.types import Parsed, Submission
from catalyst.stream.types import Fact

_PERCENT = {"percentOfClass", "classPercent"}
_SHARES = {"aggregateAmountOwned", "reportingPersonBeneficiallyOwnedAggregateNumberOfShares"}
_PERSON = {"reportingPersonName"}
_CONTAINERS = {"reportingPersonInfo", "coverPageHeaderReportingPersonDetails"}
_PERCENT_ROW = re.compile(
    r"percent(?:age)?[ \t]+of[ \t]+class[ \t]+represented[ \t]+by[ \t]+amount[ \t]+in[ \t]+row"
    r"[^\n%]{0,40}[\s|:*_]{0,60}(?:approximately[ \t]+|less[ \t]+than[ \t]+)?(\d{1,3}(?:\.\d{1,4})?)[ \t]?%",
    re.IGNORECASE,
)
_SHARES_ROW = re.compile(
    r"aggregate[ \t]+amount[ \t]+beneficially[ \t]+owned[ \t]+by[ \t]+each[ \t]+reporting[ \t]+person[\s|:*_]{0,60}"
    r"(\d{1,3}(?:,\d{3})+|\d{4,12}|0)\b",
    re.IGNORECASE,
)
_MOST_PERSONS = 100
_LONGEST_NUMBER = 30


def parse(submission: Submission, form: str = "") -> Parsed:
    """Shares and per cent of class per reporting person."""
    main = main_document(submission)
    if main is None or not is_xml(main.body):
        parsed = basis(submission, form, "stake", main_text(submission))
        return replace(parsed, facts=tuple(_page_facts(parsed.text)))
    try:
        root = parse_xml(main.body)
    except ParseError as error:
        parsed = basis(submission, form, "stake", "")
        return replace(parsed, problems=(*parsed.problems, str(error)))
    parsed = basis(submission, form, "stake", xml_text(main.body))
    return replace(parsed, facts=tuple(_xml_facts(root)))


def _xml_facts(root: etree._Element) -> list[Fact]:
    facts: list[Fact] = []
    issuer = _text(root, {"issuerName"})
    if issuer:
        facts.append(fact("issuer", issuer, quote=f"issuerName: {issuer}", verified=True))
    persons = [element for element in root.iter() if local(element) in _CONTAINERS][:_MOST_PERSONS]
    for person in persons:
        name = _text(person, _PERSON)
        for label, names, unit in (("shares_owned", _SHARES, "shares"), ("percent_of_class", _PERCENT, "%")):
            value = _decimal(_text(person, names))
            if value is not None:
                quote = f"{name}: {_text(person, names)}"
                facts.append(fact(label, value, unit=unit, scope="current", quote=quote, verified=True))
    return facts


def _page_facts(text: str) -> list[Fact]:
    facts: list[Fact] = []
    rows = (("shares_owned", _SHARES_ROW, "shares"), ("percent_of_class", _PERCENT_ROW, "%"))
    for label, pattern, unit in rows:
        for count, found in enumerate(pattern.finditer(text)):
            value = _decimal(found[1])
            if value is not None and count < _MOST_PERSONS and (unit != "%" or value <= 100):
                quote = found[0][-400:]
                facts.append(fact(label, value, unit=unit, scope="current", quote=quote, verified=True))
    return facts


def _text(element: etree._Element, names: set[str]) -> str:
    found = next((found for found in element.iter() if local(found) in names), None)
    return quoted(found.text or "") if found is not None else ""


def _decimal(text: str) -> Decimal | None:
    text = text.replace(",", "").rstrip("%").strip()
    try:
        value = Decimal(text if len(text) <= _LONGEST_NUMBER else "")
    except InvalidOperation:
        return None
    return value if value.is_finite() and value.adjusted() < 20 else None
