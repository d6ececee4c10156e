"""Periodic reports, ownership, offerings, stakes and everything else."""

from __future__ import annotations

from decimal import Decimal

import pytest

from catalyst.filings.forms import PARSERS, generic, parse, parser_of, read_submission
from tests.filings.forms.samples import FORM_4, TEN_Q


def facts(data: str, form: str) -> list[tuple]:
    parsed = parse(read_submission(data.encode(), form), form)
    return [(fact.name, fact.value, fact.unit, fact.period, fact.scope) for fact in parsed.facts]


def test_tagged_numbers_have_scale_sign_period_and_prior():
    assert facts(TEN_Q, "10-Q") == [
        ("revenue", Decimal(1_250_500_000), "USD", "2025-Q2", "current"),
        ("revenue", Decimal(1_100_000_000), "USD", "2024-Q2", "prior"),
        ("net_income", Decimal(-12_300_000), "USD", "2025-Q2", "current"),
        ("eps_diluted", Decimal("-0.42"), "USD/share", "2025-Q2", "current"),
        ("cash", Decimal(0), "USD", "2025-06-30", "current"),
    ]


def test_a_tagged_number_is_quoted_by_its_row_and_verified():
    parsed = parse(read_submission(TEN_Q.encode(), "10-Q"), "10-Q")
    revenue = parsed.facts[0]
    assert revenue.quote == "Revenue | $1,250.5 | 1,100"
    assert revenue.quote in parsed.text
    assert revenue.verified


def test_sections_of_a_10q_are_named_by_part_and_number():
    parsed = parse(read_submission(TEN_Q.encode(), "10-Q"), "10-Q")
    assert [(item.code, item.text[:12]) for item in parsed.items] == [("I.1", "Licences | 9"), ("I.2", "Revenue rose")]


def test_a_heading_whose_number_and_title_disagree_is_no_section():
    page = "<html><p>Item 7. Legal Proceedings</p><p>none</p><p>Item 3. Legal Proceedings</p><p>One suit.</p></html>"
    parsed = parse(read_submission(page.encode(), "10-K"), "10-K")
    assert [(item.code, item.text) for item in parsed.items] == [("3", "One suit.")]


def test_a_classic_instance_gives_the_same_facts():
    instance = """<?xml version="1.0"?><xbrl xmlns="http://www.xbrl.org/2003/instance">
    <context id="q"><entity/><period><startDate>2012-01-01</startDate><endDate>2012-03-31</endDate></period></context>
    <us-gaap:Revenues contextRef="q" unitRef="USD" decimals="-3">553219000</us-gaap:Revenues></xbrl>"""
    assert facts(instance, "10-Q") == [
        ("revenue", Decimal(553_219_000), "USD", "2012-01-01/2012-03-31", "current"),
    ]


def test_a_form_4_names_the_owner_and_every_transaction():
    parsed = parse(read_submission(FORM_4.encode()))
    known = {fact.name: fact.value for fact in parsed.facts}
    assert known == {
        "issuer": "Quill & Anchor",
        "owner": "Reed Ada",
        "owner_role": "director, officer, Chief Executive Officer",
        "plan_10b5_1": "yes",
        "transaction_code": "S",
        "transaction_shares": Decimal(-1500),
        "transaction_price": Decimal("12.75"),
        "shares_owned_after": Decimal(48500),
    }
    assert "S (open-market sale) | disposed | 1,500 shares | at $12.75" in parsed.text
    assert "indirect: By trust" in parsed.text
    assert "F1: A weighted average." in parsed.text
    assert all(fact.quote in parsed.text for fact in parsed.facts if fact.name.startswith("transaction"))
    assert [party.role for party in parsed.header.parties] == ["issuer", "reporting"]


def test_an_offering_takes_what_the_cover_states_and_nothing_ambiguous():
    cover = (
        "<html><p>Filed Pursuant to Rule 424(b)(5)</p><p>3,000,000 Shares of Common Stock</p>"
        "<p>The public offering price is $4.25 per share.</p>"
        "<p>The last reported sale price of our common stock was $5.10 per share.</p>{}</html>"
    )
    known = {name: value for name, value, *_ in facts(cover.format(""), "424B5")}
    assert known["offering_shares"] == Decimal(3_000_000)
    assert known["offering_price"] == Decimal("4.25")
    assert known["last_price"] == Decimal("5.10")
    two = {name for name, *_ in facts(cover.format("<p>5,000,000 Shares</p>"), "424B5")}
    assert "offering_shares" not in two


def test_an_at_the_market_offering_has_its_size():
    page = "<html><p>Up to $25,000,000</p><p>Common Stock</p><p>an “at the market offering”</p></html>"
    known = {name: value for name, value, *_ in facts(page, "424B5")}
    assert known == {"offering_size": Decimal(25_000_000), "offering_kind": "at the market", "security_kind": "equity"}


def test_a_stake_is_read_from_xml_and_from_a_page():
    xml = """<?xml version="1.0"?><edgarSubmission>
    <headerData><submissionType>SCHEDULE 13D</submissionType></headerData>
    <formData><issuerInfo><issuerName>Quill</issuerName></issuerInfo><reportingPersons><reportingPersonInfo>
    <reportingPersonName>Tern Fund LP</reportingPersonName><aggregateAmountOwned>164310</aggregateAmountOwned>
    <percentOfClass>6.3</percentOfClass></reportingPersonInfo></reportingPersons></formData></edgarSubmission>"""
    page = (
        "<html><p>AGGREGATE AMOUNT BENEFICIALLY OWNED BY EACH REPORTING PERSON</p><p>164,310</p>"
        "<p>PERCENT OF CLASS REPRESENTED BY AMOUNT IN ROW (11)</p><p>6.3%</p></html>"
    )
    for data in (xml, page):
        known = {name: value for name, value, *_ in facts(data, "SCHEDULE 13D")}
        assert (known["shares_owned"], known["percent_of_class"]) == (Decimal(164_310), Decimal("6.3"))


@pytest.mark.parametrize(
    ("form", "family"),
    [
        ("8-K/A", "eight_k"),
        ("8-K12B", "eight_k"),
        ("10-KT", "periodic"),
        ("10-Q/A", "periodic"),
        ("4", "ownership"),
        ("4/A", "ownership"),
        ("424B5", "offering"),
        ("425", "generic"),
        ("40-F", "periodic"),
        ("40-APP", "generic"),
        ("S-3ASR", "offering"),
        ("S-11", "generic"),
        ("SC 13D/A", "stake"),
        ("SC 14D9", "generic"),
        ("SCHEDULE 13G", "stake"),
        ("", "generic"),
        ("NT 10-K", "generic"),
    ],
)
def test_each_form_goes_to_its_parser(form, family):
    parsed = parse(read_submission(b"<html><p>Some words of a filing.</p></html>", form or "X"), form or "X")
    assert parsed.family == family


def test_every_parser_is_listed_once_by_prefix():
    assert len({prefix for prefix, _ in PARSERS}) == len(PARSERS)
    assert parser_of("UNHEARD OF") is generic.parse


def test_unknown_xml_becomes_readable_lines():
    parsed = parse(read_submission(b'<?xml version="1.0"?><edgarSubmission><formType>D</formType></edgarSubmission>'))
    assert "formType: D" in parsed.text
