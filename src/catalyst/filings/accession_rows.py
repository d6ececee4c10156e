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
from catalyst.filings.types import TIMED, FeedEntry, Filing, Party

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
    """EDGAR no longer has it, and clients were told."""
    period: str
    """Period of report as the header gives it, an ISO date; empty where it is not known."""


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
    amends: str | None = None
    period: str | None = None
    withdrawn: bool | None = None


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
    """
    ALTER TABLE accessions ADD COLUMN source TEXT NOT NULL DEFAULT 'feed';
    ALTER TABLE accessions ADD COLUMN period TEXT NOT NULL DEFAULT '';
    CREATE TABLE accessions_trimmed (at REAL NOT NULL, before INTEGER NOT NULL);
    INSERT INTO accessions_trimmed VALUES (-1e12, 0);
    """,
)

COLUMNS = (
    "accession, form, parties, items, accepted, filed, url, seen_at,"
    " score, stages, how, version, attempts, next_try_at, error, amends, withdrawn,"
    " source, period"
)


MISSING = """
    SELECT accession FROM accessions
    WHERE accepted BETWEEN ? AND ? AND seen_at < ? AND withdrawn = 0 AND stages < 64
        AND accession NOT IN (SELECT value FROM json_each(?))
"""

_MARK = """
    UPDATE accessions SET stages = stages | ?, version = max(version, coalesce(?, 0)),
        how = CASE WHEN how = '' THEN coalesce(?, '') ELSE how END, attempts = coalesce(?, attempts),
        next_try_at = coalesce(?, next_try_at), error = coalesce(?, error),
        amends = coalesce(?, amends), period = coalesce(?, period), withdrawn = coalesce(?, withdrawn)
    WHERE accession = ?
"""


def mark(run: sqlite3.Connection, marks: Sequence[Mark]) -> None:
    run.executemany(_MARK, [_values(mark) for mark in marks])


def _values(mark: Mark) -> tuple[object, ...]:
    error = mark.error if mark.error is None else mark.error[:MAX_ERROR]
    more = (mark.amends, mark.period, mark.withdrawn)
    return (int(mark.stages), mark.version, mark.how, mark.attempts, mark.next_try_at, error, *more, mark.accession)


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
        parties=union((), (row.party for row in rows)),
        accepted=first.accepted,
        filed=first.filed,
        items=tuple(dict.fromkeys(item for row in rows for item in row.items)),
        url=first.url,
        seen_at=seen_at,
        source=first.source,
        timed=first.source in TIMED,
    )


def insert(run: sqlite3.Connection, filing: Filing, score: float) -> None:
    subject = filing.subject.cik
    run.execute(
        "INSERT INTO accessions (accession, form, cik, parties, items, accepted, filed, url, seen_at, score, amends,"
        " source) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            filing.accession,
            filing.form,
            subject,
            parties_json(filing.parties),
            orjson.dumps(filing.items),
            filing.accepted.timestamp(),
            filing.filed.isoformat() if filing.filed else None,
            filing.url,
            filing.seen_at.timestamp(),
            score,
            original(run, filing) if filing.is_amendment else "",
            filing.source,
        ),
    )


def original(run: sqlite3.Connection, filing: Filing, period: str = "") -> str:
    """What an amendment amends: the same company's latest earlier filing of the base form, or "" where none is known.

    One of another known period is not it, nor one by other people: several holders report on the same company.
    """
    found = run.execute(
        "SELECT accession, parties FROM accessions WHERE cik = ? AND form = ? AND accepted <= ?"
        " AND (period = ? OR period = '' OR ? = '') ORDER BY (period = ?) DESC, accepted DESC LIMIT 50",
        (filing.subject.cik, filing.form.removesuffix("/A"), filing.accepted.timestamp(), period, period, period),
    )
    others = others_of(filing.parties, filing.subject.cik)
    return next((name for name, parties in found if not others or others & others_of(parties_of(parties))), "")


def others_of(parties: Iterable[Party], but: str = "") -> set[str]:
    return {party.cik for party in parties if party.cik != but}


def extend(run: sqlite3.Connection, filing: Filing, row: tuple[bytes, bytes, str]) -> None:
    """Add what a later sight brings: parties, items, and the acceptance where the first one had none."""
    known, items = parties_of(row[0]), tuple(orjson.loads(row[1]))
    late = replace(filing, parties=union(known, filing.parties), items=tuple(dict.fromkeys((*items, *filing.items))))
    if late.parties != known or late.items != items:
        run.execute(
            "UPDATE accessions SET parties = ?, items = ?, cik = ? WHERE accession = ?",
            (parties_json(late.parties), orjson.dumps(late.items), late.subject.cik, filing.accession),
        )
    if filing.timed and row[2] not in TIMED:
        run.execute(
            "UPDATE accessions SET accepted = ?, url = ?, source = ? WHERE accession = ?",
            (filing.accepted.timestamp(), filing.url, filing.source, filing.accession),
        )


def union(known: Iterable[Party], more: Iterable[Party]) -> tuple[Party, ...]:
    """Each role of each company once, in order; the first name stays. A source without roles adds none."""
    parties: dict[tuple[str, str], Party] = {}
    for party in (*known, *more):
        parties.setdefault((party.role, party.cik), party)
    named = {cik for role, cik in parties if role}
    return tuple(party for party in parties.values() if party.role or party.cik not in named)[:MAX_PARTIES]


def parties_json(parties: Iterable[Party]) -> bytes:
    return orjson.dumps([(party.role, party.cik, party.name) for party in parties])


def parties_of(raw: bytes) -> tuple[Party, ...]:
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
    accession, form, parties, items, accepted, filed, url, seen_at, score, stages, *rest, source, period = row
    filing = Filing(
        accession,
        form,
        parties_of(parties),
        datetime.fromtimestamp(accepted, NEW_YORK),
        date.fromisoformat(filed) if filed else None,
        tuple(orjson.loads(items)),
        url,
        datetime.fromtimestamp(seen_at, UTC),
        source,
        source in TIMED,
    )
    how, version, attempts, next_try_at, error, amends, withdrawn = rest
    gone = bool(withdrawn)
    return Entry(filing, score, Stage(stages), how, version, attempts, next_try_at, error, amends, gone, period)
