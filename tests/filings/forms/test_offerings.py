"""Offerings: what prospectuses and press releases state, and nothing they don't."""

from __future__ import annotations

from decimal import Decimal

import pytest

from catalyst.filings.forms import parse, read_submission
from catalyst.filings.forms.announced import announced
from catalyst.filings.types import Exhibit, ItemText, Parsed
from catalyst.stream.types import Fact
from tests.filings.forms.deals import DEALS, NO_DEALS, Deal
from tests.filings.forms.samples import document, submission

COVER = """PROSPECTUS SUPPLEMENT
(To Prospectus dated March 3, 2025)
4,000,000 Shares of Common Stock
Warrants to Purchase up to 4,000,000 Shares of Common Stock
We are offering 4,000,000 shares of our common stock and warrants to purchase up to 4,000,000 shares of common stock.
The warrants have an exercise price of $2.75 per share.
On April 2, 2025, the last reported sale price of our common stock was $2.61 per share.
Per Share | Total
Public offering price | $2.50 | $10,000,000.00
Placement agent fees | $0.15 | $600,000.00
We have engaged Harbor Lane Securities LLC to act as our placement agent in connection with this offering.
The date of this prospectus supplement is April 3, 2025.
TABLE OF CONTENTS
THE OFFERING
Common stock outstanding before this offering | 20,000,000 shares
Common stock to be outstanding after this offering | 24,000,000 shares
USE OF PROCEEDS
We intend to use the net proceeds from this offering for working capital.
"""


def filed(text: str, form: str) -> Parsed:
    return parse(read_submission(submission(document(form, text, filename="a.txt"), form=form)), form)


def by_name(facts: tuple[Fact, ...]) -> dict[str, list[Decimal | str]]:
    found: dict[str, list[Decimal | str]] = {}
    for fact in facts:
        found.setdefault(fact.name, []).append(fact.value)
    return found


@pytest.mark.parametrize("deal", DEALS, ids=lambda deal: deal.name)
def test_a_release_tells_the_terms_it_states(deal: Deal) -> None:
    facts = announced((), (Exhibit("EX-99.1", "a.htm", deal.text),))
    found = by_name(facts)
    for name, value in deal.values.items():
        assert found[name] == [Decimal(value)], name
    for name, word in deal.words.items():
        assert found[name] == [word], name
    assert tuple(found.get("underwriter", ())) == deal.banks
    assert not found.keys() & set(deal.absent)
    flat = " ".join(deal.text.split())
    assert all(" ".join(fact.quote.split()) in flat and fact.verified for fact in facts)


@pytest.mark.parametrize("text", NO_DEALS, ids=lambda text: text[:24])
def test_what_is_no_offering_has_no_terms(text: str) -> None:
    assert announced((), (Exhibit("EX-99.1", "a.htm", text),)) == ()


def test_an_item_tells_an_offering_and_how_far_it_is() -> None:
    item = ItemText(
        "1.01",
        "Entry into a Material Definitive Agreement",
        "On May 6, 2025, the Company entered into an underwriting agreement with Harbor Lane Securities LLC, relating "
        "to the sale of 2,000,000 shares of common stock at a price to the public of $3.10 per share. "
        "On May 8, 2025, the Company closed the offering.",
    )
    found = by_name(announced((item,), ()))
    assert found["offering_shares"] == [Decimal(2_000_000)]
    assert found["offering_price"] == [Decimal("3.10")]
    assert found["offering_stage"] == ["closed"]
    assert found["underwriter"] == ["Harbor Lane Securities LLC"]


def test_an_amended_agreement_is_no_offering() -> None:
    item = ItemText(
        "1.01", "", "The Company entered into an amendment to the purchase agreement for $5,000,000 of notes."
    )
    assert announced((item,), ()) == ()


def test_a_prospectus_has_price_size_warrants_use_and_dilution() -> None:
    parsed = filed(COVER, "424B5")
    found = by_name(parsed.facts)
    assert found["offering_shares"] == [Decimal(4_000_000)]
    assert found["offering_price"] == [Decimal("2.50")]
    assert found["offering_size"] == [Decimal(10_000_000)]
    assert found["warrant_shares"] == [Decimal(4_000_000)]
    assert found["warrant_exercise_price"] == [Decimal("2.75")]
    assert found["offering_stage"] == ["priced"]
    assert found["underwriter"] == ["Harbor Lane Securities LLC"]
    assert found["shares_outstanding_before"] == [Decimal(20_000_000)]
    assert found["shares_outstanding_after"] == [Decimal(24_000_000)]
    assert found["dilution"] == [Decimal("20.0")]
    assert "working capital" in str(found["use_of_proceeds"][0])
    (last,) = (fact for fact in parsed.facts if fact.name == "last_price")
    assert (last.value, last.period) == (Decimal("2.61"), "2025-04-02")


def test_without_shares_outstanding_there_is_no_dilution() -> None:
    found = by_name(filed(COVER.partition("TABLE")[0], "424B5").facts)
    assert "dilution" not in found
    assert found["offering_shares"] == [Decimal(4_000_000)]


@pytest.mark.parametrize(
    ("line", "form", "stage"),
    [
        ("SUBJECT TO COMPLETION, DATED APRIL 2, 2025", "424B5", ["announced"]),
        ("", "424B5", ["priced"]),
        ("", "S-1", ["announced"]),
    ],
)
def test_the_stage_of_a_prospectus(line: str, form: str, stage: list[str]) -> None:
    assert by_name(filed(f"{line}\n{COVER}", form).facts)["offering_stage"] == stage


def test_a_resale_dilutes_nobody_and_has_no_price() -> None:
    text = (
        "PROSPECTUS\n5,000,000 Shares of Common Stock\nThe selling stockholders named here may offer and sell up to "
        "5,000,000 shares of our common stock at a price of $3.00 per share or others. We will not receive any of the "
        "proceeds.\nTABLE OF CONTENTS\nCommon stock outstanding prior to this offering | 30,000,000 shares\n"
    )
    found = by_name(filed(text + "x" * 1500, "424B3").facts)
    assert found["offering_kind"] == ["resale"]
    assert not found.keys() & {"dilution", "offering_price"}


def test_two_prices_are_none() -> None:
    text = (
        "The public offering price is $4.00 per share.\nThe purchase price is $5.00 per share.\nCommon Stock\n"
        "We are offering 100,000 shares of common stock."
    )
    found = by_name(filed(text, "424B5").facts)
    assert "offering_price" not in found
    assert found["offering_shares"] == [Decimal(100_000)]


def test_a_shelf_is_mixed_and_a_note_has_no_share_price() -> None:
    shelf = "PROSPECTUS\n$150,000,000\nCommon Stock\nDebt Securities\nWe may sell securities from time to time."
    note = "$9,000,000\nIndex-Linked Notes due 2027\nWe offer the notes to the public at a price of $10.00 per note."
    assert by_name(filed(shelf, "S-3").facts)["security_kind"] == ["mixed"]
    found = by_name(filed(note, "424B2").facts)
    assert found["security_kind"] == ["debt"]
    assert "offering_price" not in found
