"""The analysis without a model, for every kind of form."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.filings.headline import headline
from catalyst.filings.prescore import prescore
from catalyst.filings.rules import from_feed, from_rules
from catalyst.filings.types import Exhibit, ItemText, Parsed
from catalyst.stream.types import Analysis, Fact
from tests.filings.fixtures_analysis import BAD, HOSTILE, RELEASE, TRUE, agreement, earnings, fact, filing


def told_by(parsed: Parsed, form: str = "8-K", items: tuple[str, ...] = ()) -> Analysis:
    told = filing(form, items)
    return from_rules(told, parsed, prescore(form, items))


def test_the_feed_row_alone_tells_form_items_and_score() -> None:
    told = from_feed(filing(items=("1.03", "9.01")), prescore("8-K", ("1.03", "9.01")), "Acme Widgets", ["ACME"])
    assert told.source == "feed"
    assert told.sentiment is None
    assert told.priority == "high"
    assert told.event_types == ["bankruptcy"]
    assert told.risks == ["bankruptcy"]
    assert told.summary == (
        "Acme Widgets (ACME) filed form 8-K: item 1.03, Bankruptcy or Receivership; "
        "item 9.01, Financial Statements and Exhibits."
    )


def test_an_earnings_release_is_summed_up_in_its_own_sentences() -> None:
    told = told_by(earnings(), items=("2.02", "9.01"))
    assert "Revenue for the third quarter of 2025 was $1.2 billion" in told.summary
    assert "forward-looking" not in told.summary
    assert all(part in RELEASE for part in told.summary.split(". ")[:1])
    assert told.label == "bullish"
    assert told.event_types == ["earnings results"]
    assert told.grounded_share == 1.0
    assert "earnings" in told.keywords or "net income" in told.keywords


def test_figures_against_the_prior_period_count() -> None:
    up = earnings().__class__("a", "10-Q", "periodic", "", facts=tuple(TRUE[:2]))
    down = Parsed("a", "10-Q", "periodic", "", facts=(
        fact("revenue", "90", "USD", "2025-Q3", ""), fact("revenue", "100", "USD", "2024-Q3", "", "prior"),
    ))  # fmt: skip
    assert (told_by(up, "10-Q").sentiment or 0) > 0 > (told_by(down, "10-Q").sentiment or 0)
    assert "revenue -10.0% against the prior period" in told_by(down, "10-Q").rules


def test_a_report_with_structured_figures_says_them() -> None:
    facts = (
        Fact(
            name="revenue", value=Decimal(1_200_000_000), unit="USD", period="2025-Q3", scope="current", verified=True
        ),
        Fact(name="revenue", value=Decimal(1_000_000_000), unit="USD", period="2024-Q3", scope="prior", verified=True),
        Fact(
            name="eps_diluted",
            value=Decimal("0.45"),
            unit="USD/share",
            period="2025-Q3",
            scope="current",
            verified=True,
        ),
    )
    told = told_by(Parsed("a", "10-Q", "periodic", "", facts=facts), "10-Q")
    assert told.summary == "Revenue $1.2 billion (before $1 billion), diluted EPS $0.45."
    assert told.grounded_share == 1.0


def test_bad_events_lean_bad_and_name_the_risk() -> None:
    told = told_by(agreement(BAD), items=("4.02",))
    assert told.label == "bearish"
    assert "restatement" in told.risks
    assert "restatement: usually bad for holders" in told.rules


def test_a_speech_to_a_model_moves_no_rule() -> None:
    plain, hostile = told_by(earnings(), items=("2.02",)), told_by(earnings(RELEASE + "\n" + HOSTILE), items=("2.02",))
    assert (plain.sentiment, plain.label, plain.summary) == (hostile.sentiment, hostile.label, hostile.summary)
    assert any("left unread" in rule for rule in hostile.rules)


def ownership(
    code: str, shares: str, price: str | None, *more: Fact, role: str = "officer, Chief Executive Officer"
) -> Parsed:
    row = {"period": "2025-10-01", "scope": "current", "verified": True}
    facts = [
        Fact(name="owner", value="Jane Roe", verified=True),
        Fact(name="owner_role", value=role, verified=True),
        Fact.model_validate({"name": "transaction_code", "value": code, **row}),
        Fact.model_validate({"name": "transaction_shares", "value": Decimal(shares), "unit": "shares", **row}),
    ]
    if price:
        facts.append(
            Fact.model_validate({"name": "transaction_price", "value": Decimal(price), "unit": "USD/share", **row})
        )
    return Parsed("a", "4", "ownership", "Form 4", facts=(*facts, *more))


def test_an_insiders_purchase_is_told_as_a_trader_would() -> None:
    parsed = ownership("P", "12000", "10.20")
    told = told_by(parsed, "4")
    assert told.summary == "CEO Jane Roe bought 12,000 shares at $10.20 ($122k)."
    assert told.label == "bullish"
    assert headline(filing("4", ()), "Acme", ["ACME"], told) == (
        "ACME (Acme): insider transaction (4): CEO Jane Roe bought 12,000 shares at $10.20 ($122k)."
    )


def test_several_sales_are_told_together_and_a_plan_makes_them_milder() -> None:
    second = [
        Fact(name="transaction_code", value="S", verified=True),
        Fact(name="transaction_shares", value=Decimal(-1000), unit="shares", verified=True),
        Fact(name="transaction_price", value=Decimal(12), unit="USD/share", verified=True),
    ]
    sold = told_by(ownership("S", "-1000", "10", *second), "4")
    assert sold.summary == "CEO Jane Roe sold 2,000 shares at about $11.00 ($22k)."
    plan = Fact(name="plan_10b5_1", value="yes", verified=True)
    planned = told_by(ownership("S", "-1000", "10", *second, plan), "4")
    assert "under a 10b5-1 plan" in planned.summary
    assert 0 > (planned.sentiment or 0) > (sold.sentiment or 0)


def test_a_grant_without_a_price_is_told_without_a_value() -> None:
    told = told_by(ownership("A", "500", None, role="director"), "4")
    assert told.summary == "Director Jane Roe was granted 500 shares."
    assert told.label == "neutral"


def test_a_stake_is_told_by_the_largest_of_its_group() -> None:
    facts = []
    for name, percent, shares in (("Small LLC", "1.5", "150000"), ("Big Fund LP", "9.8", "980000")):
        facts += [
            Fact(name="shares_owned", value=Decimal(shares), unit="shares", quote=f"{name}: {shares}", verified=True),
            Fact(name="percent_of_class", value=Decimal(percent), unit="%", quote=f"{name}: {percent}", verified=True),
        ]
    told = told_by(Parsed("a", "SC 13D", "stake", "", facts=tuple(facts)), "SC 13D")
    assert told.summary == "Big Fund LP reports 9.8% of the class (980,000 shares)."
    assert "stake 9.8%; owns 980,000 shares" in headline(filing("SC 13D", ()), "Acme", [], told)


def test_an_offering_says_its_terms() -> None:
    facts = (
        Fact(name="offering_size", value=Decimal(50_000_000), unit="USD", verified=True),
        Fact(name="offering_shares", value=Decimal(5_000_000), unit="shares", verified=True),
        Fact(name="offering_price", value=Decimal(10), unit="USD/share", verified=True),
        Fact(name="security_kind", value="equity", verified=True),
    )
    told = told_by(Parsed("a", "424B5", "offering", "", facts=facts), "424B5")
    assert told.summary == "Equity offering of $50 million of 5,000,000 shares at $10.00 a share."
    assert told.label == "bearish"
    assert "offering of $50 million" in headline(filing("424B5", ()), "Acme", [], told)


@pytest.mark.parametrize("form", ["10-K", "S-1", "6-K", "NT 10-Q", "SC 13G", "4", "D", "XX-9", "DEF 14A"])
@pytest.mark.parametrize("family", ["eight_k", "periodic", "ownership", "offering", "stake", "generic"])
def test_every_form_gets_a_summary_even_from_nothing(
    form: str, family: Literal["eight_k", "periodic", "ownership", "offering", "stake", "generic"]
) -> None:
    told = told_by(Parsed("a", form, family, ""), form)
    assert told.summary.startswith("Acme Widgets Inc. filed form")
    assert told.event_types
    assert told.rules
    assert told.confidence is not None


def test_parsers_problems_are_told() -> None:
    told = told_by(Parsed("a", "8-K", "eight_k", "", problems=("the main document has no text",)))
    assert "the main document has no text" in told.rules


@settings(max_examples=60)
@given(st.text(max_size=1500), st.text(max_size=600), st.sampled_from(["8-K", "10-Q", "4", "424B5", "SC 13D", "6-K"]))
def test_any_text_gives_a_bounded_analysis(text: str, release: str, form: str) -> None:
    parsed = Parsed("a", form, "eight_k", text, (ItemText("8.01", "", text),), (Exhibit("EX-99.1", "", release),))
    told = told_by(parsed, form, ("8.01",))
    assert len(told.summary) < 1200
    assert len(told.keywords) <= 10
    assert len(told.risks) <= 5
    assert -1 <= (told.sentiment or 0) <= 1


def test_two_megabytes_take_well_under_a_second() -> None:
    text = "Acme sold many widgets to its customers in 2025 for $5 million. " * 30_000
    start = time.process_time()
    told_by(agreement(text), items=("8.01",))
    assert time.process_time() - start < 1.5
