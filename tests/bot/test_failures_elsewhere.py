"""How earlier bots failed (../shared/anchors.md, "What failed elsewhere"), by name, and that this one does not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from catalyst.bot.cards import Known, Word, card
from catalyst.bot.embeds import OUR_FIELDS, Embed, Field, faults, fitted
from catalyst.bot.quotes import BadQuote, Quote
from catalyst.clock import SimClock
from tests.bot.rig import Rig, fact, told
from tests.fakes.discord import check_message


def known(clock: SimClock, word: Word = Word.DONE) -> Known:
    return Known(word, clock.now())


async def test_the_two_phase_alert_that_nothing_called(rig: Rig):
    """From the handler that the client calls to the message and its edit, with nothing called by the test between."""
    hook = rig.webhook()
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until_states(posted=1)
    await rig.take(told(rig.clock, version=2, final=True))
    await rig.until_states(enriched=1)
    [message] = rig.discord.of(hook)
    assert len(message.edits) == 1


def test_an_embed_field_addressed_by_index(clock: SimClock):
    """A field is found by its key, whatever stands before it or is missing."""
    embed = card(told(clock, keywords=[]), known(clock))
    assert embed.field("keywords") is None
    changed = embed.having(Field("price", "Price", "$1.00")).without("form")
    assert changed.field("price") == Field("price", "Price", "$1.00")
    assert changed.field("form") is None
    assert [field.key for field in changed.fields].count("price") == 1


async def test_a_message_stuck_on_processing(rig: Rig):
    hook = rig.webhook()
    rig.run()
    await rig.take(*(told(rig.clock, n) for n in range(3)))
    await rig.until_states(leap=True, timed_out=3)
    assert all("processing" not in message.value("AI analysis") for message in rig.discord.of(hook))


def test_empty_embed_values_and_a_week_of_400s(clock: SimClock):
    empty = told(clock, keywords=["", " "], summary="", facts=[], risks=["", "\u200b"])
    bare = empty.model_copy(update={"company": "", "ticker": "", "headline": "", "items": [], "url": "nowhere"})
    for alert in (empty, bare):
        embed = card(alert, known(clock))
        assert faults((embed,)) == []
        check_message({"embeds": [embed.wire()], "allowed_mentions": {"parse": []}}, {}, kind="webhook")
    assert faults((Embed(title="x", fields=(Field("a", "A", " "),)),)) == ["field a is empty"]
    assert faults((Embed(),)) == ["nothing to show"]


async def test_seen_marked_before_delivery(rig: Rig):
    """While Discord refuses, the alert is not seen; a restart tells it."""
    hook = rig.webhook()
    rig.discord.fault("post", times=3, status=503)
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until(lambda: len(rig.discord.requests) >= 1)
    counts = await rig.states()
    assert (counts["detected"], counts["posted"]) == (1, 0)
    await rig.restart()
    await rig.until_states(leap=True, detected=0)
    assert len(rig.discord.of(hook)) == 1


@pytest.mark.parametrize("price", [float("nan"), float("inf"), 0, -3.5, "", None, "n/a", Decimal("NaN"), 1e30])
def test_a_nan_price(clock: SimClock, price: object):
    with pytest.raises(BadQuote):
        Quote.of(price, 10, clock.now(), provider="p")
    good = Quote.of("10", price, clock.now())
    assert good.prev_close is None
    embed = card(told(clock), replace(known(clock), quote=good))
    shown = embed.field("price")
    assert shown is not None
    assert shown.value == "$10.00"


@pytest.mark.parametrize(
    ("items", "shown"),
    [
        (["2.02", "9.01"], "8-K: item 2.02, 9.01"),
        (["1.05"], "8-K: item 1.05"),
        ([], "8-K"),
        (["5"], "8-K: item 5"),
    ],
)
def test_8_k_item_table_errors(clock: SimClock, items: list[str], shown: str):
    """The bot has no table of its own to be wrong: it shows the filing's items as the service read them."""
    alert = told(clock).model_copy(update={"items": items})
    field = card(alert, known(clock)).field("form")
    assert field is not None
    assert field.value == shown


def test_fifteen_to_twenty_fields_that_nobody_reads(clock: SimClock):
    facts = [fact(f"figure_{n}", str(n + 1), verified=True) for n in range(40)]
    alert = told(clock, version=2, final=True, facts=facts, risks=["a"] * 20, keywords=["k"] * 50, summary="s")
    embed = card(alert, known(clock))
    assert len(embed.fields) <= OUR_FIELDS
    many = Embed(title="x", fields=tuple(Field(str(n), "n", "v") for n in range(20)))
    assert len(fitted(many).fields) == OUR_FIELDS
    assert "20 fields" in faults((many,))


def test_unverified_figures_are_never_shown_as_facts(clock: SimClock):
    facts = [fact("revenue", "5", verified=False), fact("net_income", "7", verified=True)]
    shown = card(told(clock, version=2, final=True, facts=facts), known(clock)).field("facts")
    assert shown is not None
    assert "revenue" not in shown.value
    assert "net income: $7.00" in shown.value
