"""Any alert gives a card that the strict Discord takes; untrusted text neither formats nor pings nor links."""

from __future__ import annotations

import random
import string
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.bot.cards import Known, Word, amount, bare, card, digest, fits_digest, price
from catalyst.bot.embeds import Embed, Field, clip, faults, fitted, length, plain, web_address
from catalyst.bot.quotes import Quote
from catalyst.stream.types import Alert, AlertType, Analysis, Fact
from tests.fakes.discord import Refusal, check_message

NOON = datetime(2025, 12, 12, 17, 0, tzinfo=UTC)
NASTY = string.printable + "\u200b\u202e\ud7ff\U0001f4a5\x00\x1b*_~`|>#@<[](){}éß中\u3000\u00a0"


def text(draw: random.Random, most: int) -> str:
    """Ordinary or nasty, empty, short or far too long."""
    size = draw.choice([0, 1, 3, 8, 20, 60] if draw.random() < 0.9 else [200, most, most * 2])
    if draw.random() < 0.5:
        return "".join(draw.choices(NASTY, k=min(size, 8000)))
    return " ".join(draw.choices(["@everyone", "<@1>", "profit", "10,000,000", "http://x.y/z", "**b**"], k=size // 6))


def any_alert(draw: random.Random) -> Alert:
    """An alert as the service may send it: every field within its type, none within reason."""
    facts = [
        Fact(
            name=text(draw, 40),
            value=draw.choice([Decimal("1E+30"), Decimal("-0.0001"), Decimal("12345678901.5"), Decimal(0)])
            if draw.random() < 0.7
            else text(draw, 300),
            unit=draw.choice(["USD", "%", "shares", "USD/share", "", text(draw, 20)]),
            period=text(draw, 10),
            verified=draw.random() < 0.6,
            quote=text(draw, 400),
        )
        for _ in range(draw.choice([0, 1, 5, 30]))
    ]
    analysis = Analysis(
        sentiment=draw.choice([None, -1, 0.5]),
        label=draw.choice(["bullish", "bearish", "neutral"]),
        confidence=draw.choice([None, 0.5]),
        keywords=[text(draw, 60) for _ in range(draw.choice([0, 1, 12]))],
        summary=text(draw, 5000),
        risks=[text(draw, 500) for _ in range(draw.choice([0, 2, 9]))],
        facts=facts,
        source=draw.choice(["feed", "rules", "llm"]),
        model=text(draw, 30),
        grounded_share=draw.choice([None, 0.5]),
    )
    return Alert(
        type=draw.choice(list(AlertType)),
        filing_id=text(draw, 30) or "x",
        ticker=text(draw, 8),
        company=text(draw, 300),
        filing_type=text(draw, 20),
        items=[text(draw, 8) for _ in range(draw.choice([0, 2, 9]))],
        timestamp=NOON,
        version=draw.choice([1, 2]),
        headline=text(draw, 200),
        analysis=analysis,
        url=draw.choice(["", "https://www.sec.gov/a.htm", "javascript:1", "https://" + "a" * 3000, text(draw, 100)]),
        tags=[text(draw, 10)],
    )


def any_message(draw: random.Random) -> dict[str, Any]:
    """The message that one generated alert becomes, in any of its phases."""
    alert = any_alert(draw)
    quote = draw.choice([None, Quote.of("0.0003", "0.0001", NOON, delay_s=900)])
    known = Known(draw.choice(list(Word)), NOON, quote)
    kind = draw.randrange(10)
    embed = bare(alert) if kind == 0 else digest([alert] * 5, NOON, "ab12") if kind == 1 else card(alert, known)
    assert faults((embed,)) == []
    return {"embeds": [embed.wire()], "allowed_mentions": {"parse": []}}


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_told_the_strict_discord_takes_it(seed: int):
    draw = random.Random(seed)
    for _ in range(250):
        check_message(any_message(draw), {}, kind="webhook")


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400), st.integers(2, 300))
def test_clipped_text_is_short_enough_and_ends_in_no_half_escape(words: str, most: int):
    cut = clip(plain(words), most)
    assert length(cut) <= most
    ending = cut.removesuffix("…")
    assert cut == ending or (len(ending) - len(ending.rstrip("\\"))) % 2 == 0


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_plain_text_is_one_line_without_mentions_or_links(words: str):
    made = plain(words)
    assert "\n" not in made
    assert "@everyone" not in made
    assert "://" not in made
    assert "\x1b" not in made
    for sign in "*_~`|<>[]":
        assert all(made[i - 1] == "\\" for i, character in enumerate(made) if character == sign)


def test_a_line_can_begin_no_heading_list_or_quote():
    for words in ("# big", "> said", "-# small", "1. one", "- item"):
        assert plain(words).startswith("\\")


@pytest.mark.parametrize(
    ("url", "good"),
    [("https://www.sec.gov/x", True), ("javascript:alert(1)", False), ("https://a b.c", False), ("https://x", False),
     ("https://user:pw@sec.gov/", False), ("https://sec.gov/" + "a" * 3000, False), ("//sec.gov", False),
     ("https://[::1", False)],
)  # fmt: skip
def test_only_addresses_that_discord_takes_are_linked(url: str, good: bool):
    assert bool(web_address(url)) is good


def test_the_longest_parts_are_shortened_to_the_total():
    full = tuple(Field(str(n), "n" * 256, "v" * 1024) for n in range(7))
    embed = fitted(Embed(title="t" * 999, description="d" * 9999, fields=full, footer="f" * 9999))
    assert faults((embed,)) == []
    assert len(embed.fields) == 7


def test_faults_name_what_discord_would_refuse():
    assert faults(()) == ["0 embeds"]
    embed = Embed(title="t" * 257, fields=(Field("price", "P", "$nan"), Field("price", "P", "v" * 1025)))
    found = faults((embed,))
    for part in ("title is too long", "two fields of one key", "field price is too long", "a number that is none"):
        assert any(part in fault for fault in found), part


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [(Decimal("1250000000"), "USD", "$1.25 billion"), (Decimal("-3100000"), "USD", "-$3.10 million"),
     (Decimal("12.50"), "%", "12.5 %"), (Decimal("3000000"), "shares", "3,000,000 shares"),
     (Decimal("4.25"), "USD/share", "$4.25 a share"), (Decimal("NaN"), "USD", ""), ("a *term*", "", r"a \*term\*")],
)  # fmt: skip
def test_amounts_are_readable(value: Decimal | str, unit: str, shown: str):
    assert amount(value, unit) == shown


def test_a_digest_tells_each_that_fits_and_says_how_many():
    alerts = [Alert(filing_id=f"f{n}", timestamp=NOON, headline=f"Acme files {n} " + "z" * 300) for n in range(60)]
    fit = fits_digest(alerts)
    embed = digest(alerts[:fit], NOON, "ab12")
    assert embed.description.count("\n") + 1 == fit
    assert embed.title == f"{fit} more alerts"
    assert faults((embed,)) == []


def test_a_price_of_a_closed_market_says_so_and_an_old_one_is_none():
    quote = Quote.of("3.21", None, NOON, session="closed")
    assert price(quote, NOON) == "$3.21, market closed"
    assert price(replace(quote, session="regular"), NOON.replace(hour=19)) == "price unavailable"


@pytest.mark.parametrize(
    ("change", "path"),
    [({"title": " "}, "embeds.0.title"), ({"title": "x" * 257}, "embeds.0.title"),
     ({"description": "x" * 4097}, "embeds.0.description"), ({"color": 1 << 24}, "embeds.0.color"),
     ({"url": "nowhere"}, "embeds.0.url"), ({"timestamp": "soon"}, "embeds.0.timestamp"),
     ({"footer": {"text": ""}}, "embeds.0.footer.text"), ({"author": {}}, "embeds.0.author.name"),
     ({"fields": [{"name": "n"}]}, "embeds.0.fields.0.value"),
     ({"fields": [{"name": "n", "value": "v"}] * 26}, "embeds.0.fields"),
     ({"image": {"url": "attachment://chart.png"}}, "embeds.0.image.url"),
     ({"fields": [{"name": "n", "value": "v" * 1024}] * 6}, "embeds")],
)  # fmt: skip
def test_the_fake_refuses_what_discord_refuses_with_its_body(change: dict[str, Any], path: str):
    body = {"embeds": [{"title": "t", **change}], "allowed_mentions": {"parse": []}}
    with pytest.raises(Refusal) as caught:
        check_message(body, {}, kind="webhook")
    place = caught.value.body["errors"]
    assert caught.value.body["code"] == 50035
    for step in path.split("."):
        place = place[step]
    assert {"code", "message"} <= place["_errors"][0].keys()


@pytest.mark.parametrize(
    ("body", "kind"),
    [({"embeds": [{"title": "t"}]}, "webhook"), ({"content": "x" * 2001, "allowed_mentions": {}}, "bot"),
     ({"embeds": [{"title": "t"}] * 11, "allowed_mentions": {}}, "bot"), ({"allowed_mentions": {}}, "bot"),
     ({"content": "x", "nonce": "n" * 26, "allowed_mentions": {}}, "bot"),
     ({"content": "x", "enforce_nonce": True, "allowed_mentions": {}}, "bot"),
     ({"content": "x", "nonce": "n", "allowed_mentions": {}}, "webhook"),
     ({"content": "x", "flags": 4096, "allowed_mentions": {}}, "edit"), ("text", "bot")],
)  # fmt: skip
def test_the_fake_is_strict_about_messages_too(body: Any, kind: str):
    with pytest.raises(Refusal):
        check_message(body, {}, kind=kind)
