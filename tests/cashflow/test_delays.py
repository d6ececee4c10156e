"""What the past teaches: known behaviours are found, thin history stays wide, and plain ways are never done worse."""

from __future__ import annotations

import random

import pytest
from bench.forecast import BEHAVIOURS, invented
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.cashflow.backtest import backtest
from catalyst.cashflow.delays import Delays
from catalyst.cashflow.effects import Spell, fit
from catalyst.cashflow.mass import Curve, Mass, on, spread
from catalyst.errors import UsageError


def spells(customers, count, delay, *, until=400, seed=3):
    rng = random.Random(seed)
    made = []
    for start in sorted(rng.randrange(until) for _ in range(count)):
        customer = rng.randrange(customers)
        made.append(Spell(start, start + delay(rng, customer), 30, (f"c{customer}", "all", "30", "")))
    return made


def width(mass):
    first, last = mass.interval(0.8)
    return last - first


def test_a_customers_own_pace_is_learned():
    known = Delays.learn(spells(8, 400, lambda rng, c: 10 + 5 * c + rng.randrange(3)), 400)
    assert known is not None
    assert known.effects is not None
    for customer, expected in ((0, 11), (7, 46)):
        mass = known.mass(Spell(401, None, 30, (f"c{customer}", "all", "30", "")), 400)
        assert abs(mass.median() - 1 - expected) <= 1
        first, last = mass.interval(0.8)
        assert last - first <= 8


def test_an_unknown_customer_gets_a_wide_interval():
    known = Delays.learn(spells(8, 400, lambda rng, c: 10 + 5 * c + rng.randrange(3)), 400)
    assert known is not None
    widths = {
        name: (lambda span: span[1] - span[0])(
            known.mass(Spell(401, None, 30, (name, "all", "30", "")), 400).interval(0.8)
        )
        for name in ("c3", "never seen")
    }
    assert widths["never seen"] >= 2 * widths["c3"]


def test_thin_history_stays_wide_and_says_that_nothing_was_tried():
    few = spells(3, 5, lambda rng, c: 20, until=100)
    known = Delays.learn(few, 200, prior=[(18, 0.5), (37, 1.0), (74, 0.5)])
    assert known is not None
    assert known.mae_days is None
    first, last = known.mass(Spell(201, None, 30, ("c0", "all", "30", "")), 200).interval(0.8)
    assert last - first >= 15


def test_nothing_paid_and_nothing_assumed_teaches_nothing():
    assert Delays.learn([Spell(0, None, 30, ("c", "", "", ""))], 10) is None
    assert Delays.learn([], 10) is None


def test_who_never_pays_is_expected_to_pay_less_the_older_the_invoice():
    paid = spells(6, 300, lambda rng, c: 20 + rng.randrange(5))
    never = [Spell(start, None, 30, ("bad", "all", "30", "")) for start in range(0, 300, 10)]
    known = Delays.learn([*paid, *never], 400)
    assert known is not None
    shares = [known.ends(Spell(400 - age, None, 30, ("bad", "all", "30", "")), 400) for age in (0, 20, 60)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] < 0.2
    assert known.ends(Spell(400, None, 30, ("c1", "all", "30", "")), 400) > 0.95
    clean = Delays.learn(paid, 400)
    assert clean is not None
    assert clean.ends(Spell(300, None, 30, ("c1", "all", "30", "")), 400) == 1.0


def test_what_is_open_teaches_that_delays_are_longer():
    """Of invoices twenty days old only the quick ones are paid: taken alone they would say ten days."""
    slow = [Spell(80, 90 if number % 2 else 130, 30, ("c", "", "", "")) for number in range(200)]
    fitted = fit([spell.known(100) for spell in slow], 100)
    assert fitted.center(30, ("c", "", "", "")) > 14


def test_what_happened_later_is_never_looked_at():
    """The same past with two different futures forecasts the same."""
    past = spells(6, 300, lambda rng, c: 15 + 4 * c + rng.randrange(5))
    other = [s if (s.end or 0) <= 300 else Spell(s.start, (s.end or 0) + 50, s.promised, s.groups) for s in past]
    asked = Spell(301, None, 30, ("c2", "all", "30", ""))
    one, two = Delays.learn(past, 300), Delays.learn(other, 300)
    assert one is not None
    assert two is not None
    assert one.mass(asked, 300).parts == two.mass(asked, 300).parts


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-50, 400), st.booleans(), st.floats(0.1, 3)), min_size=1, max_size=60).filter(
        lambda scores: any(done for _, done, _ in scores)
    ),
    st.floats(0, 120),
    st.floats(0.2, 4),
    st.integers(-1, 900),
)
def test_a_mass_is_a_distribution_after_today_whatever_the_scores(scores, center, scale, age):
    mass = Curve(scores).days(center, scale, age)
    assert mass.parts[0] == 0.0
    assert min(mass.parts) >= 0.0
    assert sum(mass.parts) <= 1.0 + 1e-9
    first, last = mass.interval(0.8)
    assert first <= mass.median() <= last
    assert mass.median() >= 1


def test_an_interval_of_a_certain_day_is_that_day():
    assert on(5).interval(0.8) == (5, 5)
    assert on(5).median() == 5


@given(st.lists(st.tuples(st.integers(0, 60), st.floats(0.1, 5)), min_size=1, max_size=8), st.integers(0, 60))
def test_what_is_left_after_a_day_still_sums_to_one(days, after):
    left = spread(days).given_after(after)
    assert abs(sum(left.parts) - 1) < 1e-6
    assert left.by(after) == 0


def test_sums_of_days_add():
    total = spread([(1, 1), (3, 1)]).plus(spread([(10, 1)]))
    assert total == Mass((*[0.0] * 11, 0.5, 0.0, 0.5))
    assert total.later(-20).parts == (1.0,)


def judged(name, count, warmup):
    found = backtest(invented(name, 11)[-count:], warmup=warmup)
    return found.ours.mae_days, min(found.peers[peer].mae_days for peer in ("due_date", "global_median"))


@pytest.mark.parametrize("name", ["on_the_due_date", "only_noise"])
def test_plain_behaviours_are_forecast_by_plain_ways(name):
    ours, best = judged(name, 240, 0.7)
    assert ours <= best * 1.03 + 0.05


@pytest.mark.slow
@pytest.mark.parametrize("name", [*BEHAVIOURS])
def test_no_behaviour_is_forecast_worse_than_by_the_due_date_or_everyones_median(name):
    ours, best = judged(name, 500, 0.7)
    assert ours <= best * 1.03 + 0.05


def test_a_backtest_refuses_two_currencies_and_too_little():
    rows = invented("own_pace", 1)[:60]
    with pytest.raises(UsageError, match="one currency"):
        backtest([rows[0].model_copy(update={"currency": "USD"}), *rows[1:]])
    with pytest.raises(UsageError, match="at least 20"):
        backtest(rows[:10])
