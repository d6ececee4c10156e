"""Alerts as lines in a terminal: one dense line each, an update as another that starts with ↻.

What comes from outside is stripped of control characters first: a filing must not be able to write to the terminal.
"""

from __future__ import annotations

import os
import shutil
import unicodedata
from datetime import datetime
from typing import TextIO

from catalyst.bot.entry import Message
from catalyst.bot.senders import Delivery
from catalyst.stream.types import Alert

_RESET, _DIM, _BOLD = "\x1b[0m", "\x1b[2m", "\x1b[1m"
_PRIORITY = {"high": "\x1b[1;31m", "medium": "\x1b[33m", "low": "\x1b[36m", "none": _DIM}
_MOOD = {
    "bullish": ("▲", "\x1b[32m"),
    "bearish": ("▼", "\x1b[31m"),
    "neutral": ("■", _DIM),
}
_FIXED = 62
"""Columns that everything but the headline takes."""


class Terminal:
    """A handler that prints. Where `out` is no terminal, lines are plain and never cut."""

    def __init__(self, out: TextIO, *, color: bool | None = None, width: int | None = None) -> None:
        """`color` None: in a terminal, unless NO_COLOR is set; `width` None: the terminal's, 0 never cuts."""
        live = out.isatty()
        self._out = out
        self._color = live and not os.environ.get("NO_COLOR") if color is None else color
        self._width = (shutil.get_terminal_size().columns if live else 0) if width is None else width

    async def __call__(self, message: Message) -> None:
        self.show(message.alert)

    def show(self, alert: Alert) -> None:
        """Print one line, at once."""
        self._out.write(self.line(alert) + "\n")
        self._out.flush()

    def line(self, alert: Alert) -> str:
        """Time, priority, ticker, form and items, headline, sentiment, latency."""
        analysis = alert.analysis
        update = alert.type.endswith("_update")
        parts = [
            self._paint(f"{_clock(alert)}", _DIM),
            "↻" if update else " ",
            self._paint(f"{analysis.priority.upper():<6}", _PRIORITY[analysis.priority]),
            self._paint(f"{clean(alert.ticker) or '-':<6}", _BOLD),
            f"{_form(alert):<16}",
            self._headline(alert),
            self._mood(alert),
            self._paint(_latency(alert), _DIM),
        ]
        return " ".join(part for part in parts if part).rstrip()

    def _headline(self, alert: Alert) -> str:
        text = clean(alert.headline) or clean(alert.company)
        room = max(20, self._width - _FIXED) if self._width else len(text)
        return text if len(text) <= room else text[: room - 1] + "…"

    def _mood(self, alert: Alert) -> str:
        analysis = alert.analysis
        waiting = "" if alert.final else "checking…"
        if analysis.sentiment is None:
            return self._paint(waiting, _DIM)
        sign, color = _MOOD[analysis.label]
        said = self._paint(f"{sign} {analysis.label} {analysis.sentiment:+.2f}", color)
        return f"{said} {self._paint(waiting, _DIM)}" if waiting else said

    def _paint(self, text: str, code: str) -> str:
        return f"{code}{text}{_RESET}" if self._color and text else text


class TerminalSender:
    """What would go to Discord, as lines: for `catalyst bot --dry-run`."""

    exact = True

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    async def post(self, delivery: Delivery) -> str:
        for alert in delivery.alerts:
            self._terminal.show(alert)
        return delivery.nonce

    async def edit(self, message_id: str, delivery: Delivery) -> None:
        """What is new of it; that nothing came in time is no line of its own."""
        for alert in delivery.alerts:
            if alert.type.endswith("_update"):
                self._terminal.show(alert)


def clean(text: str) -> str:
    """Without control, format and surrogate characters (escape sequences, bidirectional overrides), on one line."""
    kept = ("" if unicodedata.category(character)[0] == "C" else character for character in " ".join(text.split()))
    return "".join(kept)


def _clock(alert: Alert) -> str:
    moment: datetime = alert.accepted_at or alert.timestamp
    return f"{moment:%H:%M:%S}"


def _form(alert: Alert) -> str:
    items = ",".join(clean(item) for item in alert.items[:4])
    return f"{clean(alert.filing_type)} {items}".rstrip()


def _latency(alert: Alert) -> str:
    """From the poll response that first showed the filing to this message."""
    if alert.seen_at is None:
        return ""
    return f"{max(0.0, (alert.timestamp - alert.seen_at).total_seconds()):.2f}s"
