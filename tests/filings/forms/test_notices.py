"""Late filings, intended sales, exempt offerings, delistings, deregistrations, meetings and tender offers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from catalyst.filings.forms import parse, read_submission
from catalyst.filings.prescore import prescore
from catalyst.filings.rules import from_rules
from catalyst.filings.types import Parsed
from tests.filings.fixtures_analysis import filing
from tests.filings.forms.samples import document, submission

LATE = """FORM 12b-25
NOTIFICATION OF LATE FILING
For Period Ended: December 31, 2024
PART III - NARRATIVE
State below in reasonable detail why Forms 10-K, 10-Q could not be filed within the prescribed time period.
The registrant needs more time to value its Redstone property. It expects to file within the extension.
PART IV - OTHER INFORMATION
(2) Have all other periodic reports been filed? {filed}
(3) Is it anticipated that any significant change in results of operations from the corresponding period for the last
fiscal year will be reflected by the earnings statements to be included in the subject report? {answer}
If so, attach an explanation of the anticipated change, both narratively and quantitatively, and, if appropriate, state
the reasons why a reasonable estimate of the results cannot be made.
The registrant expects a net loss of approximately $14.2 million for 2024, compared to $6.1 million for 2023.
"""
SALE = """<?xml version="1.0"?><edgarSubmission><formData><issuerInfo><issuerName>QUILL CO</issuerName>
<nameOfPersonForWhoseAccountTheSecuritiesAreToBeSold>Reed Ada</nameOfPersonForWhoseAccountTheSecuritiesAreToBeSold>
<relationshipsToIssuer><relationshipToIssuer>Officer</relationshipToIssuer></relationshipsToIssuer></issuerInfo>
<securitiesInformation><brokerOrMarketmakerDetails><name>Harbor Lane Securities LLC</name></brokerOrMarketmakerDetails>
<noOfUnitsSold>12000</noOfUnitsSold><aggregateMarketValue>480000.50</aggregateMarketValue>
<noOfUnitsOutstanding>9000000</noOfUnitsOutstanding><approxSaleDate>06/02/2025</approxSaleDate></securitiesInformation>
</formData></edgarSubmission>"""
EXEMPT = """<?xml version="1.0"?><edgarSubmission><offeringData><industryGroup><industryGroupType>Biotechnology
</industryGroupType></industryGroup><typeOfFiling><dateOfFirstSale><value>2025-05-01</value></dateOfFirstSale></typeOfFiling>
<federalExemptionsExclusions><item>06b</item></federalExemptionsExclusions>
<typesOfSecuritiesOffered><isEquityType>true</isEquityType></typesOfSecuritiesOffered>
<offeringSalesAmounts><totalOfferingAmount>{amount}</totalOfferingAmount><totalAmountSold>2500000</totalAmountSold>
<totalRemaining>7500000</totalRemaining></offeringSalesAmounts></offeringData></edgarSubmission>"""
REMOVAL = """<?xml version="1.0"?><notificationOfRemoval><exchange><entityName>New Exchange LLC</entityName></exchange>
<issuer><entityName>Quill Co</entityName></issuer><descriptionClassSecurity>Common Stock</descriptionClassSecurity>
<ruleProvision>17 CFR 240.12d2-2(b)</ruleProvision></notificationOfRemoval>"""
PROXY = """NOTICE OF ANNUAL MEETING OF STOCKHOLDERS
The Annual Meeting of Stockholders of Quill Co will be held on Thursday, June 12, 2025 at 9:00 a.m., Mountain Time.
1. To elect seven directors named in the proxy statement;
2. To ratify the appointment of Holt & Byrne LLP as auditor; and
3. To approve an amendment to effect a reverse stock split at a ratio of 1-for-10.
Only holders of record at the close of business on April 21, 2025 may vote.
"""
TENDER = """OFFER TO PURCHASE
Quarry LLC is offering to purchase all of the outstanding shares of common stock of Quill Co at a price of
$9.25 per share, net to the seller in cash. The offer and withdrawal rights will expire at one minute after
11:59 p.m., New York City time, on August 14, 2025, unless the offer is extended.
"""


def filed(text: str, form: str) -> Parsed:
    return parse(read_submission(submission(document(form, text), form=form)), form)


def known(parsed: Parsed) -> dict[str, Decimal | str]:
    return {fact.name: fact.value for fact in parsed.facts}


@pytest.mark.parametrize(
    ("filed_box", "answer", "expected"),
    [
        ("Yes ☒ No ☐", "Yes ☒ No ☐", "yes"),
        ("☒ Yes ☐ No", "☐ Yes ☒ No", "no"),
        ("[X] Yes [ ] No", "[ ] Yes [X] No", "no"),
        ("Yes [x] No [ ]", "Yes [x] No [ ]", "yes"),
        ("Yes", "Yes ☒ No ☒", None),
        ("Yes", "Yes No", None),
    ],
)
def test_a_late_filing_tells_why_and_the_box_that_is_ticked(filed_box: str, answer: str, expected: str | None) -> None:
    parsed = filed(LATE.format(filed=filed_box, answer=answer), "NT 10-K")
    facts = known(parsed)
    assert facts["late_form"] == "10-K"
    assert facts["late_reason"] == "The registrant needs more time to value its Redstone property."
    assert facts.get("significant_change_expected") == expected
    assert ("expected_change" in facts) == (expected == "yes")


def test_an_intended_sale_has_shares_value_broker_and_relation() -> None:
    parsed = filed(SALE, "144")
    facts = known(parsed)
    assert facts["shares_to_be_sold"] == Decimal(12000)
    assert facts["sale_value"] == Decimal("480000.50")
    assert (facts["broker"], facts["owner_role"], facts["sale_date"]) == (
        "Harbor Lane Securities LLC", "Officer", "2025-06-02",
    )  # fmt: skip
    told = from_rules(filing("144", ()), parsed, prescore("144", ()))
    assert told.summary.startswith("Officer Reed Ada means to sell 12,000 shares worth $480k through Harbor Lane")
    assert told.grounded_share == 1.0


@pytest.mark.parametrize(("amount", "size"), [("10000000", Decimal(10_000_000)), ("Indefinite", None), ("1e99", None)])
def test_an_exempt_offering_has_what_was_sold(amount: str, size: Decimal | None) -> None:
    facts = known(filed(EXEMPT.format(amount=amount), "D"))
    assert facts.get("offering_size") == size
    assert facts["amount_sold"] == Decimal(2_500_000)
    assert (facts["security_kind"], facts["exemption"], facts["first_sale"]) == ("equity", "06b", "2025-05-01")


def test_a_delisting_names_class_exchange_and_rule() -> None:
    parsed = filed(REMOVAL, "25-NSE")
    facts = known(parsed)
    assert (facts["delisted_class"], facts["exchange"]) == ("Common Stock", "New Exchange LLC")
    assert facts["delisting_rule"] == "17 CFR 240.12d2-2(b)"
    told = from_rules(filing("25-NSE", ()), parsed, prescore("25-NSE", ()))
    assert told.summary.startswith("Common Stock will be removed from New Exchange LLC.")


def test_a_deregistration_counts_the_holders() -> None:
    text = (
        "FORM 15\nCommon Stock, par value $0.001 per share\n(Title of each class of securities covered by this Form)\n"
        "Rule 12g-4(a)(1) ☒\nRule 12h-3(b)(1)(i) ☐\n"
        "Approximate number of holders of record as of the certification or notice date: 212\n"
    )
    facts = known(filed(text, "15-12G"))
    assert facts["holders_of_record"] == Decimal(212)
    assert facts["deregistered_class"] == "Common Stock, par value $0.001 per share"
    assert facts["rule"] == "12g-4(a)(1)"


@pytest.mark.parametrize("form", ["DEF 14A", "PRE 14A"])
def test_a_proxy_has_its_meeting_and_every_proposal(form: str) -> None:
    facts = known(filed(PROXY, form))
    assert (facts["meeting_date"], facts["meeting_kind"], facts["record_date"]) == (
        "2025-06-12",
        "annual",
        "2025-04-21",
    )
    assert facts["proposal_2"] == "To ratify the appointment of Holt & Byrne LLP as auditor"
    assert "1-for-10" in str(facts["proposal_3"])
    assert "proposal_4" not in facts


def test_a_tender_offer_has_price_and_deadline() -> None:
    facts = known(filed(TENDER, "SC TO-T"))
    assert facts["offer_price"] == Decimal("9.25")
    assert facts["offer_expires"] == "2025-08-14"
    assert facts["shares_sought_all"] == "all outstanding"


@pytest.mark.parametrize("form", ["144", "D", "25-NSE", "NT 10-Q", "15-12G", "DEF 14A", "SC TO-I", "SC 13E3"])
def test_a_form_that_says_nothing_gives_its_text_alone(form: str) -> None:
    parsed = filed("<html><p>Nothing that a rule reads stands here.</p></html>", form)
    assert "Nothing that a rule reads" in parsed.text
    assert not [fact for fact in parsed.facts if fact.name != "filing_effect" and fact.name != "late_form"]
