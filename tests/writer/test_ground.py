"""What a draft says must stand in its input; what does not is named."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.writer.ground import material, quotes, unfounded
from catalyst.writer.language import direction, is_in
from catalyst.writer.render import html
from catalyst.writer.types import DealContext, Recipient

SOURCE = material(
    DealContext(
        name="Pumps", customer="Alpha Trading", value=Decimal("12500.50"), due_date=date(2026, 4, 15)
    ).model_dump(),
    Recipient(name="Huda Salem", email="huda@alpha.example").model_dump(),
)  # fmt: skip


@pytest.mark.parametrize(
    "draft",
    [
        "Dear Huda Salem, 12,500.50 SAR for Pumps is due on 15 April 2026.",
        "Dear Huda, the amount of SAR 12500.5 is due 2026-04-15. Two points, 3 questions.",
        "عزيزتي هدى، المبلغ ١٢٥٠٠٫٥٠ مستحق في ١٥ أبريل ٢٠٢٦",
        "Please write to huda@alpha.example. Kind regards",
    ],
)
def test_what_the_input_holds_is_founded_however_it_is_written(draft):
    assert unfounded(draft, SOURCE) == []


@pytest.mark.parametrize(
    ("draft", "what"),
    [
        ("The amount is 12,600.50 SAR.", "12,600.50"),
        ("It is due on 16 April 2026.", "16"),
        ("We met with Omar Haddad there.", "Omar Haddad"),
        ("Pay at https://pay.example/now", "https://pay.example/now"),
        ("Write to huda@alpha-pay.example", "huda@alpha-pay.example"),
        ("Dear [Name], hello", "[Name]"),
        ("المبلغ ٩٩٩٩ ريال", "9999"),
        ("We can grant 5% off.", "5"),
        ("Please pay within 7 days.", "7"),
        ("A fee of $9 applies.", "9"),
        ("A fee of SAR 9 applies.", "9"),
        ("The amount is 12500,50,1.", "12500,50,1"),
    ],
)
def test_what_it_does_not_hold_is_named(draft, what):
    assert any(what in told for told in unfounded(draft, SOURCE)), unfounded(draft, SOURCE)


def test_a_decimal_comma_is_not_read_over():
    assert unfounded("It is 3,5 million.", "35 million") == ["'3,5' is a figure that the input does not hold."]
    assert unfounded("It is 3,5 million.", "3.5 million") == []


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_is_looked_at_without_failing(draft, source):
    unfounded(draft, source)
    assert quotes(draft, f"{source} {draft}") == quotes(draft, draft)


@pytest.mark.parametrize("bit", ["_", "1.", "a@", "-", "aA", "[", "{{", "Ab "])
def test_a_long_draft_costs_time_in_proportion(bit):
    began = time.process_time()
    unfounded(bit * (100_000 // len(bit)), SOURCE)
    assert time.process_time() - began < 2.0


@given(st.text(max_size=300))
def test_no_text_becomes_markup(text):
    made = html(text, "ar", [(text, [text])])
    for tag in ("div", "p", "br", "h3", "ul", "li"):
        made = made.replace(f"<{tag} ", "").replace(f"<{tag}>", "").replace(f"</{tag}>", "")
    assert "<" not in made


def test_html_tells_language_and_direction():
    made = html("مرحبا\n\nHello <b>", "ar")
    assert made.startswith('<div lang="ar" dir="rtl">')
    assert '<p dir="rtl">مرحبا</p>' in made
    assert '<p dir="ltr">Hello &lt;b&gt;</p>' in made


def test_scripts_are_told_apart():
    assert is_in("مرحبا بكم", "ar")
    assert not is_in("Hello there", "ar")
    assert is_in("12/34", "ar")
    assert (direction("مرحبا"), direction("abc"), direction("12")) == ("rtl", "ltr", "ltr")
