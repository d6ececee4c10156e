"""Lines in the terminal: dense, honest about what is still being checked, and deaf to escape sequences."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from catalyst.bot.client import Message
from catalyst.bot.terminal import Terminal, clean
from catalyst.stream.types import Alert, AlertType, Analysis

SEEN = datetime(2025, 12, 12, 21, 5, 0, tzinfo=UTC)
FIRST = Alert(
    filing_id="0000320193-25-000001",
    ticker="ACME",
    filing_type="8-K",
    items=["2.02", "9.01"],
    timestamp=SEEN + timedelta(seconds=0.31),
    accepted_at=datetime.fromisoformat("2025-12-12T16:04:58-05:00"),
    seen_at=SEEN,
    headline="Acme reports results",
    analysis=Analysis(priority="high", priority_score=0.9),
)
LATER = FIRST.model_copy(
    update={
        "type": AlertType.FILING_UPDATE,
        "version": 2,
        "final": True,
        "analysis": Analysis(sentiment=0.42, label="bullish", priority="high", source="llm"),
    }
)


def line(alert: Alert, color: bool = False, width: int = 0) -> str:
    return Terminal(io.StringIO(), color=color, width=width).line(alert)


def test_an_alert_is_one_line_with_what_a_trader_reads_first():
    assert line(FIRST) == "16:04:58   HIGH   ACME   8-K 2.02,9.01    Acme reports results checking… 0.31s"


def test_an_update_is_marked_and_carries_the_sentiment():
    assert line(LATER) == "16:04:58 ↻ HIGH   ACME   8-K 2.02,9.01    Acme reports results ▲ bullish +0.42 0.31s"


def test_colour_only_where_it_is_wanted():
    assert "\x1b[" not in line(LATER)
    assert "\x1b[32m▲ bullish" in line(LATER, color=True)


def test_a_long_headline_is_cut_to_the_terminal():
    cut = line(FIRST.model_copy(update={"headline": "x" * 500}), width=100)
    assert "…" in cut
    assert len(cut) <= 110


async def test_a_message_is_written_at_once():
    out = io.StringIO()
    await Terminal(out, color=False)(Message(1, FIRST, False, {}))
    assert out.getvalue().count("\n") == 1


def test_escape_sequences_and_bidirectional_overrides_are_removed():
    assert clean("a\x1b]0;title\x07b\u202ec\r\nd\x9b2J") == "a]0;titlebc d2J"


@given(text=st.text(max_size=80))
def test_no_text_of_a_filing_reaches_the_terminal_as_control(text: str):
    shown = line(FIRST.model_copy(update={"headline": text, "ticker": text, "items": [text], "filing_type": text}))
    assert all(character.isprintable() or character == " " or ord(character) >= 0xA0 for character in shown)
    assert "\x1b" not in shown
    assert "\n" not in shown
