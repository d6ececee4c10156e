"""Circuits open, probe and close where they should; backoff has full jitter and obeys the provider."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from catalyst.errors import LLMRateLimitError, LLMServerError
from catalyst.llm.breaker import Breaker, BreakerRules, State
from catalyst.llm.retry import LONGEST, Backoff, retries_of


class Hand:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def circuit(rules: BreakerRules | None = None):
    hand, turns = Hand(), []
    breaker = Breaker(hand, rules, lambda name, state: turns.append(state))
    return breaker.of("openai/m"), hand, turns


def state(one) -> State:
    return one.state


def call(one, well: bool) -> None:
    assert not one.blocked()
    one.enter()
    one.succeeded() if well else one.failed()


def test_five_failures_in_a_row_open_it():
    one, _, turns = circuit()
    for well in (False, False, False, False, True, False, False, False, False):
        call(one, well)
    assert state(one) is State.CLOSED
    call(one, False)
    assert state(one) is State.OPEN
    assert "open for 60.0 s" in one.blocked()
    assert turns == [State.OPEN]


def test_half_of_twenty_calls_open_it():
    one, _, _ = circuit()
    for number in range(19):
        call(one, number % 2 == 0)
    assert state(one) is State.CLOSED
    call(one, False)
    assert state(one) is State.OPEN


def test_old_calls_leave_the_window():
    one, hand, _ = circuit()
    for _ in range(4):
        call(one, False)
    call(one, True)
    hand.now += 61
    for number in range(19):
        call(one, number % 3 != 0)
    assert state(one) is State.CLOSED


def test_after_a_minute_one_probe_passes_and_three_successes_close_it():
    one, hand, turns = circuit()
    for _ in range(5):
        call(one, False)
    hand.now += 59.9
    assert one.blocked()
    hand.now += 0.2
    assert not one.blocked()
    one.enter()
    assert "probe" in one.blocked()
    one.succeeded()
    call(one, True)
    assert state(one) is State.HALF_OPEN
    call(one, True)
    assert turns == [State.OPEN, State.HALF_OPEN, State.CLOSED]


def test_a_failed_probe_opens_it_again_and_a_cancelled_one_frees_its_place():
    one, hand, _ = circuit()
    for _ in range(5):
        call(one, False)
    hand.now += 60
    one.enter()
    one.left()
    assert not one.blocked()
    call(one, False)
    assert state(one) is State.OPEN
    assert one.ready_in() == 60


def test_a_rate_limit_cools_without_opening():
    one, hand, turns = circuit()
    one.enter()
    one.left()
    one.cool(7)
    assert "rate limited for 7.0 s" in one.blocked()
    hand.now += 7
    assert not one.blocked()
    assert turns == []


@given(st.integers(0, 12), st.one_of(st.none(), st.floats(0, 100)), st.integers(0, 2**32))
def test_backoff_is_never_shorter_than_asked_and_fully_jittered(n, after, seed):
    backoff = Backoff(2.0, random.Random(seed).uniform)
    if after is None:
        assert 0 <= backoff.wait(n, LLMServerError("x", provider="p")) <= min(LONGEST, 2.0 * 2**n)
    else:
        assert after <= backoff.wait(n, LLMRateLimitError("x", provider="p", after=after)) <= after + 0.25


def test_retries_are_three_for_high_priority_unless_said_otherwise():
    assert [retries_of(None, None, priority) for priority in ("high", "normal", "low")] == [3, 1, 1]
    assert retries_of(None, 2, "high") == 2
    assert retries_of(0, 2, "high") == 0
