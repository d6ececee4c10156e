"""A chart's arithmetic, without a picture: which bars count, what the axes span, where their labels stand. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from catalyst.bot.quotes import Bar
from catalyst.clock import NEW_YORK

MOST_BARS = 1000
_LEAST_SHARE = 0.15
"""The bars get at least so much of the height: a previous close farther off stands at the edge."""
_LATER = timedelta(hours=4)
"""A filing that came so long after the last bar still has its place in the picture."""
_STEPS_MINUTES = (5, 10, 15, 30, 60, 120, 240, 1440, 2880, 7200, 10080)


@dataclass(frozen=True, slots=True)
class Span:
    """What the axes show: two moments, two prices."""

    begin: datetime
    end: datetime
    low: float
    high: float
    step: timedelta
    """A bar's length."""

    def across(self, at: datetime) -> float:
        """0 at the left edge, 1 at the right."""
        return (at - self.begin) / (self.end - self.begin)

    def up(self, price: float) -> float:
        """0 at the bottom, 1 at the top; outside of it, beyond."""
        return (price - self.low) / (self.high - self.low)


def clean(bars: Sequence[Bar]) -> list[Bar]:
    """Oldest first, each moment once, without those that hold no number or no sense."""
    good = {each.at: each for each in bars if _good(each)}
    return sorted(good.values(), key=lambda each: each.at)[-MOST_BARS:]


def span(bars: Sequence[Bar], before: float | None, filed: datetime | None) -> Span:
    """The axes for these bars (at least one), the previous close and the moment of the filing."""
    step = _step(bars)
    begin, end = bars[0].at, bars[-1].at + step
    if filed is not None and end < filed <= end + _LATER:
        end = filed + step
    spare = max(timedelta(0), 12 * step - (end - begin))
    low, high = _heights(bars, before)
    return Span(begin, end + spare, low, high, step)


def price_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round prices inside the span, at most `most` and a few."""
    rough = (high - low) / most
    size = 10.0 ** math.floor(math.log10(rough))
    step = next((size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough), size * 10)
    first = math.ceil(low / step)
    return [number * step for number in range(first, math.floor(high / step) + 1)]


def digits(ticks: Sequence[float]) -> int:
    """Decimal places that tell the ticks apart."""
    step = min((b - a for a, b in itertools.pairwise(ticks)), default=1.0)
    if step >= 1 and ticks and ticks[-1] >= 1000:
        return 0
    return next((places for places in range(2, 9) if abs(round(step, places) - step) < step * 1e-6), 9)


def time_ticks(shown: Span, most: int = 7) -> list[tuple[datetime, str]]:
    """Round moments of New York's day with their labels."""
    minutes = (shown.end - shown.begin).total_seconds() / 60
    step = next((each for each in _STEPS_MINUTES if minutes / each <= most), _STEPS_MINUTES[-1])
    local = shown.begin.astimezone(NEW_YORK)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    count = math.ceil((local - midnight).total_seconds() / 60 / step)
    form = "%H:%M" if step < 1440 else "%d %b"
    found: list[tuple[datetime, str]] = []
    while (at := midnight + timedelta(minutes=step * count)) < shown.end and len(found) < 2 * most:
        found.append((at, at.strftime(form)))
        count += 1
    return found


def amount(value: float) -> str:
    """`950`, `12.3K`, `4.5M`, `1.2B`."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.0f}"


def money(value: float, places: int = 2) -> str:
    """Dollars; a share of less than one shows four places."""
    return f"{value:,.{max(places, 4) if abs(value) < 1 else places}f}"


def _good(each: Bar) -> bool:
    prices = (each.open, each.high, each.low, each.close)
    return (
        all(math.isfinite(price) and 0 < price < 1e9 for price in prices)
        and each.low <= min(each.open, each.close)
        and each.high >= max(each.open, each.close)
        and each.at.tzinfo is not None
    )


def _step(bars: Sequence[Bar]) -> timedelta:
    """The shortest time between two bars; five minutes for a single one."""
    gaps = [later.at - earlier.at for earlier, later in itertools.pairwise(bars)]
    return min(gaps, default=timedelta(minutes=5))


def _heights(bars: Sequence[Bar], before: float | None) -> tuple[float, float]:
    """Lowest and highest with a margin. A lone wild tick does not flatten the rest: it runs out of the picture."""
    body = [price for each in bars for price in (each.open, each.close)]
    wide = max(max(body) - min(body), max(body) * 1e-3)
    low = max(min(each.low for each in bars), min(body) - 2 * wide)
    high = min(max(each.high for each in bars), max(body) + 2 * wide)
    if before is not None:
        with_before = min(low, before), max(high, before)
        if high - low >= _LEAST_SHARE * (with_before[1] - with_before[0]):
            low, high = with_before
    margin = max((high - low) * 0.08, high * 2e-3)
    return max(low - margin, low * 0.5), high + margin
