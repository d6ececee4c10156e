"""Prices agree with genai-prices to the nano-dollar, count cached tokens once, and bound every call."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import genai_prices
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.errors import LLMModelError
from catalyst.llm import tokens
from catalyst.llm.models import Model, load_catalog
from catalyst.llm.prices import Prices, usd
from catalyst.llm.types import Message, Usage

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CATALOG, PRICES = load_catalog(), Prices()
NAMES = [name for name, model in CATALOG.models.items() if not model.retired]
THEIRS = {"gemini": "google"}
usages = st.builds(
    lambda fresh, cached, output: Usage(fresh + cached, output, cached),
    st.integers(0, 400_000),
    st.integers(0, 400_000),
    st.integers(0, 100_000),
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(NAMES), usages)
def test_a_cost_is_the_librarys_rounded_up_to_the_nano_dollar(name, usage):
    model = CATALOG.find(name)
    asked = genai_prices.Usage(
        input_tokens=usage.input, output_tokens=usage.output, cache_read_tokens=usage.cached or None
    )
    theirs = genai_prices.calc_price(
        asked, model_ref=model.id, provider_id=THEIRS.get(model.provider, model.provider), genai_request_timestamp=NOW
    ).total_price
    ours = usd(PRICES.of(model, NOW).cost(usage))
    assert theirs <= ours < theirs + Decimal("0.000000002")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(NAMES), usages, st.integers(0, 100_000), st.integers(0, 1000))
def test_a_bound_is_never_less_than_any_call_within_it(name, usage, more_in, more_out):
    price = PRICES.of(CATALOG.find(name), NOW)
    assert price.cost(usage) <= price.bound(usage.input + more_in, usage.output + more_out)


@given(st.sampled_from(NAMES), st.integers(0, 10**10), st.integers(0, 300_000))
def test_the_output_that_money_pays_for_costs_no_more(name, money, tokens_in):
    price = PRICES.of(CATALOG.find(name), NOW)
    most = price.output_for(money, tokens_in)
    if most >= 0:
        assert price.bound(tokens_in, most) <= money


def test_an_unpriced_model_is_refused_and_allowed_only_when_told():
    model = Model("x", "openai", "gpt-9-mystery")
    with pytest.raises(LLMModelError, match="LLM_ALLOW_UNPRICED"):
        PRICES.of(model, NOW)
    assert Prices(allow_unpriced=True).of(model, NOW).cost(Usage(100, 100)) == 0


@given(st.text(max_size=300))
def test_no_text_has_more_tokens_than_its_bound(text):
    """A byte-level tokenizer's worst case is one token a byte."""
    size = tokens.input_bytes([Message(role="user", content=text)], [], None)
    assert size == len(text.encode("utf-8", "surrogatepass"))
    assert tokens.bound(size, 1, framed=False) > size >= tokens.estimated(size) - 8
