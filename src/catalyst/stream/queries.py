"""The log's tables and what is asked of them. Every function takes a connection and runs in its caller's thread.

Bodies lie apart, so that scans by form, score or time read a hundred bytes a record. A filing's rows are neighbours
in the index of `key`, which starts with the accession.
"""

from __future__ import annotations

import heapq
import itertools
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import orjson

from catalyst.stream.filters import Filter, plain_ticker
from catalyst.stream.log import Cursor, Page, Query
from catalyst.stream.types import AlertType, Record

MIGRATIONS = (
    """
    CREATE TABLE log_meta (one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL);
    INSERT INTO log_meta VALUES (1, lower(hex(randomblob(8))));
    CREATE TABLE log (
        seq INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        type TEXT NOT NULL,
        filing_id TEXT NOT NULL,
        form TEXT NOT NULL,
        tickers TEXT NOT NULL, -- JSON
        score REAL NOT NULL,
        reach REAL NOT NULL, -- the greatest score of the filing so far
        earlier TEXT, -- JSON
        ts_ns INTEGER NOT NULL
    );
    CREATE TABLE log_bodies (seq INTEGER PRIMARY KEY, body BLOB NOT NULL);
    CREATE INDEX log_form ON log (form, seq);
    CREATE TABLE log_tickers (ticker TEXT, seq INTEGER, PRIMARY KEY (ticker, seq)) WITHOUT ROWID;
    CREATE TABLE log_positions (consumer TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
    """,
    "CREATE INDEX log_reach ON log (CAST(reach * 100 AS INTEGER), seq)",
)

_STEPS = 100
"""Of scores in `log_reach`: a rare score is found by one look a step instead of a walk over the whole log."""

_COLUMNS = "a.seq, a.type, a.filing_id, a.tickers, a.form, a.score, b.body, a.earlier"
LIGHT = "a.seq, a.type, a.filing_id, a.tickers, a.form, a.score, x'', a.earlier"
"""A record's columns without its body."""

FEW = 1000
"""So many offsets are looked at one by one rather than along the index of a ticker or a form."""

_STEP = "SELECT seq FROM log WHERE CAST(reach * 100 AS INTEGER) = ? AND seq >= ? AND seq < ? ORDER BY seq DESC LIMIT ?"

_BOTH = "log a JOIN log_bodies b ON b.seq = a.seq"


def named(record: Record) -> Collection[str]:
    """Every ticker of the filing so far, each once: what `log_tickers` holds of the record."""
    if not record.earlier:
        return record.tickers
    return set(record.tickers).union(*(tickers for tickers, _ in record.earlier))


def load(run: sqlite3.Connection, after: int, limit: int) -> list[Record]:
    """Records with offset > `after`, in order."""
    return _records(
        run.execute(f"SELECT {_COLUMNS} FROM {_BOTH} WHERE a.seq > ? ORDER BY a.seq LIMIT ?", (after, limit))  # noqa: S608
    )


def find_filing(run: sqlite3.Connection, filing_id: str) -> list[Record]:
    """All messages of one filing, oldest first."""
    statement = (
        f"SELECT {_COLUMNS} FROM {_BOTH}"  # noqa: S608
        " WHERE a.key > ? AND a.key < ? AND a.filing_id = ? ORDER BY a.seq"
    )
    return _records(run.execute(statement, (f"{filing_id}/", f"{filing_id}0", filing_id)))


def find_page(run: sqlite3.Connection, query: Query) -> Page:
    """Each filing's newest message up to the cursor's `as_of`, newest first."""
    as_of = query.cursor.as_of if query.cursor else _head(run)
    before = query.cursor.before if query.cursor else as_of + 1
    first = first_since(run, query.since_ns) if query.since_ns > 0 else 0
    high = _high(run, query.min_priority, (first, before), FEW)
    if high is not None:
        found = _chosen(run, query, high, as_of)
    elif query.min_priority > 0 and not query.ticker and not query.form:
        found = _chosen(run, query, _merged(run, query.min_priority, (first, before)), as_of)
    else:
        found = _in_order(run, query, (first, before, as_of))
    if len(found) <= query.limit:
        return Page(tuple(found))
    page = tuple(found[: query.limit])
    return Page(page, Cursor(page[-1].offset, as_of))


def _in_order(run: sqlite3.Connection, query: Query, span: tuple[int, int, int]) -> list[Record]:
    """One more than the limit, along the index of the ticker or the form, or along the log."""
    first, before, as_of = span
    source, seq = ("log_tickers t JOIN log a ON a.seq = t.seq", "t.seq") if query.ticker else ("log a", "a.seq")
    where, values = _constraints(query)
    statement = (
        f"SELECT {_COLUMNS} FROM {source} JOIN log_bodies b ON b.seq = a.seq"  # noqa: S608
        f" WHERE {where} AND {seq} >= ? AND {seq} < ? AND NOT EXISTS (SELECT 1 FROM log later"
        " WHERE later.key > a.filing_id || '/' AND later.key < a.filing_id || '0'"
        f" AND later.seq > a.seq AND later.seq <= ?) ORDER BY {seq} DESC LIMIT ?"
    )
    return _records(run.execute(statement, (*values, first, before, as_of, query.limit + 1)))


def _merged(run: sqlite3.Connection, score: float, span: tuple[int, int]) -> Iterator[int]:
    """Offsets of all that may score so high, newest first: the steps of the index, walked side by side."""
    steps = [run.execute(_STEP, (step, *span, -1)) for step in _steps(score)]
    return (seq for (seq,) in heapq.merge(*steps, reverse=True))


def _high(run: sqlite3.Connection, score: float, span: tuple[int, int], most: int) -> Iterator[int] | None:
    """The same where they are few; None where they are more than `most`: then another index is the better one."""
    if score <= 0:
        return None
    found: list[int] = []
    for step in reversed(_steps(score)):
        found += [seq for (seq,) in run.execute(_STEP, (step, *span, most + 1 - len(found)))]
        if len(found) > most:
            return None
    return iter(sorted(found, reverse=True))


def _chosen(run: sqlite3.Connection, query: Query, candidates: Iterator[int], as_of: int) -> list[Record]:
    """One more than the limit, of the candidates that meet everything asked."""
    where, values = "a.score >= ? AND (? = '' OR a.form = ?)", [query.min_priority, *[query.form.upper()] * 2]
    if query.ticker:
        where += " AND EXISTS (SELECT 1 FROM log_tickers t WHERE t.ticker = ? AND t.seq = a.seq)"
        values.append(plain_ticker(query.ticker))
    statement = (
        f"SELECT {_COLUMNS} FROM {_BOTH} WHERE a.seq IN (SELECT value FROM json_each(?)) AND {where}"  # noqa: S608
        " AND NOT EXISTS (SELECT 1 FROM log later"
        " WHERE later.key > a.filing_id || '/' AND later.key < a.filing_id || '0'"
        " AND later.seq > a.seq AND later.seq <= ?)"
    )
    found: list[Record] = []
    while len(found) <= query.limit and (some := list(itertools.islice(candidates, query.limit + 1))):
        rows = run.execute(statement, (orjson.dumps(some).decode(), *values, as_of)).fetchall()
        found += _records(sorted(rows, key=lambda row: -row[0]))
    return found[: query.limit + 1]


def find_last_match(run: sqlite3.Connection, wanted: Filter, at: int) -> int:
    """The last offset <= `at` that `wanted` matches, 0 when none does."""
    if wanted == Filter():
        return int(run.execute("SELECT coalesce(max(seq), 0) FROM log WHERE seq <= ?", (at,)).fetchone()[0])
    if (wanted.tickers or wanted.forms) and (high := _high(run, wanted.min_priority, (0, at + 1), FEW)) is not None:
        return _last_of(run, wanted, high)
    if wanted.tickers:
        return max(_last_of_ticker(run, wanted, ticker, at) for ticker in wanted.tickers)
    if wanted.forms:
        return max(_last_of_form(run, form, wanted.min_priority, at) for form in wanted.forms)
    return _last_so_high(run, wanted.min_priority, at)


def _last_of(run: sqlite3.Connection, wanted: Filter, candidates: Iterator[int]) -> int:
    """The first of the candidates that `wanted` matches."""
    statement = f"SELECT {LIGHT} FROM log a WHERE a.seq = ?"  # noqa: S608
    matching = (seq for seq in candidates if wanted.matches(record_of(run.execute(statement, (seq,)).fetchone())))
    return next(matching, 0)


def _last_so_high(run: sqlite3.Connection, score: float, at: int) -> int:
    """Only the lowest step can hold scores below `score`; in the others the newest record is the answer."""
    statement = (
        "SELECT seq FROM log WHERE CAST(reach * 100 AS INTEGER) = ? AND seq <= ? AND reach >= ?"
        " ORDER BY seq DESC LIMIT 1"
    )
    return max(_first(run.execute(statement, (step, at, score))) for step in _steps(score))


def _steps(score: float) -> range:
    """Of the index of scores: all that may hold `score` or more."""
    return range(int(score * _STEPS), _STEPS + 1)


def _last_of_ticker(run: sqlite3.Connection, wanted: Filter, ticker: str, at: int) -> int:
    statement = (
        f"SELECT {LIGHT}"  # noqa: S608
        " FROM log_tickers t JOIN log a ON a.seq = t.seq WHERE t.ticker = ? AND t.seq <= ? AND a.reach >= ?"
        " ORDER BY t.seq DESC"
    )
    for row in run.execute(statement, (ticker, at, wanted.min_priority)):
        if wanted.matches(record_of(row)):
            return int(row[0])
    return 0


def _last_of_form(run: sqlite3.Connection, form: str, score: float, at: int) -> int:
    statement = "SELECT seq FROM log WHERE form = ? AND seq <= ? AND reach >= ? ORDER BY seq DESC LIMIT 1"
    return _first(run.execute(statement, (form, at, score)))


def _constraints(query: Query) -> tuple[str, list[Any]]:
    """WHERE and its values, without the range of offsets."""
    where, values = ["a.score >= ?"], [query.min_priority]
    terms: list[tuple[str, Any]] = [("a.form = ?", query.form.upper()), ("t.ticker = ?", plain_ticker(query.ticker))]
    for term, value in terms:
        if value:
            where.append(term)
            values.append(value)
    return " AND ".join(where), values


def first_since(run: sqlite3.Connection, since_ns: int, high: int | None = None) -> int:
    """The first offset, of those below `high`, committed at `since_ns` or later; `high` (or head + 1) where none is.

    Offsets are dense and times never fall, so halve the range.
    """
    # Two statements within one: SQLite walks the whole table for min and max together.
    both = "SELECT coalesce((SELECT min(seq) FROM log), 1), coalesce((SELECT max(seq) FROM log), 0) + 1"
    low, beyond = run.execute(both).fetchone()
    high = beyond if high is None else high
    while low < high:
        middle = (low + high) // 2
        row = run.execute("SELECT ts_ns FROM log WHERE seq = ?", (middle,)).fetchone()
        if row and row[0] < since_ns:
            low = middle + 1
        else:
            high = middle
    return int(low)


def _head(run: sqlite3.Connection) -> int:
    return int(run.execute("SELECT coalesce(max(seq), 0) FROM log").fetchone()[0])


def _first(found: sqlite3.Cursor) -> int:
    row = found.fetchone()
    return int(row[0]) if row else 0


def _records(rows: Iterable[tuple[Any, ...]]) -> list[Record]:
    return [record_of(row) for row in rows]


def record_of(row: tuple[Any, ...]) -> Record:
    """A record from its columns."""
    seq, alert_type, filing_id, tickers, form, score, body, earlier = row
    past = tuple((tuple(names), value) for names, value in orjson.loads(earlier)) if earlier else ()
    return Record(seq, AlertType(alert_type), filing_id, tuple(orjson.loads(tickers)), form, score, body, past)
