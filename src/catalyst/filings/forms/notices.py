"""Forms 144, D, 25 and 15: an insider's intended sale, an exempt offering, a delisting, a deregistration.

144, D and 25 are XML; older ones and Form 15 are text, of which only plain statements are taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from lxml import etree

from catalyst.errors import ParseError
from catalyst.filings.forms.parts import basis, fact, main_document, main_text, quoted
from catalyst.filings.forms.xmltext import is_xml, local, parse_xml, xml_text
from catalyst.filings.types import Parsed, Submission
from catalyst.stream.types import Fact

_144 = (
    ("nameOfPersonForWhoseAccountTheSecuritiesAreToBeSold", "owner", ""),
    ("relationshipToIssuer", "owner_role", ""),
    ("issuerName", "issuer", ""),
    ("noOfUnitsSold", "shares_to_be_sold", "shares"),
    ("aggregateMarketValue", "sale_value", "USD"),
    ("noOfUnitsOutstanding", "shares_outstanding", "shares"),
    ("natureOfAcquisitionTransaction", "acquired_by", ""),
)
_D = (
    ("totalOfferingAmount", "offering_size", "USD"),
    ("totalAmountSold", "amount_sold", "USD"),
    ("totalRemaining", "amount_remaining", "USD"),
    ("minimumInvestmentAccepted", "minimum_investment", "USD"),
    ("totalNumberAlreadyInvested", "investors", ""),
    ("industryGroupType", "industry", ""),
)
_25 = (
    ("descriptionClassSecurity", "delisted_class", ""),
    ("ruleProvision", "delisting_rule", ""),
)
_MOST_VALUES = 3
_MOST_ELEMENTS = 20_000
_DAY = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](20\d\d)")
_ISO = re.compile(r"20\d\d-\d\d-\d\d")
_HOLDERS = re.compile(
    r"approximate\s+number\s+of\s+holders\s+of\s+record[^:\d]{0,80}"
    r"(?:notice\s+date)?[\s|:]{0,8}(?P<value>\d[\d,]{0,12}|none)\b",
    re.IGNORECASE,
)
_CLASS = re.compile(
    r"(?P<value>[^\n|]{4,160})\n[\s|]{0,8}\(?title\s+of\s+each\s+class\s+of\s+securities\s+covered", re.IGNORECASE
)
_RULE = re.compile(
    r"rule\s+(?P<value>(?:12g-4|12h-3|15d-6|12h-6|15d-22)\s?(?:\([a-z0-9]{1,3}\)){0,4})"
    r"[ \t|]{0,6}(?:☒|☑|þ|ý|\[x\]|x\b)",
    re.IGNORECASE,
)
_TICKED_BEFORE = re.compile(
    r"(?:☒|☑|þ|ý|\[x\])[ \t|]{0,6}rule\s+(?P<value>(?:12g-4|12h-3|15d-6|12h-6|15d-22)\s?(?:\([a-z0-9]{1,3}\)){0,4})",
    re.IGNORECASE,
)


def intended_sale(submission: Submission, form: str = "") -> Parsed:
    """Form 144: who means to sell how many shares, worth what, through which broker."""
    return _xml(submission, form, _144, _sale_facts)


def exempt_offering(submission: Submission, form: str = "") -> Parsed:
    """Form D: how much is offered and sold, and under which exemption."""
    return _xml(submission, form, _D, _exempt_facts)


def delisting(submission: Submission, form: str = "") -> Parsed:
    """Form 25: which class leaves which exchange."""
    return _xml(submission, form, _25, _delisting_facts)


def deregistration(submission: Submission, form: str = "") -> Parsed:
    """Form 15: which class is deregistered, and how many holders are left."""
    parsed = basis(submission, form, "generic", main_text(submission))
    facts = [fact("filing_effect", "deregistration", quote="", verified=True)]
    for name, pattern, unit in (("holders_of_record", _HOLDERS, ""), ("deregistered_class", _CLASS, "")):
        found = pattern.search(parsed.text)
        if found:
            facts += _one(name, found["value"], unit, quoted(found[0]))
    for pattern in (_RULE, _TICKED_BEFORE):
        facts += [
            fact("rule", quoted(found["value"]), quote=quoted(found[0]), verified=True)
            for found in pattern.finditer(parsed.text)
        ]
    return replace(parsed, facts=tuple(facts[:12]))


def _xml(submission: Submission, form: str, fields: tuple[tuple[str, str, str], ...], more: object) -> Parsed:
    main = main_document(submission)
    if main is None or not is_xml(main.body):
        return basis(submission, form, "generic", main_text(submission))
    parsed = basis(submission, form, "generic", xml_text(main.body))
    try:
        root = parse_xml(main.body)
    except ParseError as error:
        return replace(parsed, problems=(*parsed.problems, str(error)))
    known = _values(root)
    facts = [
        told
        for tag, name, unit in fields
        for value in known.get(tag, ())[:_MOST_VALUES]
        for told in _one(name, value, unit, f"{tag}: {value}")
    ]
    assert callable(more)
    return replace(parsed, facts=(*facts, *more(root, known)))


def _values(root: etree._Element) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for count, element in enumerate(root.iter()):
        text = " ".join((element.text or "").split())
        if count > _MOST_ELEMENTS:
            break
        if text:
            found.setdefault(local(element), []).append(text[:300])
    return found


def _one(name: str, value: str, unit: str, quote: str, period: str = "") -> Iterator[Fact]:
    """A fact of an XML value: a number where the field is one; an indefinite amount is none."""
    wanted: Decimal | str = value
    if unit or name in ("investors", "holders_of_record"):
        try:
            wanted = Decimal(value.replace(",", ""))
        except InvalidOperation:
            return
        if not wanted.is_finite() or abs(wanted.adjusted()) > 18:
            return
    yield fact(name, wanted, unit=unit, period=period, scope="current" if unit else "", quote=quote, verified=True)


def _sale_facts(root: etree._Element, known: dict[str, list[str]]) -> Iterator[Fact]:
    for element in root.iter():
        if local(element) == "brokerOrMarketmakerDetails":
            names = [" ".join((child.text or "").split()) for child in element if local(child) == "name"]
            yield from (fact("broker", name, quote=f"name: {name}", verified=True) for name in names[:1] if name)
    for day in known.get("approxSaleDate", [])[:1]:
        yield fact("sale_date", _day(day), period=_day(day), quote=f"approxSaleDate: {day}", verified=True)
    for day in known.get("planAdoptionDate", [])[:1]:
        yield fact("plan_10b5_1", _day(day), quote=f"planAdoptionDate: {day}", verified=True)


def _exempt_facts(root: etree._Element, known: dict[str, list[str]]) -> Iterator[Fact]:
    debt, equity = (known.get(tag, [""])[0].lower() == "true" for tag in ("isDebtType", "isEquityType"))
    if debt or equity:
        tag = "isEquityType" if equity else "isDebtType"
        kind = "mixed" if debt and equity else "equity" if equity else "debt"
        yield fact("security_kind", kind, quote=f"{tag}: {known[tag][0]}", verified=True)
    for element in root.iter():
        if local(element) == "dateOfFirstSale":
            for child in element:
                day = " ".join((child.text or "").split())
                if _ISO.fullmatch(day):
                    yield fact("first_sale", day, period=day, quote=f"dateOfFirstSale: {day}", verified=True)
    for item in known.get("item", [])[:4]:
        yield fact("exemption", item, quote=f"item: {item}", verified=True)


def _delisting_facts(root: etree._Element, known: dict[str, list[str]]) -> Iterator[Fact]:
    yield fact("filing_effect", "delisting", quote="", verified=True)
    for element in root.iter():
        if local(element) == "exchange":
            for child in element:
                name = " ".join((child.text or "").split())
                if local(child) == "entityName" and name:
                    yield fact("exchange", name, quote=f"entityName: {name}", verified=True)
    for day in known.get("signatureDate", [])[:1]:
        yield fact(
            "signed", day, period=day if _ISO.fullmatch(day) else "", quote=f"signatureDate: {day}", verified=True
        )


def _day(text: str) -> str:
    """`09/04/2026` as `2026-09-04`; as it is where it is no such date."""
    found = _DAY.fullmatch(text)
    return f"{found[3]}-{int(found[1]):02d}-{int(found[2]):02d}" if found else text
