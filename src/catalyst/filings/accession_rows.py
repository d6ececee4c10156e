"""The ledger's tables, and what stands in a row: the functions that run inside `AccessionLedger`'s transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import IntFlag
from typing import Any

import orjson

from catalyst.clock import NEW_YORK
from catalyst.filings.types import FeedEntry, Filing, Party

MAX_PARTIES = 100
"""Parties kept of one accession; a joint filing may name dozens."""

MAX_ERROR = 300

LONGEST_DEFERRAL = 900.0
"""Seconds. What is put off for longer was put off by a clock that has been set back since: it is due."""


class Stage(IntFlag):
    """Marks of one accession. `ALERTED` may precede `FETCHED` or follow `PARSED`; `FINAL` ends the walk."""

    NONE = 0
    SEEN = 1
    ALERTED = 2
    FETCHED = 4
    PARSED = 8
    ANALYSED = 16
    FINAL = 32
    BEFORE = 64
    """In the feed before this ledger began: known, never told of."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One accession as the ledger knows it."""

    filing: Filing
    score: float
    stages: Stage
    how: str
    """What its alert stood on: `feed`, `rules`, or empty before there is one."""
    version: int
    """Of its last message, 0 before there is one."""
    attempts: int
    """Tries that failed since the last mark of progress."""
    next_try_at: float
    """POSIX seconds on the walk's clock before which it is not tried again."""
    error: str
    amends: str
    """The accession that this one amends, where it is known."""
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """Progress of one accession: stages are added; what is None stays as it is."""

    accession: str
    stages: Stage = Stage.NONE
    version: int | None = None
    how: str | None = None
    attempts: int | None = None
    next_try_at: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """What can be done now, most important first, and when the next deferred one is due (None: there is none)."""

    entries: list[Entry]
    next_due: float | None


STEPS = (
    """
    CREATE TABLE accessions (
        seq INTEGER PRIMARY KEY,
        accession TEXT NOT NULL UNIQUE,
        form TEXT NOT NULL,
        cik TEXT NOT NULL, -- of the subject
        parties BLOB NOT NULL,
        items BLOB NOT NULL,
        accepted REAL NOT NULL,
        filed TEXT,
        url TEXT NOT NULL,
        seen_at REAL NOT NULL,
        score REAL NOT NULL,
        stages INTEGER NOT NULL DEFAULT 1,
        how TEXT NOT NULL DEFAULT '',
        version INTEGER NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        next_try_at REAL NOT NULL DEFAULT 0,
        error TEXT NOT NULL DEFAULT '',
        amends TEXT NOT NULL DEFAULT '',
        withdrawn INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX accessions_pending ON accessions (score DESC, seq) WHERE stages < 32;
    CREATE INDEX accessions_withdrawn ON accessions (accession) WHERE withdrawn = 1;
    CREATE INDEX accessions_subject ON accessions (cik, form, accepted);
    CREATE INDEX accessions_accepted ON accessions (accepted);
    """,
    """
    CREATE TABLE accessions_begun (at REAL NOT NULL);
    CREATE INDEX accessions_before ON accessions (accession) WHERE stages >= 64;
    """,
    "CREATE TABLE accessions_since (at REAL NOT NULL);",
)

COLUMNS = (
    "accession, form, parties, items, accepted, filed, url, seen_at,"
    " score, stages, how, version, attempts, next_try_at, error, amends, withdrawn"
)


MISSING = """
    SELECT accession FROM accessions
    WHERE accepted BETWEEN ? AND ? AND seen_at < ? AND accession NOT IN (SELECT value FROM json_each(?))
"""

_MARK = """
    UPDATE accessions SET stages = stages | ?, version = max(version, coalesce(?, 0)),
        how = CASE WHEN how = '' THEN coalesce(?, '') ELSE how END, attempts = coalesce(?, attempts),
        next_try_at = coalesce(?, next_try_at), error = coalesce(?, error)
    WHERE accession = ?
"""


def mark(run: sqlite3.Connection, marks: Sequence[Mark]) -> None:
    run.executemany(_MARK, [_values(mark) for mark in marks])


def _values(mark: Mark) -> tuple[object, ...]:
    error = mark.error if mark.error is None else mark.error[:MAX_ERROR]
    return (int(mark.stages), mark.version, mark.how, mark.attempts, mark.next_try_at, error, mark.accession)


def merged(entries: Iterable[FeedEntry], seen_at: datetime) -> list[Filing]:
    """The page's accessions in its order, each with all its rows."""
    rows: dict[str, list[FeedEntry]] = {}
    for entry in entries:
        rows.setdefault(entry.accession, []).append(entry)
    return [_filing(group, seen_at) for group in rows.values()]


def _filing(rows: Sequence[FeedEntry], seen_at: datetime) -> Filing:
    first = rows[0]
    return Filing(
        accession=first.accession,
        form=first.form,
        parties=_union((), (row.party for row in rows)),
        accepted=first.accepted,
        filed=first.filed,
        items=tuple(dict.fromkeys(item for row in rows for item in row.items)),
        url=first.url,
        seen_at=seen_at,
    )


def since(run: sqlite3.Connection, at: datetime) -> datetime:
    found = run.execute("SELECT at FROM accessions_since").fetchone()
    if found is None:
        run.execute("INSERT INTO accessions_since VALUES (?)", (at.timestamp(),))
    return at if found is None else datetime.fromtimestamp(found[0], UTC)


def begin(run: sqlite3.Connection, filings: Sequence[Filing], at: datetime) -> None:
    for filing in reversed(filings):
        if run.execute("SELECT 1 FROM accessions WHERE accession = ?", (filing.accession,)).fetchone() is None:
            insert(run, filing, 0.0)
            run.execute("UPDATE accessions SET stages = ? WHERE accession = ?", (Stage.BEFORE, filing.accession))
    run.execute("INSERT INTO accessions_begun VALUES (?)", (at.timestamp(),))


def insert(run: sqlite3.Connection, filing: Filing, score: float) -> None:
    subject = filing.subject.cik
    run.execute(
        "INSERT INTO accessions (accession, form, cik, parties, items, accepted, filed, url, seen_at, score, amends)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        (
            filing.accession,
            filing.form,
            subject,
            _parties_json(filing.parties),
            orjson.dumps(filing.items),
            filing.accepted.timestamp(),
            filing.filed.isoformat() if filing.filed else None,
            filing.url,
            filing.seen_at.timestamp(),
            score,
            _original(run, filing, subject) if filing.is_amendment else "",
        ),
    )


def _original(run: sqlite3.Connection, filing: Filing, subject: str) -> str:
    found = run.execute(
        "SELECT accession FROM accessions WHERE cik = ? AND form = ? AND accepted <= ? ORDER BY accepted DESC LIMIT 1",
        (subject, filing.form.removesuffix("/A"), filing.accepted.timestamp()),
    ).fetchone()
    return str(found[0]) if found else ""


def extend(run: sqlite3.Connection, filing: Filing, row: tuple[bytes, bytes]) -> None:
    known, items = _parties(row[0]), tuple(orjson.loads(row[1]))
    late = replace(filing, parties=_union(known, filing.parties), items=tuple(dict.fromkeys((*items, *filing.items))))
    if late.parties != known or late.items != items:
        run.execute(
            "UPDATE accessions SET parties = ?, items = ?, cik = ? WHERE accession = ?",
            (_parties_json(late.parties), orjson.dumps(late.items), late.subject.cik, filing.accession),
        )


def _union(known: Iterable[Party], more: Iterable[Party]) -> tuple[Party, ...]:
    """Each role of each company once, in order; the first name stays."""
    parties: dict[tuple[str, str], Party] = {}
    for party in (*known, *more):
        parties.setdefault((party.role, party.cik), party)
    return tuple(parties.values())[:MAX_PARTIES]


def _parties_json(parties: Iterable[Party]) -> bytes:
    return orjson.dumps([(party.role, party.cik, party.name) for party in parties])


def _parties(raw: bytes) -> tuple[Party, ...]:
    return tuple(Party(role, cik, name) for role, cik, name in orjson.loads(raw))


def find(run: sqlite3.Connection, accession: str) -> Entry | None:
    query = f"SELECT {COLUMNS} FROM accessions WHERE accession = ?"  # noqa: S608 (our own column names)
    found = run.execute(query, (accession,)).fetchone()
    return entry_of(found) if found else None


def find_pending(run: sqlite3.Connection, now: float, limit: int, skip: Stage) -> Pending:
    later = (now, now + LONGEST_DEFERRAL)
    found = run.execute(
        f"SELECT {COLUMNS} FROM accessions"  # noqa: S608
        " WHERE stages < 32 AND (next_try_at <= ? OR next_try_at > ?) AND stages & ? = 0"
        " ORDER BY score DESC, seq LIMIT ?",
        (*later, int(skip), limit),
    ).fetchall()
    due = run.execute(
        "SELECT min(next_try_at) FROM accessions WHERE stages < 32 AND next_try_at > ? AND next_try_at <= ?", later
    ).fetchone()
    return Pending([entry_of(row) for row in found], due[0])


def entry_of(row: tuple[Any, ...]) -> Entry:
    accession, form, parties, items, accepted, filed, url, seen_at, score, stages, *rest = row
    filing = Filing(
        accession,
        form,
        _parties(parties),
        datetime.fromtimestamp(accepted, NEW_YORK),
        date.fromisoformat(filed) if filed else None,
        tuple(orjson.loads(items)),
        url,
        datetime.fromtimestamp(seen_at, UTC),
    )
    how, version, attempts, next_try_at, error, amends, withdrawn = rest
    return Entry(filing, score, Stage(stages), how, version, attempts, next_try_at, error, amends, bool(withdrawn))


def count(run: sqlite3.Connection) -> dict[str, int]:
    """Rows are never deleted, so the last `seq` is how many there are; the rest comes from small partial indexes."""
    seen = run.execute("SELECT coalesce(max(seq), 0) FROM accessions").fetchone()[0]
    pending, alerted = run.execute(
        "SELECT count(*), coalesce(sum(stages & 2 = 2), 0) FROM accessions WHERE stages < 32"
    ).fetchone()
    withdrawn = run.execute("SELECT count(*) FROM accessions WHERE withdrawn = 1").fetchone()[0]
    before = run.execute("SELECT count(*) FROM accessions WHERE stages >= 64").fetchone()[0]
    final = seen - pending - before
    return {
        "seen": seen - before,
        "alerted": final + alerted,
        "final": final,
        "pending": pending,
        "withdrawn": withdrawn,
        "before": before,
    }


def withdraw(run: sqlite3.Connection, shown: bytes, missing: bytes) -> None:
    run.execute(
        "UPDATE accessions SET withdrawn = 0 WHERE withdrawn = 1 AND accession IN (SELECT value FROM json_each(?))",
        (shown,),
    )
    run.execute(
        "UPDATE accessions SET withdrawn = 1 WHERE accession IN (SELECT value FROM json_each(?))",
        (missing,),
    )
