"""Grounding: true facts hold, and each kind of planted error is flagged."""

from __future__ import annotations

import random
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.filings.ground import UNVERIFIED, Grounding, ground
from catalyst.filings.types import Parsed
from catalyst.stream.types import Analysis, Fact
from tests.filings.fixtures_analysis import CASH, INCOME, REVENUE, TRUE, agreement, earnings, fact, row

CHECK = Grounding(earnings())


def shown(told: Fact) -> str:
    return f"{told.name} {told.value} {told.unit} {told.period} {told.scope}"


@pytest.mark.parametrize("told", TRUE, ids=shown)
def test_a_true_fact_holds(told: Fact) -> None:
    assert CHECK.holds(told)


def scaled(told: Fact, power: int) -> Fact:
    assert isinstance(told.value, Decimal)
    return told.model_copy(update={"value": told.value.scaleb(power)})


@pytest.mark.parametrize("told", TRUE, ids=shown)
@pytest.mark.parametrize("power", [3, -3, 6, 1])
def test_a_wrong_scale_is_flagged(told: Fact, power: int) -> None:
    assert not CHECK.holds(scaled(told, power))


@pytest.mark.parametrize("told", TRUE, ids=shown)
def test_a_wrong_sign_is_flagged(told: Fact) -> None:
    assert isinstance(told.value, Decimal)
    assert not CHECK.holds(told.model_copy(update={"value": -told.value}))


@pytest.mark.parametrize("told", TRUE, ids=shown)
def test_a_wrong_unit_is_flagged(told: Fact) -> None:
    for unit in {"USD", "%", "shares", "USD/share", "EUR"} - {told.unit}:
        assert not CHECK.holds(told.model_copy(update={"unit": unit})), unit


@pytest.mark.parametrize("told", [told for told in TRUE if told.period], ids=shown)
def test_a_wrong_year_is_flagged(told: Fact) -> None:
    for year in ("2023", "2026"):
        assert not CHECK.holds(told.model_copy(update={"period": year + told.period[4:]})), year


@pytest.mark.parametrize("told", [told for told in TRUE if "Q" in told.period], ids=shown)
def test_a_wrong_quarter_or_a_year_for_a_quarter_is_flagged(told: Fact) -> None:
    quarter = "Q1" if not told.period.endswith("Q1") else "Q2"
    assert not CHECK.holds(told.model_copy(update={"period": f"{told.period[:4]}-{quarter}"}))
    assert not CHECK.holds(told.model_copy(update={"period": told.period[:4]}))


@pytest.mark.parametrize(
    "told", [told for told in TRUE if told.scope in ("current", "prior") and told.period], ids=shown
)
def test_the_other_period_is_flagged(told: Fact) -> None:
    """The prior year's figure told as this year's, and the reverse."""
    if "-Q" in told.period:
        swapped = {"current": ("2024-Q3", "prior"), "prior": ("2025-Q3", "current")}[told.scope]
        assert not CHECK.holds(told.model_copy(update={"period": swapped[0], "scope": swapped[1]}))


def test_a_changed_digit_is_flagged() -> None:
    rng = random.Random(7)
    for told in TRUE * 4:
        digits = str(told.value)
        places = [index for index, digit in enumerate(digits) if digit.isdigit() and digit != "0"]
        place = rng.choice(places)
        changed = digits[:place] + rng.choice([d for d in "123456789" if d != digits[place]]) + digits[place + 1 :]
        assert not CHECK.holds(told.model_copy(update={"value": Decimal(changed)})), (shown(told), changed)


def test_a_value_under_another_name_is_flagged() -> None:
    """Every value of the release, told under every other name with its own quote."""
    names = {told.name: told.unit for told in TRUE if told.unit != "%"}
    wrong = [
        told.model_copy(update={"name": name})
        for told in TRUE
        for name, unit in names.items()
        if name != told.name
        and unit == told.unit
        and {name, told.name} != {"revenue", "guidance_revenue_low"}
        and not (
            name.startswith("guidance_revenue")
            and told.name in ("revenue", "guidance_revenue_low", "guidance_revenue_high")
        )
        and not (told.name.startswith("guidance_revenue") and name == "revenue")
    ]
    passed = [shown(told) for told in wrong if CHECK.holds(told)]
    assert len(wrong) > 60
    assert passed == []


def test_a_value_quoted_from_the_wrong_row_is_flagged() -> None:
    assert not CHECK.holds(fact("revenue", "700118000", "USD", "2025-Q3", row("Cost of revenue")))
    assert not CHECK.holds(fact("net_income", "310500000", "USD", "2025-Q3", CASH))


def test_a_quote_that_is_not_in_the_filing_is_flagged() -> None:
    assert not CHECK.holds(
        fact("revenue", "1200000000", "USD", "2025-Q3", "Revenue for 2025 was $1.2 billion, a record.")
    )
    assert not CHECK.holds(fact("revenue", "1200000000", "USD", "2025-Q3", ""))
    assert not CHECK.holds(fact("revenue", "200000000", "USD", "2025-Q3", ".2 billion, an increase"))


def test_a_quote_may_differ_in_spaces_case_and_quotation_marks() -> None:
    parsed = agreement("Under the “Plan”, revenue  in 2025\nwas $5 million — all of it new.")
    check = Grounding(parsed)
    assert check.holds(
        fact("revenue", "5000000", "USD", "2025", 'under the "plan", revenue in 2025 was $5 million - all of it')
    )


def test_a_term_holds_when_its_quote_says_it() -> None:
    parsed = agreement("Jane Roe was appointed Chief Executive Officer.")
    told = Fact(name="ceo", value="Jane Roe", quote="Jane Roe was appointed Chief Executive Officer.")
    assert Grounding(parsed).holds(told)
    assert not Grounding(parsed).holds(told.model_copy(update={"value": "John Roe"}))


def test_structured_data_verifies_a_fact_without_a_quote() -> None:
    xbrl = Fact(name="revenue", value=Decimal(5000), unit="USD", period="2025-Q3", scope="current")
    parsed = Parsed("a", "10-Q", "periodic", "no figures here", facts=(xbrl,))
    check = Grounding(parsed)
    assert check.holds(xbrl)
    assert check.holds(xbrl.model_copy(update={"period": "Q3 2025"}))
    for update in (
        {"value": Decimal(5001)},
        {"unit": "shares"},
        {"period": "2024-Q3"},
        {"name": "cash"},
        {"scope": "prior"},
    ):
        assert not check.holds(xbrl.model_copy(update=update)), update


def test_numbers_of_the_summary_that_are_not_there_are_marked() -> None:
    told = Analysis(summary="Revenue rose 12.5% to $1.2 billion; margin was 47.3% and debt $2.4 billion.", source="llm")
    found = ground(told, earnings())
    assert found.summary == (
        f"Revenue rose 12.5% to $1.2 billion; margin was 47.3% {UNVERIFIED} and debt $2.4 billion {UNVERIFIED}."
    )
    assert found.grounded_share == 0.5


def test_a_rounded_verified_fact_may_stand_in_the_summary() -> None:
    facts = [fact("revenue", "1200034000", "USD", "2025-Q3", row("Total revenue"))]
    assert UNVERIFIED not in ground(Analysis(summary="Revenue was $1,200.0 million.", facts=facts), earnings()).summary
    assert UNVERIFIED in ground(Analysis(summary="Revenue was $1,201 million.", facts=facts), earnings()).summary


def test_a_percentage_is_no_amount_and_an_amount_no_percentage() -> None:
    assert UNVERIFIED in ground(Analysis(summary="It grew $12.5."), earnings()).summary
    assert UNVERIFIED in ground(Analysis(summary="Cash fell by 310.5%."), earnings()).summary


def test_names_of_forms_and_items_are_no_numbers() -> None:
    told = Analysis(summary="The 8-K reports item 2.02 under Form 10-K for Q3.")
    found = ground(told, earnings())
    assert found.summary == told.summary
    assert found.grounded_share is None


def test_dates_are_looked_up_as_dates() -> None:
    assert UNVERIFIED not in ground(Analysis(summary="As of September 30, 2025."), earnings()).summary
    assert UNVERIFIED in ground(Analysis(summary="As of September 29, 2025."), earnings()).summary


def test_risks_are_marked_too() -> None:
    assert ground(Analysis(risks=["Debt of $9.9 billion falls due."]), earnings()).risks == [
        f"Debt of $9.9 billion {UNVERIFIED} falls due."
    ]


def test_the_share_counts_facts_and_numbers() -> None:
    wrong = fact("revenue", "1300000000", "USD", "2025-Q3", REVENUE)
    found = ground(Analysis(facts=[TRUE[0], wrong], summary="EPS was $0.45."), earnings())
    assert [told.verified for told in found.facts] == [True, False]
    assert found.grounded_share == pytest.approx(2 / 3, abs=1e-4)


def test_an_analysis_without_numbers_has_no_share() -> None:
    assert ground(Analysis(summary="A new chief was appointed."), earnings()).grounded_share is None


def test_a_claim_of_being_verified_is_not_believed() -> None:
    lie = fact("revenue", "9", "USD", "2025-Q3", INCOME).model_copy(update={"verified": True})
    assert not ground(Analysis(facts=[lie]), earnings()).facts[0].verified


def test_grounding_twice_changes_nothing() -> None:
    once = ground(Analysis(summary="Debt is $2.4 billion.", facts=list(TRUE)), earnings())
    assert ground(once, earnings()) == once


@given(st.text(max_size=400), st.text(max_size=80), st.decimals(allow_nan=False, allow_infinity=False))
def test_any_text_is_grounded_without_an_error(text: str, quote: str, value: Decimal) -> None:
    told = Fact(name="revenue", value=value, unit="USD", period="2025", quote=quote)
    found = ground(Analysis(facts=[told], summary=text[:200], risks=[quote]), agreement(text))
    assert found.grounded_share is None or 0 <= found.grounded_share <= 1


def test_two_megabytes_are_grounded_in_linear_time() -> None:
    line = "Segment revenue | 1,234 | 5,678 | (9,012) | 3.4% for the period ended September 30, 2025\n"
    taken = []
    for size in (500_000, 2_000_000):
        parsed = agreement(line * (size // len(line)))
        start = time.process_time()
        found = ground(Analysis(summary="Revenue was $77 million and 3.4% more.", facts=list(TRUE)), parsed)
        taken.append(time.process_time() - start)
        assert not any(told.verified for told in found.facts)
    assert taken[1] < 8 * taken[0] + 0.1
    assert taken[1] < 4


@pytest.mark.parametrize(
    "declared",
    [
        "(in thousands)",
        "(Dollars in thousands)",
        "$ in thousands",
        "(000's omitted)",
        "(thousands of dollars, unless noted)",
    ],
)
def test_a_table_says_its_scale_in_many_ways(declared: str) -> None:
    table = f"Statements of income {declared}\n | 2025 | 2024\nRevenue | 1,250 | 1,100"
    check = Grounding(agreement(table))
    assert check.holds(fact("revenue", "1250000", "USD", "2025", "Revenue | 1,250 | 1,100"))
    assert not check.holds(fact("revenue", "1250", "USD", "2025", "Revenue | 1,250 | 1,100"))


def test_a_column_is_the_year_above_it_also_beside_a_column_of_changes() -> None:
    table = "Results (in millions)\n | 2025 | 2024 | Change\nRevenue | 1,250 | 1,100 | 150"
    check = Grounding(agreement(table))
    row_ = "Revenue | 1,250 | 1,100 | 150"
    assert check.holds(fact("revenue", "1250000000", "USD", "2025", row_))
    assert not check.holds(fact("revenue", "1250000000", "USD", "2025", row_, "prior"))
    assert not check.holds(fact("revenue", "1100000000", "USD", "2025", row_))
    assert not check.holds(fact("revenue", "1100000000", "USD", "2024", row_))


def test_another_currency_must_be_named() -> None:
    table = "Results (in millions)\n | 2025 | 2024\nRevenue | 1,250 | 1,100"
    told = fact("revenue", "1250000000", "EUR", "2025", "Revenue | 1,250 | 1,100")
    assert not Grounding(agreement(table)).holds(told)
    assert Grounding(agreement(table.replace("in millions", "in millions of euros"))).holds(told)


CONTRACT = (
    "Under the contract with Bolt Co., the Company will supply 40 locomotives for a purchase price of $62.5 million. "
    "Adjusted EBITDA was $18.2 million in 2025. Gross margin was 41.5% in 2025. "
    "Same-store sales declined 3.1% in 2025. The offering was priced at $10.00 per share. "
    "On May 5, 2025, the Company acquired Nut Ltd. for $75.0 million; revenue was $9.1 million in 2025."
)


@pytest.mark.parametrize(
    ("told", "holds"),
    [
        (fact("contract_locomotives", "40", "locomotives", "", CONTRACT[:60], ""), False),
        (fact("purchase_price", "62500000", "USD", "", CONTRACT[:112], ""), True),
        (fact("lawsuit_settlement", "62500000", "USD", "", CONTRACT[:112], ""), False),
        (fact("supplied_locomotives", "40", "locomotives", "", CONTRACT[:112], ""), True),
        (fact("supplied_locomotives", "40", "tractors", "", CONTRACT[:112], ""), False),
        (fact("supplied_locomotives", "40", "", "", CONTRACT[:112], ""), True),
        (fact("ebitda_adjusted", "18200000", "USD", "2025", "Adjusted EBITDA was $18.2 million in 2025."), True),
        (fact("adjusted_ebitda", "18200000", "USD", "2025", "Adjusted EBITDA was $18.2 million in 2025."), True),
        (fact("ebitda", "18200000", "USD", "2025", "Adjusted EBITDA was $18.2 million in 2025."), False),
        (fact("gross_margin", "41.5", "%", "2025", "Gross margin was 41.5% in 2025."), True),
        (fact("same_store_sales_growth", "-3.1", "%", "2025", "Same-store sales declined 3.1% in 2025."), True),
        (fact("same_store_sales_growth", "3.1", "%", "2025", "Same-store sales declined 3.1% in 2025."), False),
        (fact("price_per_share", "10", "USD/share", "", "The offering was priced at $10.00 per share."), True),
        (fact("eps_diluted", "10", "USD/share", "", "The offering was priced at $10.00 per share."), False),
        (fact("acquisition_price", "9100000", "USD", "2025", CONTRACT[-100:]), False),
        (fact("acquired_for", "75000000", "USD", "2025-05-05", CONTRACT[-109:], ""), True),
        (fact("acquired_for", "75000000", "USD", "2025-05-06", CONTRACT[-109:], ""), False),
        (fact("acquired_for", "75000000", "USD", "next week", CONTRACT[-109:], ""), False),
    ],
    ids=lambda told: shown(told) if isinstance(told, Fact) else str(told),
)
def test_facts_of_a_contract(told: Fact, holds: bool) -> None:
    assert Grounding(agreement(CONTRACT)).holds(told) is holds


@pytest.mark.parametrize("piece", ["$1 ", "1 | ", "1.", "1", "aA", "1 | \n", "net loss 1 "])
def test_a_quote_that_stands_everywhere_costs_no_more_than_its_bound(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    check = Grounding(earnings(text))
    began = time.process_time()
    for start in range(12):
        check.holds(fact("revenue", "1", "USD", "Q3 2025", text[start : start + 400]))
    assert time.process_time() - began < 4.0  # without bounds some take minutes; with them a quarter of a second
