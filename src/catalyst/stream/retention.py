"""What the log may forget: by age and by count, never past its slowest consumer, never its newest record.

The newest record stays because the next offset is counted from it.

Ages are not taken from the machine's clock alone, which may have leapt: they count from the newest record where that is
older than now, and what lies within the newest `ACTIVE_SHARE` of that many days *with records* stays whatever its age.
A clock that leaps a year ahead adds one such day.
"""

from __future__ import annotations

import sqlite3

from catalyst.db import Database
from catalyst.stream.queries import LIGHT, first_since, named, record_of

CHUNK = 500
"""Records deleted in one transaction, so that appends never wait long behind retention."""

ACTIVE_SHARE = 0.6
"""EDGAR accepts filings on 250 days of 365."""

DAY_NS = 86_400 * 10**9


async def retain(db: Database, now_ns: int, seconds: float | None, count: int | None) -> int:
    """Delete records older than `seconds` or beyond the newest `count`; return how many went."""
    oldest_ns = None
    if seconds is not None:
        oldest_ns = await db.read(lambda run: _oldest_ns(run, now_ns, int(seconds * 1e9)))
    gone = 0
    while done := await db.write(lambda run: _trim(run, oldest_ns, count)):
        gone += done
    return gone


def positions(run: sqlite3.Connection) -> dict[str, int]:
    """Every consumer's position."""
    return dict(run.execute("SELECT consumer, seq FROM log_positions ORDER BY consumer"))


def _oldest_ns(run: sqlite3.Connection, now_ns: int, span_ns: int) -> int:
    """The commit time before which records are old."""
    head, newest = run.execute("SELECT seq, ts_ns FROM log ORDER BY seq DESC LIMIT 1").fetchone() or (0, now_ns)
    before, kept, day_of = min(now_ns, newest) - span_ns, head + 1, newest
    for _ in range(int(span_ns / DAY_NS * ACTIVE_SHARE)):
        found = run.execute("SELECT ts_ns FROM log WHERE seq = ?", (kept - 1,)).fetchone()
        if found is None:
            return 0
        day_of = found[0] - found[0] % DAY_NS
        kept = first_since(run, day_of, kept - 1)
    return min(before, day_of)


def _trim(run: sqlite3.Connection, oldest_ns: int | None, count: int | None) -> int:
    oldest, head = run.execute("SELECT (SELECT min(seq) FROM log), (SELECT max(seq) FROM log)").fetchone()
    if oldest is None:
        return 0
    end = min(oldest + CHUNK, head, *(done + 1 for done in positions(run).values()))
    last = max(_beyond(head, count), _aged(run, end, oldest_ns))
    return _delete(run, min(last, end - 1)) if min(last, end - 1) >= oldest else 0


def _beyond(head: int, count: int | None) -> int:
    return 0 if count is None else head - count


def _aged(run: sqlite3.Connection, end: int, oldest_ns: int | None) -> int:
    """The last offset before `end` and before the first one young enough to stay."""
    if oldest_ns is None:
        return 0
    kept = run.execute(
        "SELECT seq FROM log WHERE seq < ? AND ts_ns >= ? ORDER BY seq LIMIT 1", (end, oldest_ns)
    ).fetchone()
    return int(kept[0] if kept else end) - 1


def _delete(run: sqlite3.Connection, last: int) -> int:
    rows = run.execute(f"SELECT {LIGHT} FROM log a WHERE a.seq <= ?", (last,)).fetchall()  # noqa: S608
    pairs = [(name, row[0]) for row in rows for name in named(record_of(row))]
    run.executemany("DELETE FROM log_tickers WHERE ticker = ? AND seq = ?", pairs)
    run.execute("DELETE FROM log_bodies WHERE seq <= ?", (last,))
    return run.execute("DELETE FROM log WHERE seq <= ?", (last,)).rowcount
