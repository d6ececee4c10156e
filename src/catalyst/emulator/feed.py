"""The `getcurrent` feed at a moment: which rows are there, in which order, and the page as bytes. Pure.

The feed sorts by acceptance, newest first. A row is there from its acceptance on, a held-over one from 06:00 of its
filing date, so the order is fixed between two such releases: one `_Timeline` per release, found by bisection.
"""

from __future__ import annotations

import bisect
import functools
import itertools
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from catalyst.clock import NEW_YORK
from catalyst.emulator.rows import Row, copy_of, entry_of

COUNTS = (10, 20, 40, 80, 100)
OWNERSHIP = frozenset({"3", "3/A", "4", "4/A", "5", "5/A"})

_TAIL = b"</feed>\n"


@dataclass(frozen=True, slots=True)
class Query:
    """What a page is asked for. `form` is a prefix, as EDGAR has it; `company` the beginning of a name."""

    form: str = ""
    company: str = ""
    cik: str = ""
    owner: str = "include"
    start: int = 0
    count: int = 40

    @property
    def selective(self) -> bool:
        return bool(self.form or self.company or self.cik or self.owner != "include")

    def matches(self, row: Row) -> bool:
        owned = row.form in OWNERSHIP
        if (self.owner == "exclude" and owned) or (self.owner == "only" and not owned):
            return False
        named = row.name.lower().startswith(self.company) and self.cik in ("", row.cik)
        return named and row.form.startswith(self.form)


@dataclass(frozen=True, slots=True, eq=False)
class _Timeline:
    """Rows oldest first, and since when each is there; valid from one release to the next."""

    since: float
    rows: tuple[Row, ...]
    times: tuple[float, ...]


class Feed:
    """Rows of a recording, newest first as recorded, each arriving `volume` times."""

    def __init__(self, rows: Sequence[Row], volume: int = 1) -> None:
        self.volume = volume
        oldest_first = tuple(reversed(rows))
        releases = sorted({row.released for row in rows if row.held_over})
        self._timelines = [_timeline(oldest_first, since) for since in (float("-inf"), *releases)]
        self._sinces = [timeline.since for timeline in self._timelines]
        self._picked = functools.lru_cache(maxsize=64)(_picked)

    def page(self, now: float, query: Query, gone: Set[str] = frozenset()) -> bytes:
        """The page as Atom, as it looks at `now`; rows of accessions in `gone` are left out."""
        window = self.window(now, query, gone)
        return b"".join([_head(now), *[entry_of(row, copy) + b"\n" for row, copy in window], _TAIL])

    def window(self, now: float, query: Query, gone: Set[str] = frozenset()) -> list[tuple[Row, int]]:
        """The rows of a page, each with the number of its copy."""
        stop = query.start + query.count
        if not gone:
            return list(self._newest(now, query, query.start, stop))
        left = (pair for pair in self._newest(now, query, 0, None) if copy_of(pair[0].accession, pair[1]) not in gone)
        return list(itertools.islice(left, query.start, stop))

    def there(self, now: float) -> Iterator[tuple[Row, int]]:
        """Every row that is there at `now`, newest first."""
        return self._newest(now, Query(), 0, None)

    def released(self, now: float) -> tuple[float, int]:
        """Names the state of the feed at `now`: the same value, the same rows."""
        timeline = self._timelines[bisect.bisect_right(self._sinces, now) - 1]
        return timeline.since, bisect.bisect_right(timeline.times, now)

    def _newest(self, now: float, query: Query, start: int, stop: int | None) -> Iterator[tuple[Row, int]]:
        timeline = self._timelines[bisect.bisect_right(self._sinces, now) - 1]
        total = bisect.bisect_right(timeline.times, now)
        at: Callable[[int], int] = int
        if query.selective:
            chosen = self._picked(timeline, query.form, query.company, query.cik, query.owner)
            total, at = bisect.bisect_left(chosen, total), chosen.__getitem__
        volume = self.volume
        last = total * volume if stop is None else min(stop, total * volume)
        for place in range(start, last):
            yield timeline.rows[at(total - 1 - place // volume)], place % volume


def _timeline(oldest_first: Sequence[Row], since: float) -> _Timeline:
    rows = tuple(row for row in oldest_first if not row.held_over or row.released <= since)
    # A held-over row is there from the timeline's beginning; its acceptance keeps the times in order.
    return _Timeline(since, rows, tuple(row.accepted if row.held_over else row.released for row in rows))


def _picked(timeline: _Timeline, form: str, company: str, cik: str, owner: str) -> tuple[int, ...]:
    query = Query(form, company, cik, owner)
    return tuple(place for place, row in enumerate(timeline.rows) if query.matches(row))


def _head(now: float) -> bytes:
    moment = datetime.fromtimestamp(int(now), NEW_YORK)
    return (
        '<?xml version="1.0" encoding="ISO-8859-1" ?>\n'
        '<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<title>Latest Filings - {moment:%a, %d %b %Y %H:%M:%S %Z}</title>\n"
        '<link rel="alternate" href="/cgi-bin/browse-edgar?action=getcurrent"/>\n'
        '<link rel="self" href="/cgi-bin/browse-edgar?action=getcurrent"/>\n'
        "<id>https://www.sec.gov/cgi-bin/browse-edgar?action=getcurrent</id>\n"
        "<author><name>Webmaster</name><email>webmaster@sec.gov</email></author>\n"
        f"<updated>{moment.isoformat()}</updated>\n"
    ).encode("iso-8859-1")
