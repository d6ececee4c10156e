"""New York's trading day: which session a moment falls into, and which one a price may be called of.

The exchange's regular holidays and early closes are computed by its rules; a day it closes for a reason of its own (a
state funeral, a storm) is not known, and a price of the day before is then called stale. Source:
nyse.com/markets/hours-calendars.
"""

from __future__ import annotations

import functools
from datetime import date, datetime, time, timedelta

from catalyst.bot.quotes import Session
from catalyst.clock import NEW_YORK

PRE, OPEN, CLOSE, EARLY_CLOSE, POST_END = time(4), time(9, 30), time(16), time(13), time(20)
_EARLY_POST_END = time(17)
_JUNETEENTH_SINCE = 2022


def session_at(moment: datetime) -> Session:
    """The session of a moment, New York's time."""
    local = moment.astimezone(NEW_YORK)
    if not trading_day(local.date()):
        return "closed"
    now, close = local.time(), closes(local.date())
    if OPEN <= now < close:
        return "regular"
    if PRE <= now < OPEN:
        return "pre"
    return "post" if close <= now < (POST_END if close == CLOSE else _EARLY_POST_END) else "closed"


def session_of(as_of: datetime, now: datetime) -> Session:
    """What a price made at `as_of` may be called at `now`.

    `closed` where it is the last one of a session that has ended while no regular one runs: it is no fresh price, but
    it is the price. During the regular session only a price of that session counts.
    """
    current = session_at(now)
    if current in ("regular", "closed"):
        return current
    same_day = as_of.astimezone(NEW_YORK).date() == now.astimezone(NEW_YORK).date()
    return current if same_day and session_at(as_of) == current else "closed"


def closes(day: date) -> time:
    """When the regular session of a trading day ends."""
    return EARLY_CLOSE if day in _early_closes(day.year) else CLOSE


def trading_day(day: date) -> bool:
    return day.weekday() < 5 and day not in _holidays(day.year)


@functools.lru_cache(maxsize=16)
def _holidays(year: int) -> frozenset[date]:
    days = {
        _nth(year, 1, 0, 3),
        _nth(year, 2, 0, 3),
        easter(year) - timedelta(days=2),
        _last_monday_of_may(year),
        _observed(date(year, 7, 4)),
        _nth(year, 9, 0, 1),
        _nth(year, 11, 3, 4),
        _observed(date(year, 12, 25)),
    }
    if date(year, 1, 1).weekday() != 5:  # a New Year on Saturday is not made up for: the year's books close on Friday
        days.add(_observed(date(year, 1, 1)))
    if year >= _JUNETEENTH_SINCE:
        days.add(_observed(date(year, 6, 19)))
    return frozenset(days)


@functools.lru_cache(maxsize=16)
def _early_closes(year: int) -> frozenset[date]:
    days = {date(year, 7, 3), _nth(year, 11, 3, 4) + timedelta(days=1), date(year, 12, 24)}
    return frozenset(day for day in days if trading_day(day))


def _observed(day: date) -> date:
    """Saturday's is kept on Friday, Sunday's on Monday."""
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


def _nth(year: int, month: int, weekday: int, which: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (which - 1))


def _last_monday_of_may(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=last.weekday())


def easter(year: int) -> date:
    """Easter Sunday, by the anonymous Gregorian computus (Meeus, Astronomical Algorithms, chapter 8)."""
    golden, (century, rest) = year % 19, divmod(year, 100)
    leaps, left = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * golden + century - leaps - correction + 15) % 30
    fours, ones = divmod(rest, 4)
    weekday = (32 + 2 * left + 2 * fours - moon - ones) % 7
    shift = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


__all__ = ["closes", "easter", "session_at", "session_of", "trading_day"]
