"""Numbers in text: value, scale, sign and kind; and how values are written."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.filings.amounts import amounts, shown


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$1.2 billion", [("1200000000", "money")]),
        ("$1,071.4 million", [("1071400000", "money")]),
        ("$ | (1,234)", [("-1234", "money")]),
        ("$(5.2) million", [("-5200000", "money")]),
        ("($0.45) a share", [("-0.45", "money")]),
        ("(5.6)%", [("-5.6", "percent")]),
        ("12 percent", [("12", "percent")]),
        ("500 basis points", [("5", "percent")]),
        ("12,000 shares", [("12000", "shares")]),
        ("3 million common shares", [("3000000", "shares")]),
        ("−2.5%", [("-2.5", "percent")]),
        ("$3M and 40k", [("3000000", "money"), ("40000", "plain")]),
        ("€7 million", [("7000000", "money")]),
        ("in 2025", [("2025", "year")]),
        ("between 5-10 percent", [("5", "plain"), ("10", "percent")]),
        (".45", [("0.45", "plain")]),
        ("10-K, 8-K, 13D, Q3, COVID-19, 10b5-1, 401k", [("401000", "plain")]),
        ("1,23", []),
        ("no numbers", []),
    ],
)
def test_a_number_is_read_with_its_scale_sign_and_kind(text: str, found: list[tuple[str, str]]) -> None:
    assert [(amount.value, amount.kind) for amount in amounts(text)] == [(Decimal(v), kind) for v, kind in found]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("1234567000", "USD", "$1.23 billion"),
        ("-5200000", "USD", "-$5.2 million"),
        ("950", "USD", "$950"),
        ("1E+9", "USD", "$1 billion"),
        ("1.2", "USD/share", "$1.20"),
        ("-0.455", "USD/share", "-$0.455"),
        ("12000", "shares", "12,000 shares"),
        ("12.50", "%", "12.5%"),
        ("100", "", "100"),
        ("7", "employees", "7 employees"),
    ],
)
def test_a_value_is_written_as_a_reader_expects(value: str, unit: str, text: str) -> None:
    assert shown(Decimal(value), unit) == text


def test_a_term_is_written_as_it_is() -> None:
    assert shown("at the market") == "at the market"


@given(st.text(alphabet="0123456789.,$()%- |milnbor\n", max_size=200))
def test_any_text_of_digits_and_signs_is_read_without_an_error(text: str) -> None:
    for amount in amounts(text):
        assert 0 <= amount.start < amount.end <= len(text)
        assert amount.value.is_finite()


def test_a_long_text_takes_linear_time() -> None:
    taken = []
    for count in (5_000, 20_000):
        text = "$1,234.5 million | (12) | 3% " * count
        start = time.process_time()
        assert sum(1 for _ in amounts(text)) == 3 * count
        taken.append(time.process_time() - start)
    assert taken[1] < 8 * taken[0] + 0.05
