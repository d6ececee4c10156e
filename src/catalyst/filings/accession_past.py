"""The ledger's edges: where it began, what it was never told of, what it has forgotten, and its counts.

Read `accession_rows.py` first; these too run inside `AccessionLedger`'s transactions.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import orjson

from catalyst.filings.accession_rows import Stage, insert
from catalyst.filings.types import Filing

TRIM_MARGIN = timedelta(days=5)
"""What was accepted up to so long after the newest trimmed moment is never news again: dates of the daily index and of
held-over filings are that inexact at most."""


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


def is_trimmed(run: sqlite3.Connection, filing: Filing) -> bool:
    """Whether it is as old as what was forgotten: it was known once, or came far too late to be news."""
    at = run.execute("SELECT at FROM accessions_trimmed").fetchone()[0]
    return bool(filing.accepted.timestamp() < at + TRIM_MARGIN.total_seconds())


def trim(run: sqlite3.Connection, before: float, limit: int) -> int:
    """Forget what is done, accepted and seen before; the newest row stays, so that `seq` goes on rising."""
    chosen = (
        "SELECT seq FROM accessions WHERE accepted < ? AND seen_at < ? AND stages >= 32"
        " AND seq < (SELECT max(seq) FROM accessions) ORDER BY accepted LIMIT ?"
    )
    gone = [seq for (seq,) in run.execute(chosen, (before, before, limit))]
    names = orjson.dumps(gone)
    never_told = run.execute(
        "SELECT count(*) FROM accessions WHERE stages >= 64 AND seq IN (SELECT value FROM json_each(?))", (names,)
    ).fetchone()[0]
    run.execute("DELETE FROM accessions WHERE seq IN (SELECT value FROM json_each(?))", (names,))
    run.execute("UPDATE accessions_trimmed SET at = max(at, ?), before = before + ?", (before, never_told))
    return len(gone)


def count(run: sqlite3.Connection) -> dict[str, int]:
    """The last `seq` is how many there ever were (`trim` keeps it); the rest comes from small partial indexes."""
    seen = run.execute("SELECT coalesce(max(seq), 0) FROM accessions").fetchone()[0]
    pending, alerted = run.execute(
        "SELECT count(*), coalesce(sum(stages & 2 = 2), 0) FROM accessions WHERE stages < 32"
    ).fetchone()
    withdrawn = run.execute("SELECT count(*) FROM accessions WHERE withdrawn = 1").fetchone()[0]
    before = run.execute("SELECT count(*) FROM accessions WHERE stages >= 64").fetchone()[0]
    before += run.execute("SELECT before FROM accessions_trimmed").fetchone()[0]
    final = seen - pending - before
    return {
        "seen": seen - before,
        "alerted": final + alerted,
        "final": final,
        "pending": pending,
        "withdrawn": withdrawn,
        "before": before,
    }


def unknown(run: sqlite3.Connection, names: bytes) -> list[str]:
    found = run.execute(
        "SELECT value FROM json_each(?) WHERE value NOT IN"
        " (SELECT accession FROM accessions WHERE accession IN (SELECT value FROM json_each(?)))",
        (names, names),
    )
    return [name for (name,) in found]


def returned(run: sqlite3.Connection, shown: bytes) -> list[str]:
    found = run.execute(
        "SELECT accession FROM accessions WHERE withdrawn = 1 AND accession IN (SELECT value FROM json_each(?))",
        (shown,),
    )
    return [name for (name,) in found]
