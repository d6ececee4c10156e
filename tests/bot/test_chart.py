"""The chart in an alert: what it shows, that no bars make it fail, and that it stays small."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from catalyst.bot.chart import HEIGHT, MOST_BYTES, THEMES, WIDTH, Painter, Theme
from catalyst.bot.chart_scale import amount, clean, digits, money, price_ticks, span, time_ticks
from catalyst.bot.quotes import Bar, Quote
from catalyst.stream.types import Alert

OPEN = datetime(2025, 12, 12, 14, 30, tzinfo=UTC)
NAN = float("nan")
FIVE = timedelta(minutes=5)


def bars(count: int, *, price: float = 12.0, rise: float = 0.01, volume: float = 1000.0) -> list[Bar]:
    made = []
    for number in range(count):
        begin, end = price + rise * number, price + rise * (number + 1)
        low, high = min(begin, end) - 0.002 * price, max(begin, end) + 0.002 * price
        made.append(Bar(OPEN + number * FIVE, begin, high, low, end, volume))
    return made


def alert(filed: datetime | None = OPEN + timedelta(hours=1), **fields: Any) -> Alert:
    given = {"filing_id": "1", "ticker": "ACME", "timestamp": OPEN, "accepted_at": filed, "filing_type": "8-K"}
    return Alert(**{**given, **fields})


def quote(price: float = 12.5, before: float | None = 11.9, **fields: Any) -> Quote:
    return Quote.of(price, before, OPEN, **fields)


def drawn(*arguments: Any, theme: Theme = "dark") -> Image.Image:
    image = Painter(theme)(*arguments)
    assert image is not None
    return Image.open(io.BytesIO(image)).convert("RGB")


def colored(image: Image.Image, color: str, box: tuple[int, int, int, int] | None = None) -> int:
    """Pixels of exactly this color."""
    wanted = tuple(int(color[at : at + 2], 16) for at in (1, 3, 5))
    counts = (image.crop(box) if box else image).getcolors(WIDTH * HEIGHT) or []
    return sum(count for count, each in counts if each == wanted)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_it_shows_candles_previous_close_and_the_moment_of_the_filing(theme: Theme):
    image, colors = drawn(bars(60), quote(), alert(), theme=theme), THEMES[theme]
    assert image.size == (WIDTH, HEIGHT)
    assert image.getpixel((2, 2)) == tuple(int(colors.back[at : at + 2], 16) for at in (1, 3, 5))
    assert colored(image, colors.up) > 1000
    assert colored(image, colors.before) > 200
    # a line from top to bottom a fifth of the way: 60 minutes of 300
    at = 20 + (880 * 60) // 300
    assert colored(image, colors.filed, (at - 4, 118, at + 5, 528)) > 3 * 400


def test_what_is_not_known_is_not_drawn():
    colors = THEMES["dark"]
    image = drawn(bars(60), None, alert(None))
    assert colored(image, colors.before) == 0
    assert colored(image, colors.filed) == 0


def test_a_fall_is_drawn_in_the_other_color():
    colors = THEMES["dark"]
    image = drawn(bars(60, rise=-0.01), quote(11.4, 12.0), alert())
    assert colored(image, colors.down) > 1000
    assert colored(image, colors.up) == 0


def test_bars_that_are_no_numbers_are_dropped():
    good = bars(40)
    worse = [
        Bar(OPEN - FIVE, NAN, NAN, NAN, NAN), Bar(OPEN + 50 * FIVE, 1.0, 2.0, 1.0, float("inf")),
        Bar(OPEN + 51 * FIVE, 5.0, 4.0, 3.0, 4.0), Bar(OPEN + 52 * FIVE, -1.0, 1.0, -1.0, 1.0),
    ]  # fmt: skip
    assert Painter()([*worse, *good[::-1], good[3]], quote(), alert()) == Painter()(good, quote(), alert())


def test_nothing_to_draw_gives_no_picture():
    assert Painter()([], quote(), alert()) is None
    assert Painter()([Bar(OPEN, NAN, NAN, NAN, NAN)], quote(), alert()) is None


def test_without_volume_the_prices_have_all_the_height():
    colors = THEMES["dark"]
    low = (20, 440, 900, 528)
    falling = [*bars(20), *bars(40, rise=-0.01)[20:]]
    assert colored(drawn(bars(60, volume=0), None, alert(None)), colors.up, low) > 50
    assert colored(drawn(falling, None, alert(None)), colors.up, low) == 0


def test_a_line_is_not_drawn_across_a_halt():
    colors = THEMES["dark"]
    halted = bars(150)[:60] + bars(150)[100:]
    image = drawn(halted, None, alert(None))
    hole = (20 + 880 * 62 // 150, 118, 20 + 880 * 98 // 150, 424)
    assert colored(image, colors.up, hole) == 0
    assert colored(drawn(bars(150), None, alert(None)), colors.up, hole) > 100


def test_hours_outside_the_session_are_shaded():
    early = [Bar(each.at - timedelta(hours=3), *(each.open, each.high, each.low, each.close)) for each in bars(60)]
    assert colored(drawn(early, None, alert(None)), THEMES["dark"].shade) > 10_000
    assert colored(drawn(bars(60), None, alert(None)), THEMES["dark"].shade) < 500  # the edges of letters


@pytest.mark.parametrize(
    ("day", "known"),
    [
        (bars(1), quote()), (bars(1), None), (bars(2), quote(0.0001, 5_000_000)),
        ([Bar(OPEN + number * FIVE, 5, 5, 5, 5, 0) for number in range(30)], quote(5, 5)),
        (bars(78, price=0.0003, rise=0.0), quote(0.0003, 0.0004)), (bars(78, price=700_000, rise=300), quote(7e5, 1)),
        (bars(40, rise=8.0), quote(300, 0.9)), (bars(1000), quote()), (bars(5000), quote(delay_s=900, session="post")),
        ([*bars(20), Bar(OPEN + 20 * FIVE, 12.2, 90_000.0, 12.2, 12.2, 1e12), *bars(40)[21:]], quote()),
        ([Bar(OPEN + timedelta(days=number), 5, 6, 4, 5, 9) for number in range(30)], quote()),
    ],
    ids=["one", "one-unknown", "wild-quote", "flat", "hundredths-of-cents", "dear", "forty-fold", "many", "too-many",
         "wild-tick", "daily"],
)  # fmt: skip
def test_any_day_is_a_small_picture(day: list[Bar], known: Quote | None):
    for theme in THEMES:
        image = Painter(theme)(day, known, alert())
        assert image is not None
        assert image.startswith(b"\x89PNG")
        assert len(image) <= MOST_BYTES


def test_one_wild_tick_does_not_flatten_the_day():
    wild = [*bars(20), Bar(OPEN + 20 * FIVE, 12.2, 90_000.0, 0.01, 12.2, 10.0), *bars(40)[21:]]
    shown = span(clean(wild), None, None)
    assert 10 < shown.low < 12
    assert 12.4 < shown.high < 15


def test_a_previous_close_far_away_leaves_the_bars_readable():
    far, near = span(bars(60), 500.0, None), span(bars(60), 11.9, None)
    assert far.high < 14
    assert near.low < 11.9


@pytest.mark.parametrize("hours", [-30, -1, 0, 3, 6.6, 9, 30])
def test_a_filing_at_any_hour_has_its_place_or_none(hours: float):
    image = drawn(bars(78), quote(), alert(OPEN + timedelta(hours=hours)))
    seen = colored(image, THEMES["dark"].filed) > 1000
    assert seen is (-33 < hours < 40)


def test_a_name_that_the_font_cannot_show_is_left_out():
    odd = alert(ticker="\u202eАКМЕ\n<@1>" * 20, filing_type="8-K\x00" * 30)
    assert drawn(bars(20), quote(), odd).size == (WIDTH, HEIGHT)


prices = st.floats(allow_nan=True, allow_infinity=True) | st.floats(1e-5, 1e7)
moments = st.integers(-600, 6000).map(lambda minute: OPEN + timedelta(minutes=minute))
any_bar = st.builds(Bar, moments, prices, prices, prices, prices, prices)
real_bar = st.builds(
    lambda at, low, body, tall: Bar(at, low + body, low + body + tall, low, low + body / 2, body * 1e6),
    moments, st.floats(1e-4, 1e6), st.floats(0, 1e5), st.floats(0, 1e5),
)  # fmt: skip


@given(st.lists(any_bar | real_bar, max_size=40), st.none() | st.floats(1e-4, 1e6), st.none() | moments)
@settings(max_examples=60, deadline=None)
def test_no_bars_make_it_fail(day: list[Bar], before: float | None, filed: datetime | None):
    known = None if before is None else Quote(Decimal(1), Decimal(str(before)), OPEN)
    image = Painter()(day, known, alert(filed))
    assert (image is None) is (not clean(day))


@given(st.floats(1e-4, 1e6), st.floats(1e-4, 1.0))
def test_ticks_are_few_round_and_told_apart(low: float, share: float):
    high = low * (1 + share)
    ticks = price_ticks(low, high)
    assert 2 <= len(ticks) <= 7
    assert all(low <= tick * (1 + 1e-9) and tick <= high * (1 + 1e-9) for tick in ticks)
    labels = [money(tick, digits(ticks)) for tick in ticks]
    assert len(set(labels)) == len(labels)


def test_hours_are_new_yorks():
    labels = [label for _, label in time_ticks(span(bars(78), None, None))]
    assert labels == ["10:00", "11:00", "12:00", "13:00", "14:00", "15:00"]


def test_volumes_are_told_in_three_digits():
    assert [amount(each) for each in (950, 12_345, 4_500_000, 1_234_000_000)] == ["950", "12.3K", "4.5M", "1.23B"]


def test_pillow_is_loaded_with_the_first_picture_only():
    code = "import sys, catalyst.bot.chart as c; c.Painter(); assert 'PIL' not in sys.modules, 'loaded'"
    subprocess.run([sys.executable, "-c", code], check=True)
