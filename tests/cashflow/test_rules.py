"""Facts, overrides, stage constants and sanity."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from pydantic import ValidationError

from catalyst.cashflow import DealForPrediction, DealPrediction, DeterministicRules
from catalyst.cashflow.predictor import Knowledge, Predictor
from catalyst.cashflow.types import Interval

TODAY = date(2026, 3, 25)
RULES = DeterministicRules(TODAY)
NOTHING = Knowledge(None, None, 0)


def deal(**fields):
    return DealForPrediction(**{"deal_id": "d", "stage": "Order Received", "value": Decimal(100)} | fields)


def predicted(**fields):
    return Predictor(NOTHING, TODAY).predict(deal(**fields))


@pytest.mark.parametrize(
    ("stage", "days"),
    [("Order Received", 10), ("under progress", 22), ("Awaiting GR", 5), ("Production", 45), ("Supplying", 45),
     ("Production/Supplying", 45)],
)  # fmt: skip
def test_each_stage_has_its_constant(stage, days):
    estimate = RULES.get_stage_estimate(stage)
    assert estimate.days == days
    assert "constant" in estimate.reason


@pytest.mark.parametrize(("days_in_stage", "left"), [(0, 10), (4, 6), (60, 0), (61, 14), (400, 14)])
def test_more_than_sixty_days_in_a_stage_add_fourteen(days_in_stage, left):
    estimate = RULES.get_stage_estimate("Order Received", days_in_stage)
    assert estimate.days == left
    assert estimate.stuck == (days_in_stage > 60)


def test_a_payment_is_a_fact_and_leaves_nothing_to_forecast():
    found = predicted(invoice_date=date(2026, 1, 1), payment_date=date(2026, 2, 1))
    assert (found.source, found.confidence) == ("fact", 1.0)
    assert found.payment == Interval(p10=date(2026, 2, 1), p50=date(2026, 2, 1), p90=date(2026, 2, 1))


def test_a_lost_deal_expects_nothing():
    found = predicted(stage="Lost")
    assert (found.source, found.payment) == ("void", None)


def test_constants_give_terms_after_the_stage_with_a_wide_span_and_say_so():
    found = predicted()
    assert found.source == "constants"
    assert found.invoice is not None
    assert found.payment is not None
    assert found.invoice.p50 == TODAY + timedelta(10)
    assert abs((found.payment.p50 - TODAY).days - 47) <= 3
    assert (found.payment.p90 - found.payment.p10).days >= 30
    assert sum("constant" in reason for reason in found.reasoning) == 2


def test_agreed_terms_come_before_the_constant_of_thirty_seven_days():
    found = predicted(invoice_date=TODAY, terms_days=60)
    assert found.payment is not None
    assert found.payment.p50 == TODAY + timedelta(60)


def test_an_override_is_followed_and_named():
    found = predicted(expected_payment_date=date(2026, 6, 1))
    assert found.source == "override"
    assert found.payment is not None
    assert found.payment.p50 == date(2026, 6, 1)
    assert any("set by hand" in reason for reason in found.reasoning)


@pytest.mark.parametrize(
    ("fields", "warned"),
    [
        ({"expected_payment_date": date(2026, 1, 1)}, "has passed unpaid"),
        ({"expected_invoice_date": date(2026, 1, 1)}, "has passed"),
        ({"expected_invoice_date": date(2026, 5, 1), "expected_payment_date": date(2026, 4, 1)}, "before the invoice"),
        ({"value": Decimal(0)}, "zero"),
        ({"value": Decimal("-5")}, "credit"),
        ({"value": Decimal("5000000000000")}, "huge"),
        ({"invoice_date": date(2025, 1, 1)}, "at risk"),
    ],
)
def test_what_is_odd_is_warned_of_and_never_followed(fields, warned):
    found = predicted(**fields)
    assert any(warned in warning for warning in found.warnings), found.warnings
    assert found.payment is not None
    assert found.payment.p50 >= TODAY


def test_a_prediction_is_put_right_and_says_so():
    early = Interval(p10=date(2026, 1, 1), p50=date(2026, 1, 2), p90=date(2026, 1, 3))
    wrong = DealPrediction(
        deal_id="d", as_of=TODAY, invoice=early, payment=early, source="history", confidence=0.5, invoice_mass=(1.0,)
    )
    found = RULES.validate_prediction(wrong)
    assert found.invoice is not None
    assert found.payment is not None
    assert found.invoice.p50 == TODAY
    assert found.payment.p50 >= found.invoice.p50
    assert len(found.warnings) == 2


def test_more_than_a_year_away_warns():
    far = Interval(p10=TODAY, p50=TODAY + timedelta(366), p90=TODAY + timedelta(400))
    found = RULES.validate_prediction(
        DealPrediction(deal_id="d", as_of=TODAY, payment=far, source="history", confidence=0.5)
    )
    assert any("more than a year" in warning for warning in found.warnings)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e30", "0.0000001"])
def test_amounts_that_are_none_are_refused(value):
    with pytest.raises(ValidationError):
        DealForPrediction(deal_id="d", value=Decimal(value))
