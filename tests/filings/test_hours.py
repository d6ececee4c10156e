from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from catalyst.clock import NEW_YORK
from catalyst.filings.hours import horizon, is_open, poll_interval, until_change, until_walk_back


def at(text: str) -> datetime:
    """A moment of New York's clock; 2025-12-12 is a Friday."""
    return datetime.fromisoformat(text if "T" in text else f"2025-12-12T{text}").replace(tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        ("05:59:59", 60), ("06:00:00", 1), ("06:09:59", 1), ("06:10:00", 2), ("12:00:00", 2), ("15:58:59", 2),
        ("15:59:00", 1), ("17:34:59", 1), ("17:35:00", 2), ("21:59:59", 2), ("22:00:00", 60),
        ("2025-12-13T12:00:00", 60), ("2025-07-14T06:05:00", 1),
    ],
)  # fmt: skip
def test_the_interval_follows_new_york(moment: str, seconds: float):
    assert poll_interval(at(moment)) == seconds


def test_edgar_is_open_on_weekdays_from_six_to_ten():
    assert [is_open(at(text)) for text in ("05:59:59", "06:00:00", "21:59:59", "22:00:00")] == [
        False, True, True, False,
    ]  # fmt: skip
    assert not is_open(at("2025-12-14T12:00:00"))


def test_a_poll_never_sleeps_into_a_busy_hour():
    assert until_change(at("05:59:30")) == 30
    assert until_change(at("15:58:59.500000")) == pytest.approx(0.5)
    assert until_change(at("23:00:00")) == 60


def test_the_walk_back_comes_at_six_a_minute_later_and_every_five_minutes():
    now, moments = at("05:10:00"), []
    while now < at("06:21:00"):
        now += timedelta(seconds=until_walk_back(now))
        moments.append(now.strftime("%H:%M:%S"))
    assert moments == ["06:00:00", "06:01:00", "06:05:00", "06:10:00", "06:15:00", "06:20:00", "06:25:00"]


def test_the_walk_back_never_waits_for_nothing():
    for minute in range(24 * 60):
        assert 0 < until_walk_back(at("00:00:00") + timedelta(minutes=minute, seconds=0.001)) <= 3600


@pytest.mark.parametrize(
    ("moment", "reach"),
    [
        ("06:00:00", "2025-12-11T06:00:00"),
        ("06:29:00", "2025-12-11T06:00:00"),
        ("11:00:00", "2025-12-11T16:00:00"),
        ("11:05:00", None),
        ("2025-12-15T06:00:00", "2025-12-12T06:00:00"),
    ],
)
def test_the_full_walk_reaches_the_afternoon_before_and_the_releases_the_whole_day(moment: str, reach: str | None):
    assert horizon(at(moment)) == (at(reach) if reach else None)
