"""How often EDGAR is asked, by New York's clock: a pure table of moments.

EDGAR takes filings from 06:00 to 22:00 on weekdays; what comes after 17:30 is mostly released next morning at 06:00.
Holidays are not known here: on one of them the feed is polled in vain, which costs nothing.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from catalyst.clock import NEW_YORK
from catalyst.filings.types import FeedEntry

OPEN, CLOSE = time(6, 0), time(22, 0)
BUSY = ((time(6, 0), time(6, 10)), (time(15, 59), time(17, 35)))
"""When filings come thick: the morning's release, and the minutes after the market's close."""

BUSY_SECONDS, OPEN_SECONDS, CLOSED_SECONDS = 1.0, 2.0, 60.0
WALK_BACK_SECONDS = 300.0
_CHECKS = {"rss": (600.0, 60.0), "search": (1800.0, 420.0), "index": (1800.0, 300.0)}
"""Seconds between comparisons, and after the hour's beginning."""

_FULL_UNTIL = time(6, 30)
_EVENING = time(16, 0)


def is_open(now: datetime) -> bool:
    """Whether EDGAR takes filings."""
    here = now.astimezone(NEW_YORK)
    return here.weekday() < 5 and OPEN <= here.time() < CLOSE


def poll_interval(now: datetime) -> float:
    """Seconds between two polls of the first page."""
    if not is_open(now):
        return CLOSED_SECONDS
    here = now.astimezone(NEW_YORK).time()
    return BUSY_SECONDS if any(start <= here < end for start, end in BUSY) else OPEN_SECONDS


def until_change(now: datetime) -> float:
    """Seconds until the interval may change next, so that no poll of a slow hour sleeps into a busy one."""
    here = now.astimezone(NEW_YORK)
    marks = [here.replace(hour=start.hour, minute=start.minute, second=0, microsecond=0) for start, _ in BUSY]
    ahead = [(mark - here).total_seconds() for mark in marks if mark > here]
    return min(ahead, default=CLOSED_SECONDS)


def is_release(now: datetime) -> bool:
    """Whether EDGAR is just releasing what it accepted in the evening."""
    return is_open(now) and now.astimezone(NEW_YORK).time() < time(6, 1)


def until_walk_back(now: datetime) -> float:
    """Seconds until the next walk back: 06:00, 06:01 (a release takes its time), every 5 minutes; hourly at night."""
    here = now.astimezone(NEW_YORK)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    since = (here - midnight).total_seconds()
    step = 3600.0 if not is_open(now) else 60.0 if is_release(now) else WALK_BACK_SECONDS  # 06:00 is a whole hour
    return step - since % step


def until_check(source: str, now: datetime) -> float:
    """Seconds until the next comparison with one of EDGAR's other lists (`reconcile.py`).

    The RSS (renewed every 10 minutes) and full-text search (behind by minutes) while EDGAR is open and a little longer;
    the daily index from 22:05 on, and whatever of it is not there yet every half hour.
    """
    step, offset = _CHECKS[source]
    here = now.astimezone(NEW_YORK)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    since = (here - midnight).total_seconds()
    wait = step - (since - offset) % step
    if source == "index" or is_open(now) or is_open(now + timedelta(seconds=wait)):
        return wait
    return max(wait, 3600.0 - (since - offset) % 3600.0)


def at_time(day: date, hour: float) -> datetime:
    """An hour of a day, New York; 6.25 is 06:15."""
    return datetime.combine(day, time(int(hour), round(hour % 1 * 60)), NEW_YORK)


def horizon(now: datetime) -> datetime | None:
    """How far a walk back goes: to the afternoon before (of a Friday, over a weekend), or None for a few pages only.

    It goes all the way when EDGAR is closed and in the first five minutes of each hour, and further yet, to the
    beginning of the day before, at the morning's release: what is held over was not always accepted in the evening.
    """
    here = now.astimezone(NEW_YORK)
    if is_open(now) and here.time() >= _FULL_UNTIL and here.minute >= 5:
        return None
    day = here.date() - timedelta(days=1)
    while day.weekday() >= 5:
        day -= timedelta(days=1)
    return datetime.combine(day, OPEN if OPEN <= here.time() < _FULL_UNTIL else _EVENING, NEW_YORK)


def appeared(entry: FeedEntry) -> datetime:
    """When the feed first showed a row: at its acceptance, or at 06:00 of a later filing date."""
    if entry.filed is None or entry.filed <= entry.accepted.astimezone(NEW_YORK).date():
        return entry.accepted
    return datetime.combine(entry.filed, OPEN, NEW_YORK)
