"""Whose alerts are not told: shares outside the operator's price bounds, and those traded over the counter.

What is not known is told: no price, a stale one and one that sources disagree about keep no alert back.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import structlog

from catalyst.bot.quotes import Quote
from catalyst.stream.types import Alert

log = structlog.get_logger()

_OTC_MARK = re.compile(
    r"\bOTC(?:QX|QB|PK|MKTS| ?Pink| ?Markets)?\s?:\s?\$?(?P<ticker>[A-Z]{1,5}(?:[.\-][A-Z]{1,2})?)\b"
)


WAIT_S, SCREENED_S = 0.025, 0.5
"""How long an alert waits for its price: a moment for its looks, longer where it may be kept back for it."""


@dataclass(frozen=True, slots=True)
class Screen:
    """Bounds in dollars a share. `skipped` counts by reason."""

    floor: Decimal = Decimal(0)
    ceiling: Decimal = Decimal("Infinity")
    skip_otc: bool = False
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def wait_s(self) -> float:
        """Seconds that an alert waits for a price. A vendor on the internet takes tenths of a second to answer: bounds
        that waited no longer than the looks do would keep next to nothing back."""
        bounded = self.floor > 0 or self.ceiling.is_finite() or self.skip_otc
        return SCREENED_S if bounded else WAIT_S

    def skips(self, alert: Alert, quote: Quote | None, now: datetime) -> str:
        """Why the alert is not told, in words; empty where it is. Counts and logs what it keeps back."""
        reason, said = self._judged(alert, quote, now)
        if reason:
            self.skipped[reason] += 1
            log.info("alert.skipped", reason=reason, why=said, subject=alert.filing_id, ticker=alert.ticker)
        return said

    def counts(self) -> Mapping[str, int]:
        return dict(self.skipped)

    def _judged(self, alert: Alert, quote: Quote | None, now: datetime) -> tuple[str, str]:
        if self.skip_otc and _over_the_counter(alert, quote):
            return "otc", f"{alert.ticker} trades over the counter (SKIP_OTC)"
        if quote is None or quote.doubtful or quote.stale(now):
            return "", ""
        if quote.price < self.floor:
            return "price_floor", f"a price of {quote.price} is below PRICE_FLOOR"
        if quote.price > self.ceiling:
            return "price_ceiling", f"a price of {quote.price} is above PRICE_CEILING"
        return "", ""


def _over_the_counter(alert: Alert, quote: Quote | None) -> bool:
    """By its source's word on the exchange, a tag of the alert, or the mark in the headline."""
    if quote is not None and quote.market:
        return quote.market == "otc"
    marks = {found["ticker"] for found in _OTC_MARK.finditer(alert.headline)}
    return "otc" in alert.tags or bool(alert.ticker and alert.ticker in marks)


__all__ = ["Screen"]
