"""Money into weeks and months: whatever the amounts and dates, parts and totals are equal, to the last decimal."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from decimal import Decimal, localcontext

from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.cashflow.buckets import cut, periods, table
from catalyst.cashflow.types import DealPrediction, Interval

TODAY = date(2026, 3, 25)

amounts = st.decimals(
    min_value=-(10**17), max_value=10**17, allow_nan=False, allow_infinity=False, places=6
) | st.sampled_from(
    [Decimal(0), Decimal("0.01"), Decimal("-0.005"), Decimal("999999999999999999.999999"), Decimal("1E+17")]
)
parts = (
    st.lists(st.floats(0, 1), min_size=1, max_size=120)
    .filter(lambda given: sum(given) > 0)
    .map(lambda given: tuple(part / (sum(given) * 1.0000001) for part in given))
)


@st.composite
def predictions(draw):
    mass = draw(parts)
    middle = TODAY + timedelta(len(mass) // 2)
    interval = Interval(p10=TODAY, p50=middle, p90=TODAY + timedelta(len(mass)))
    return DealPrediction(
        deal_id=draw(st.text("abc", min_size=1, max_size=3)),
        value=draw(amounts),
        currency=draw(st.sampled_from(["SAR", "USD", "KWD", "JPY"])),
        as_of=TODAY,
        invoice=interval,
        payment=interval,
        source="history",
        confidence=draw(st.floats(0, 1)),
        invoice_mass=draw(parts | st.just(())),
        payment_mass=mass,
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(predictions(), max_size=12), st.integers(1, 400), st.sampled_from(["week", "month"]), st.floats(0, 1))
def test_totals_are_the_sums_of_their_parts_exactly_and_no_money_is_lost(deals, days, granularity, least):
    found = table(deals, TODAY, days, granularity, min_confidence=least)
    kept = [deal for deal in deals if deal.confidence >= least]
    assert len(found.left_out) == len(deals) - len(kept)
    with localcontext() as context:
        context.prec = 100
        for total in found.totals:
            rows = [row for row in found.periods if row.currency == total.currency]
            mine = [deal for deal in kept if deal.currency == total.currency]
            assert sum((row.payment_value for row in rows), Decimal(0)) == total.payment_value
            assert sum((row.invoice_value for row in rows), Decimal(0)) == total.invoice_value
            assert sum(row.deal_count for row in rows) == total.deal_count
            assert total.payment_value + total.beyond_payment_value == sum((deal.value for deal in mine), Decimal(0))
            assert total.deal_count + total.beyond_deal_count == len(mine)
    assert {total.currency for total in found.totals} == {deal.currency for deal in kept}


def test_a_callers_plain_sum_equals_the_total_too():
    prediction = table_of("123456789012345678.123456", "SAR")
    rows = table([prediction] * 3, TODAY, 70, "week")
    assert sum(row.payment_value for row in rows.periods) == rows.totals[0].payment_value


def test_two_currencies_are_never_added():
    found = table([table_of("10", "SAR"), table_of("20", "USD")], TODAY, 70, "week")
    assert [(total.currency, total.payment_value + total.beyond_payment_value) for total in found.totals] == [
        ("SAR", Decimal(10)),
        ("USD", Decimal(20)),
    ]


@given(amounts, parts)
def test_cut_pieces_sum_to_the_amount(value, shares):
    sums = [sum(shares[: index + 1]) for index in range(len(shares))]
    with localcontext() as context:
        context.prec = 100
        assert sum(cut(value, sums, "SAR"), Decimal(0)) == value


def test_weeks_in_which_the_clock_changes_have_seven_days():
    spans = periods(date(2026, 3, 23), 21, "week")  # Europe's clocks change on 29 March 2026
    assert [(last - first).days for first, last in spans] == [6, 6, 6]
    assert spans[0] == (date(2026, 3, 23), date(2026, 3, 29))


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(1, 1_098), st.sampled_from(["week", "month"]),
       st.sampled_from(["monday", "sunday", "saturday"]))  # fmt: skip
def test_periods_follow_one_another_without_gap_over_the_whole_horizon(start, days, granularity, begins):
    spans = periods(start, days, granularity, begins)
    assert spans[0][0] == start
    assert spans[-1][1] == start + timedelta(days - 1)
    assert all(after[0] == before[1] + timedelta(1) for before, after in itertools.pairwise(spans))
    if granularity == "week":
        assert all(first.weekday() == {"monday": 0, "sunday": 6, "saturday": 5}[begins] for first, _ in spans[1:])


def table_of(value: str, currency: str) -> DealPrediction:
    interval = Interval(p10=TODAY, p50=TODAY + timedelta(20), p90=TODAY + timedelta(90))
    return DealPrediction(
        deal_id="d", value=Decimal(value), currency=currency, as_of=TODAY, payment=interval, source="history",
        confidence=0.5, payment_mass=(1 / 3,) * 3,
    )  # fmt: skip
