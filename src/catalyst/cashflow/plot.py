"""A forecast as a picture: bars for expected money, a band for its span, dots for what came. SVG, no library. Pure.

Nothing in it comes from outside but numbers, dates and a currency; text is escaped all the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

WIDTH, HEIGHT = 960, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 92, 24, 64, 74
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#333}.t{font-size:17px;font-weight:600}.g{stroke:#e2e2e2}"
    ".z{stroke:#888}.band{fill:#9ec5e8;fill-opacity:.55}.mid{fill:#1f6fb2}.came{fill:#c8500a}"
    "@media(prefers-color-scheme:dark){svg{background:#16181c}text{fill:#ddd}.g{stroke:#333}.mid{fill:#6db3f2}"
    ".band{fill:#2f5f8c}.came{fill:#ff9a55}}"
)


@dataclass(frozen=True, slots=True)
class Point:
    """One bucket: what is expected, its 80 % span, and what came where that is known."""

    start: date
    expected: float
    low: float
    high: float
    came: float | None = None


def svg(title: str, unit: str, points: Sequence[Point]) -> str:
    """The picture. At least one point."""
    scale = _Scale(points)
    parts = [*_axis(scale, unit), *_labels(scale, points)]
    for index, point in enumerate(points):
        parts += _column(scale, index, point)
    legend = _legend(any(point.came is not None for point in points))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        f' role="img" aria-label="{escape(title)}"><style>{_STYLE}</style>'
        f'<text class="t" x="{_LEFT}" y="28">{escape(title)}</text>{legend}{"".join(parts)}</svg>\n'
    )


class _Scale:
    """Values to places."""

    def __init__(self, points: Sequence[Point]) -> None:
        values = [value for p in points for value in (p.low, p.high, p.expected, p.came or 0.0)]
        most, least = max(0.0, *values), min(0.0, *values)
        self.step = _step(most - least)
        self.top = math.ceil(most / self.step) * self.step or self.step
        self.bottom = math.floor(least / self.step) * self.step
        self.slot = (WIDTH - _LEFT - _RIGHT) / len(points)

    def y(self, value: float) -> float:
        height = HEIGHT - _TOP - _BOTTOM
        return _TOP + height * (self.top - value) / (self.top - self.bottom)

    def x(self, index: int) -> float:
        return _LEFT + self.slot * (index + 0.5)


def _step(span: float) -> float:
    """A round step that makes about five of the span."""
    if span <= 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(span / 5))
    return next((size * nice for nice in (1, 2, 5, 10) if size * nice >= span / 5), size * 10)


def _axis(scale: _Scale, unit: str) -> list[str]:
    parts = [f'<text x="{_LEFT - 8}" y="{_TOP - 12}" text-anchor="end">{escape(unit)}</text>']
    for number in range(round((scale.top - scale.bottom) / scale.step) + 1):
        value = scale.bottom + number * scale.step
        y = scale.y(value)
        kind = "z" if abs(value) < scale.step / 2 else "g"
        parts.append(f'<line class="{kind}" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_short(value)}</text>')
    return parts


def _column(scale: _Scale, index: int, point: Point) -> list[str]:
    x, wide = scale.x(index), min(54.0, scale.slot * 0.7)
    high, low = scale.y(point.high), scale.y(point.low)
    middle = scale.y(point.expected)
    said = f"{point.start}: {point.expected:,.2f} ({point.low:,.2f} to {point.high:,.2f})"
    left = f'x="{x - wide / 2:.1f}" width="{wide:.1f}"'
    parts = [
        f"<g><title>{escape(said)}</title>"
        f'<rect class="band" {left} y="{high:.1f}" height="{max(low - high, 1):.1f}"/>'
        f'<rect class="mid" {left} y="{middle - 1.5:.1f}" height="3"/></g>'
    ]
    if point.came is not None:
        parts.append(f'<circle class="came" cx="{x:.1f}" cy="{scale.y(point.came):.1f}" r="4"/>')
    return parts


def _labels(scale: _Scale, points: Sequence[Point]) -> list[str]:
    every = max(1, math.ceil(len(points) / (18 if scale.slot > 40 else 14)))
    y = HEIGHT - _BOTTOM + 16
    return [
        f'<text x="{scale.x(index):.1f}" y="{y}" text-anchor="end"'
        f' transform="rotate(-40 {scale.x(index):.1f} {y})">{point.start:%d %b %y}</text>'
        for index, point in enumerate(points)
        if index % every == 0
    ]


def _legend(came: bool) -> str:
    y, x = 46, _LEFT
    parts = [
        f'<rect class="mid" x="{x}" y="{y - 6}" width="22" height="3"/><text x="{x + 28}" y="{y}">expected</text>',
        f'<rect class="band" x="{x + 110}" y="{y - 11}" width="22" height="13"/>'
        f'<text x="{x + 138}" y="{y}">8 of 10 cases</text>',
    ]
    if came:
        parts.append(
            f'<circle class="came" cx="{x + 254}" cy="{y - 5}" r="4"/><text x="{x + 264}" y="{y}">came in</text>'
        )
    return "".join(parts)


def _short(value: float) -> str:
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
