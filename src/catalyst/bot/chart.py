"""The picture in an alert: the day's trading, yesterday's close, and the moment the filing came.

Drawn with Pillow at twice the size that Discord shows (about 520 by 290), with Pillow's own scalable font, in a thread:
`Painter` is a `Chart`. The arithmetic is in `chart_scale.py`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from catalyst.bot.chart_scale import Span, amount, clean, digits, money, price_ticks, span, time_ticks
from catalyst.bot.prices.session import session_at
from catalyst.bot.quotes import Bar, Quote
from catalyst.clock import NEW_YORK
from catalyst.stream.types import Alert, AlertType

if TYPE_CHECKING:
    from PIL import ImageDraw

WIDTH, HEIGHT = 1040, 580
MOST_BYTES = 200_000
Theme = Literal["dark", "light"]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

_PRICES: Box = (20, 118, 900, 424)
_VOLUME: Box = (20, 442, 900, 528)
_TALL: Box = (20, 118, 900, 528)
"""The prices' place where there is no volume."""
_CANDLE = 7.0
"""Pixels a bar from which candles can be told apart; a line below."""
_GAP = 3
"""A line ends where so many bars are missing."""


@dataclass(frozen=True, slots=True)
class Colors:
    """One theme's."""

    back: str
    text: str
    faint: str
    grid: str
    shade: str
    up: str
    down: str
    before: str
    filed: str

    def inks(self) -> list[str]:
        """Every color that is drawn, fading into the background and into what lies under letters."""
        drawn = (self.text, self.faint, self.grid, self.shade, self.up, self.down, self.before, self.filed)
        fading = [_blend(color, self.back, step / 5) for color in drawn for step in range(1, 6)]
        muted = [_blend(color, self.back) for color in (self.up, self.down)]
        on_chip = [_blend(self.back, color, step / 5) for color in (self.up, self.down) for step in range(1, 5)]
        return [self.back, *drawn, *fading, *muted, *on_chip]


THEMES: dict[Theme, Colors] = {
    "dark": Colors(
        "#1e1f22", "#f2f3f5", "#a9adb5", "#34363c", "#26282d", "#3fb96f", "#f0605a", "#c5a253", "#6ea8fe"
    ),
    "light": Colors(
        "#ffffff", "#1b1d21", "#5c626d", "#e4e6ea", "#f3f4f6", "#1a8a4a", "#cc3a33", "#93701a", "#2463d1"
    ),
}  # fmt: skip


class Painter:
    """Call it with bars, quote and alert: a PNG of at most 200 kB, or None where no bar holds a price."""

    def __init__(self, theme: Theme = "dark") -> None:
        self._colors = THEMES[theme]
        self._fonts: dict[int, Any] = {}
        self._matched: Any = None
        self._shown: list[int] = []

    def __call__(self, bars: Sequence[Bar], quote: Quote | None, alert: Alert) -> bytes | None:
        from PIL import Image, ImageDraw

        good = clean(bars)
        if not good:
            return None
        self._prepare()
        image = Image.new("RGB", (WIDTH, HEIGHT), self._colors.back)
        _Picture(ImageDraw.Draw(image), self._font, self._colors, good, quote, alert).draw()
        out = io.BytesIO()
        few = image.quantize(palette=self._matched, dither=Image.Dither.NONE)
        few.putpalette(self._shown)
        few.save(out, "PNG", compress_level=3)
        return out.getvalue() if out.tell() <= MOST_BYTES else None

    def _prepare(self) -> None:
        """A palette of the theme's colors and the steps between them that the edges of letters need: a picture of few
        colors is encoded in a fifth of the time, to half the bytes.

        Pillow finds a palette's nearest color by each channel's upper six bits: it is given those, one color for each
        (the first of `inks`), so that what was drawn is found exactly; the image gets the full colors back.
        """
        if self._matched is None:
            from PIL import Image

            inks: dict[tuple[int, ...], tuple[int, int, int]] = {}
            for color in self._colors.inks():
                inks.setdefault(tuple(value & ~3 for value in _rgb(color)), _rgb(color))
            self._shown = _flat(inks.values())
            self._matched = Image.new("P", (1, 1))
            self._matched.putpalette(_flat(inks))

    def _font(self, size: int) -> Any:
        if size not in self._fonts:
            from PIL import ImageFont

            self._fonts[size] = ImageFont.load_default(size)
        return self._fonts[size]


class _Picture:
    """One chart being drawn, back to front."""

    def __init__(
        self,
        pen: ImageDraw.ImageDraw,
        font: Callable[[int], Any],
        colors: Colors,
        bars: Sequence[Bar],
        quote: Quote | None,
        alert: Alert,
    ) -> None:
        self._pen, self._font, self._colors = pen, font, colors
        self._bars, self._quote, self._alert = bars, quote, alert
        self._before = float(quote.prev_close) if quote is not None and quote.prev_close is not None else None
        self._filed = alert.accepted_at.astimezone(NEW_YORK) if alert.accepted_at else None
        self._span: Span = span(bars, self._before, self._filed)
        self._has_volume = any(each.volume > 0 for each in bars)
        self._plot = _PRICES if self._has_volume else _TALL
        self._labels: list[Box] = []
        self._slot = self._x(self._span.begin + self._span.step) - self._x(self._span.begin)
        self._lefts = [self._x(each.at) for each in bars]

    def draw(self) -> None:
        self._shade()
        self._grid()
        self._header()
        if self._has_volume:
            self._volumes()
        self._prices()
        self._dashes()
        self._filing()
        self._previous_close()
        self._last()

    # -- places

    def _x(self, at: datetime) -> float:
        left, _, right, _ = self._plot
        return left + self._span.across(at) * (right - left)

    def _y(self, price: float) -> float:
        _, top, _, bottom = self._plot
        return bottom - min(1.0, max(0.0, self._span.up(price))) * (bottom - top)

    def _text(self, place: tuple[float, float], said: str, size: int, color: str, anchor: str, bold: int = 0) -> None:
        self._pen.text(place, said, color, self._font(size), anchor=anchor, stroke_width=bold, stroke_fill=color)

    def _length(self, said: str, size: int) -> float:
        return float(self._font(size).getlength(said))

    # -- parts

    def _shade(self) -> None:
        """Hours before and after the regular session."""
        bottom = _VOLUME[3]
        if self._span.step >= timedelta(hours=6):
            return
        for each in self._bars:
            if session_at(each.at) != "regular":
                left = self._x(each.at)
                self._pen.rectangle((left, self._plot[1], left + self._slot, bottom), self._colors.shade)

    def _grid(self) -> None:
        left, top, right, _ = self._plot
        ticks = price_ticks(self._span.low, self._span.high, 6 if self._has_volume else 8)
        places = digits(ticks)
        last = self._y(self._bars[-1].close)
        for tick in ticks:
            y = self._y(tick)
            self._pen.line((left, y, right, y), self._colors.grid, 2)
            if abs(y - last) > 30:
                self._text((right + 12, y), money(tick, places), 24, self._colors.faint, "lm")
        for at, label in time_ticks(self._span):
            x = self._x(at)
            self._pen.line((x, top, x, _VOLUME[3]), self._colors.grid, 2)
            half = self._length(label, 24) / 2
            self._text((min(max(x, left + half), right - half), 554), label, 24, self._colors.faint, "mm")

    def _header(self) -> None:
        colors, quote = self._colors, self._quote
        price = float(quote.price) if quote is not None else self._bars[-1].close
        shown = f"${money(price)}"
        self._text((20, 46), _plain(self._alert.ticker, 12) or "price", 48, colors.text, "lm", bold=1)
        right = WIDTH - 20.0
        if self._before is not None:
            change = (price / self._before - 1) * 100
            said = f"{change:+,.1f} %" if abs(change) < 1000 else f"x{price / self._before:,.0f}"
            color = colors.text if abs(change) < 0.05 else self._toned(change)
            self._text((right, 46), said, 40, color, "rm", bold=1)
            right -= self._length(said, 40) + 26
        self._text((right, 46), shown, 48, colors.text, "rm", bold=1)
        self._text((20, 92), self._about(), 24, colors.faint, "lm")

    def _about(self) -> str:
        """The day, the bars' length, and what one must know about the price."""
        newest = self._bars[-1].at.astimezone(NEW_YORK)
        minutes = self._span.step.total_seconds() / 60
        length = f"{minutes:.0f} min bars" if minutes < 1440 else "daily bars"
        parts = [f"{newest:%a} {newest.day} {newest:%b %Y}", length, "New York time"]
        quote = self._quote
        if quote is not None and quote.delay_s >= 60:
            parts.append(f"{quote.delay_s / 60:.0f} min delayed")
        if quote is not None and quote.session != "regular":
            parts.append({"pre": "pre-market", "post": "after hours", "closed": "market closed"}[quote.session])
        if quote is not None and quote.doubtful:
            parts.append("sources disagree")
        return "  ·  ".join(parts)

    def _volumes(self) -> None:
        left, top, _, bottom = _VOLUME
        most = max(each.volume for each in self._bars)
        wide = max(1.0, self._slot * 0.7)
        for each in self._bars:
            if each.volume > 0:
                x = self._x(each.at) + (self._slot - wide) / 2
                high = max(2.0, each.volume / most * (bottom - top))
                color = _blend(self._toned(each.close - each.open), self._colors.back)
                self._pen.rectangle((x, bottom - high, x + max(0.0, wide - 1), bottom), color)
        self._pen.line((left, bottom, _VOLUME[2], bottom), self._colors.grid, 2)
        self._text((_VOLUME[2] + 12, top + 26), amount(most), 24, self._colors.faint, "lm")
        self._text((_VOLUME[2] + 13, top + 56), "volume", 22, self._colors.faint, "lm")

    def _prices(self) -> None:
        if self._slot >= _CANDLE:
            self._candles()
        else:
            self._line()

    def _candles(self) -> None:
        wide = min(self._slot * 0.7, 28.0)
        for each in self._bars:
            middle = self._x(each.at) + self._slot / 2
            color = self._toned(each.close - each.open)
            self._pen.line((middle, self._y(each.high), middle, self._y(each.low)), color, 2)
            high, low = sorted((self._y(each.open), self._y(each.close)))
            self._pen.rectangle((middle - wide / 2, high, middle + wide / 2, max(low, high + 2)), color)

    def _line(self) -> None:
        color = self._toned(self._bars[-1].close - (self._before or self._bars[0].open))
        run: list[tuple[float, float]] = []
        for number, each in enumerate(self._bars):
            if number and each.at - self._bars[number - 1].at > _GAP * self._span.step:
                self._stroke(run, color)
                run = []
            run.append((self._x(each.at) + self._slot / 2, self._y(each.close)))
        self._stroke(run, color)

    def _stroke(self, run: Sequence[tuple[float, float]], color: str) -> None:
        if len(run) > 1:
            self._pen.line(list(run), color, 4, joint="curve")
        elif run:
            x, y = run[0]
            self._pen.ellipse((x - 3, y - 3, x + 3, y + 3), color)

    def _dashes(self) -> None:
        """The previous close."""
        if self._before is None:
            return
        y, right = self._y(self._before), self._plot[2]
        for x in range(int(self._plot[0]), int(right), 18):
            self._pen.line((x, y, min(x + 10, right), y), self._colors.before, 2)

    def _previous_close(self) -> None:
        """Its words."""
        if self._before is None:
            return
        left, top, right, bottom = self._plot
        y = self._y(self._before)
        inside = 0 <= self._span.up(self._before) <= 1
        said = f"prev. close {money(self._before)}" + ("" if inside else " (off scale)")
        heights = [each for each in (y - 20, y + 20) if top + 12 < each < bottom - 12]
        middle = (left + right) / 2
        places = [
            (x, each, anchor) for x, anchor in ((left + 8, "lm"), (right - 8, "rm"), (middle, "mm")) for each in heights
        ]
        self._label(places, said, self._colors.before)

    def _filing(self) -> None:
        """A line at the moment it came; at the edge where it came before the first bar or long after the last."""
        if self._filed is None:
            return
        left, top, right, bottom = self._plot
        across = self._span.across(self._filed)
        if not -5 <= across <= 6:
            return
        x = left + min(1.0, max(0.0, across)) * (right - left)
        headline = self._alert.type in (AlertType.HEADLINE_ALERT, AlertType.HEADLINE_UPDATE)
        kind = "news" if headline else _plain(self._alert.filing_type, 12) or "filing"
        other_day = self._filed.date() != self._bars[-1].at.astimezone(NEW_YORK).date()
        said = f"{kind} {self._filed:%d %b %H:%M}" if other_day else f"{kind} {self._filed:%H:%M}"
        said = f"< {said}" if across < 0 else f"{said} >" if across > 1 else said
        self._pen.line((x, top - 4, x, _VOLUME[3]), self._colors.filed, 4)
        onward = x + self._length(said, 24) + 30 < right
        beside, anchor = (x + 14, "lm") if onward else (x - 14, "rm")
        self._label([(beside, y, anchor) for y in (top + 16, bottom - 16)], said, self._colors.filed)

    def _last(self) -> None:
        """The last bar's close, on the axis."""
        close = self._bars[-1].close
        right, y = self._plot[2], self._y(close)
        before = self._before if self._before is not None else self._bars[0].open
        self._pen.rounded_rectangle((right + 4, y - 19, WIDTH - 6, y + 19), 6, self._toned(close - before))
        self._text((right + 12, y), money(close, 0 if close >= 10_000 else 2), 24, self._colors.back, "lm")

    def _label(self, places: Sequence[tuple[float, float, str]], said: str, color: str) -> None:
        """Words over the plot, on a patch of the background, where they hide the fewest bars and no other words."""
        boxes = [self._pen.textbbox((x, y), said, self._font(24), anchor=anchor) for x, y, anchor in places]
        _, (x, y, anchor), (left, top, right, bottom) = min(
            zip((self._hidden(box) for box in boxes), places, boxes, strict=True), key=lambda each: each[0]
        )
        self._labels.append((left, top, right, bottom))
        self._pen.rectangle((left - 6, top - 4, right + 6, bottom + 4), self._colors.back)
        self._text((x, y), said, 24, color, anchor)

    def _hidden(self, box: Box) -> int:
        """How many bars lie under the box; other words weigh most."""
        left, top, right, bottom = box
        words = sum(_meet(box, each) for each in self._labels)
        words += self._filed is not None and left < self._x(self._filed) < right
        placed = zip(self._bars, self._lefts, strict=True)
        bars = [each for each, x in placed if left - self._slot < x < right]
        return words * 1000 + sum(self._y(each.high) < bottom and top < self._y(each.low) for each in bars)

    def _toned(self, change: float) -> str:
        return self._colors.up if change >= 0 else self._colors.down


def _plain(text: str, most: int) -> str:
    """What the font can show."""
    return "".join(character for character in text if " " <= character <= "~").strip()[:most]


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _blend(color: str, back: str, share: float = 0.55) -> str:
    pairs = zip(_rgb(color), _rgb(back), strict=True)
    return "#" + "".join(f"{round(ours * share + theirs * (1 - share)):02x}" for ours, theirs in pairs)


def _flat(colors: Iterable[Sequence[int]]) -> list[int]:
    """A whole palette: what is left repeats the first."""
    values = [value for color in colors for value in color]
    return values + values[:3] * (256 - len(values) // 3)


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


__all__ = ["HEIGHT", "MOST_BYTES", "THEMES", "WIDTH", "Painter", "Theme"]
