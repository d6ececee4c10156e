"""What an alert's chart costs: `python -m bench.charts [--quick]`, beside matplotlib in the same run.

Both draw the same days at the same size with the same parts: candles, volume, previous close, the filing's moment,
title, both axes, PNG. matplotlib is used as a bot would use it at best: the Agg canvas without pyplot, collections in
place of one artist a candle. Days are generated (seeded): thin and busy ones, with halts, before the open, of a single
bar. Times are wall time of one thread, the two taken in turns, so that a busy machine burdens both alike.
"""

from __future__ import annotations

import argparse
import io
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.common import percentile, report, say
from catalyst.bot.chart import HEIGHT, MOST_BYTES, WIDTH, Painter
from catalyst.bot.quotes import Bar, Quote
from catalyst.stream.types import Alert

OPEN = datetime(2025, 12, 12, 14, 30, tzinfo=UTC)
Day = tuple[list[Bar], Quote, Alert]


def day(seed: int) -> Day:
    """One share's day of 5-minute bars."""
    draw = random.Random(seed)
    price, count = 10 ** draw.uniform(-2, 3), draw.choice((1, 20, 78, 78, 78, 132, 192))
    at = OPEN - timedelta(hours=5.5 if count > 78 else 0)
    before, swing, bars = price, draw.uniform(0.001, 0.03), []
    for _ in range(count):
        end = max(1e-4, price * (1 + draw.gauss(0, swing)))
        high, low = max(price, end) * (1 + swing / 2), min(price, end) * (1 - swing / 2)
        bars.append(Bar(at, price, high, low, end, draw.expovariate(1e-5)))
        price, at = end, at + timedelta(minutes=5 if draw.random() > 0.01 else 40)
    filed = bars[draw.randrange(count)].at
    quote = Quote.of(price, before, at, provider="bench")
    return bars, quote, Alert(filing_id="1", ticker="ACME", timestamp=at, accepted_at=filed, filing_type="8-K")


def by_matplotlib(bars: list[Bar], quote: Quote, alert: Alert) -> bytes:
    """The same picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.dates import DateFormatter, date2num
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100, facecolor="#1e1f22")
    canvas = FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [4, 1]})
    times = [date2num(each.at) for each in bars]
    colors = ["#3fb96f" if each.close >= each.open else "#f0605a" for each in bars]
    above.vlines(times, [each.low for each in bars], [each.high for each in bars], colors=colors, linewidth=1)
    above.vlines(times, [each.open for each in bars], [each.close for each in bars], colors=colors, linewidth=5)
    below.vlines(times, 0, [each.volume for each in bars], colors=colors, linewidth=5)
    above.axhline(float(quote.prev_close or 0), color="#c5a253", linestyle="--")
    for axes in (above, below):
        axes.set_facecolor("#1e1f22")
        axes.tick_params(colors="#a9adb5")
        axes.grid(color="#34363c")
        if alert.accepted_at is not None:
            axes.axvline(date2num(alert.accepted_at), color="#6ea8fe")
    above.set_title(f"{alert.ticker}  ${quote.price:.2f}  {quote.change or 0:+.1f} %", color="#f2f3f5")
    below.xaxis.set_major_formatter(DateFormatter("%H:%M"))
    out = io.BytesIO()
    canvas.print_png(out)
    return out.getvalue()


def took(draw: Callable[..., bytes | None], given: Day) -> tuple[float, int]:
    """Milliseconds and bytes."""
    start = time.perf_counter()
    image = draw(*given)
    return (time.perf_counter() - start) * 1000, len(image or b"")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="20 days in place of 100")
    parser.add_argument("--seed", type=int, default=7, help="of the generated days")
    options = parser.parse_args()
    days = [day(options.seed * 1000 + number) for number in range(20 if options.quick else 100)]
    painter = Painter()
    cold, theirs_cold = took(painter, days[0])[0], took(by_matplotlib, days[0])[0]
    ours: list[tuple[float, int]] = []
    theirs: list[tuple[float, int]] = []
    for given in days:
        ours.append(took(painter, given))
        theirs.append(took(by_matplotlib, given))
    say(f"{len(days)} days; the first of ours took {cold:.0f} ms, of matplotlib's {theirs_cold:.0f} ms")
    mine, peer = [each[0] for each in ours], [each[0] for each in theirs]
    p50, peer_p50 = percentile(mine, 0.5) or 0.0, percentile(peer, 0.5) or 0.0
    largest = max(size for _, size in ours)
    figures: dict[str, Any] = {
        "p50_ms": p50,
        "p99_ms": percentile(mine, 0.99),
        "first_ms": round(cold, 1),
        "ratio_matplotlib": round(peer_p50 / p50, 2),
        "largest_bytes": largest,
        "over_limit": sum(not 0 < size <= MOST_BYTES for _, size in ours),
    }
    peers = {
        "matplotlib_p50_ms": peer_p50,
        "matplotlib_p99_ms": percentile(peer, 0.99),
        "matplotlib_first_ms": theirs_cold,
    }
    report("charts", figures, peers=peers, settings={"days": len(days), "seed": options.seed, "size": (WIDTH, HEIGHT)})


if __name__ == "__main__":
    main()
