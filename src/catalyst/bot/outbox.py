"""What is told to whom, and how far that got, in SQLite: `detected -> posted(id) -> enriched | timed_out | gone`.

A row is one filing for one target. It enters with the client's checkpoint, in the same transaction; it counts as seen
only when the target accepted it. Every change here is one transaction, so a kill leaves a state to go on from.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from catalyst.bot.telemetry import BotMetrics
from catalyst.db import Database

KEPT_S = 7 * 86_400.0
"""Rows that have ended are kept so long; a later update still edits their message."""

UNTOLD_S = 2 * 86_400.0
"""Alerts that nobody wanted are kept so long for `/latest` and `/why`."""


class State(StrEnum):
    DETECTED = "detected"
    POSTED = "posted"
    """It stands there, and says that the model is at work."""
    ENRICHED = "enriched"
    TIMED_OUT = "timed_out"
    GONE = "gone"


class Tier(StrEnum):
    """How a row is told: before others, alone, or with others where many wait."""

    HIGH = "high"
    LOW = "low"
    DIGEST = "digest"
    """Only ever with others, by the channel's own wish."""


@dataclass(frozen=True, slots=True)
class Row:
    """One filing for one target. Times are POSIX seconds of the outbox's owner."""

    id: int
    target: str
    subject: str
    """The filing's or headline's id."""
    tier: Tier
    state: State
    version: int
    """The newest that we know."""
    final: bool
    shown: int
    """The version that the message shows; 0 before it is posted."""
    nonce: str
    message_id: str
    digest: str
    """The nonce of the digest it is told in; empty where it has its own message."""
    silent: bool
    detected_at: float
    tried_at: float | None
    """When the last attempt to post began."""
    posted_at: float | None
    body: bytes
    """The newest alert as JSON."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row to be written for one target."""

    target: str
    tier: Tier
    silent: bool
    nonce: str


_COLUMNS = (
    "o.id, o.target, o.subject, o.tier, o.state, a.version, a.final, o.shown, o.nonce, o.message_id, o.digest, "
    "o.silent, o.detected_at, o.tried_at, o.posted_at, a.body"
)
_FROM = f"SELECT {_COLUMNS} FROM bot_outbox o JOIN bot_alerts a ON a.subject = o.subject"  # noqa: S608 (constants)


class Outbox:
    """The rows of all targets over one database (`synchronous=FULL`)."""

    def __init__(self, db: Database, metrics: BotMetrics | None = None) -> None:
        db.migrate("outbox", _STEPS)
        self._db = db
        self._looked_until = 0.0
        """Alerts from before then have been looked through for those that nobody was told."""
        self.metrics = metrics or BotMetrics()

    @staticmethod
    def enter(run: sqlite3.Connection, alert: AlertRow, entries: Sequence[Entry], now: float) -> list[str]:
        """Keep the alert where it is news, and a row for each target. Meant for the checkpoint's transaction.

        Returns whom it concerns: the targets that have a row now, from today or before.
        """
        values = (alert.subject, alert.version, alert.final, alert.form, now, alert.body)
        run.execute(_KEEP, values)
        run.executemany(
            "INSERT OR IGNORE INTO bot_tickers VALUES (?, ?)", [(ticker, alert.subject) for ticker in alert.tickers]
        )
        for entry in entries:
            row = (entry.target, alert.subject, entry.tier, entry.silent, entry.nonce, now)
            run.execute(_ENTER, row)
        run.execute(_KNOWN, (alert.subject,))
        return [row[0] for row in run.execute("SELECT target FROM bot_outbox WHERE subject = ?", (alert.subject,))]

    async def posts(self, target: str) -> list[Row]:
        """What waits to be posted, the urgent first, then the oldest."""
        return await self._rows(
            "o.target = ? AND o.state = 'detected' ORDER BY o.tier = 'high' DESC, o.id LIMIT 500", (target,)
        )

    async def edits(self, target: str) -> list[Row]:
        """Messages that say less than we know, or still say that the model is at work."""
        return await self._rows(_EDITS, (target, target))

    async def members(self, target: str, digest: str) -> list[Row]:
        """The rows that one digest tells."""
        return await self._rows("o.target = ? AND o.digest = ? ORDER BY o.id", (target, digest))

    async def of(self, ids: Sequence[int]) -> list[Row]:
        """The rows of these ids."""
        marks = ", ".join("?" for _ in ids)
        return await self._rows(f"o.id IN ({marks})", tuple(ids))

    async def tried(self, rows: Sequence[Row], now: float, digest: str = "") -> None:
        """An attempt to post begins; with `digest`, all of them as one message under that nonce."""
        await self._each(
            "UPDATE bot_outbox SET tried_at = ?, attempts = attempts + 1, digest = ? WHERE id = ?",
            [(now, digest, row.id) for row in rows],
        )

    async def posted(self, rows: Sequence[Row], message_id: str, state: State, now: float, *, old: bool) -> None:
        """The target accepted it: now it counts as seen. `old`: what stands there may be an earlier attempt's text."""
        await self._each(
            "UPDATE bot_outbox SET state = ?, message_id = ?, shown = ?, posted_at = ? WHERE id = ?",
            [(state, message_id, 0 if old else row.version, now, row.id) for row in rows],
        )
        self.metrics.posted(rows[0].tier, [now - row.detected_at for row in rows], digest=len(rows) > 1)
        self._ended(rows, state)

    async def edited(self, rows: Sequence[Row], state: State) -> None:
        """The message shows the rows' version and is in this state."""
        await self._each(
            "UPDATE bot_outbox SET state = ?, shown = max(shown, ?) WHERE id = ?",
            [(state, row.version, row.id) for row in rows],
        )
        self.metrics.edited()
        self._ended(rows, state)

    async def gone(self, rows: Sequence[Row], why: str) -> None:
        """Nothing can be told any more."""
        await self._each(
            "UPDATE bot_outbox SET state = 'gone', error = ? WHERE id = ?", [(why[:200], r.id) for r in rows]
        )
        self._ended(rows, State.GONE)

    async def refused(self, rows: Sequence[Row], *, doubtful: bool, counts: bool, why: str) -> None:
        """An attempt failed. Where it was surely not accepted, nothing doubtful remains.

        `counts`: the next attempt may make a second message.
        """
        clear = "" if doubtful else ", tried_at = NULL, digest = ''"
        await self._each(
            f"UPDATE bot_outbox SET error = ?, doubts = doubts + ?{clear} WHERE id = ?",  # noqa: S608 (constants)
            [(why[:200], counts and number == 0, row.id) for number, row in enumerate(rows)],
        )
        self.metrics.failed(doubtful=doubtful)
        self.metrics.doubted(counts)

    async def doubt(self, target: str) -> int:
        """Count the messages that an earlier process was sending when it died; returns how many."""
        count = await self._db.write(lambda run: run.execute(_DOUBT, (target,)).rowcount)
        self.metrics.doubted(count)
        return count

    async def promote(self, row: Row) -> None:
        """Told in a digest, it now deserves its own message."""
        await self._each(
            "UPDATE bot_outbox SET state = 'detected', tier = 'high', digest = '', message_id = '', shown = 0,"
            " tried_at = NULL, nonce = nonce || 'p' WHERE id = ? AND digest != ''",
            [(row.id,)],
        )

    async def abandon(self, target: str, why: str) -> int:
        """A target is gone: so is all that was to be told there. Returns how many rows."""
        statement = (
            "UPDATE bot_outbox SET state = 'gone', error = ? WHERE target = ? AND (state IN ('detected', 'posted'))"
        )
        count = await self._db.write(lambda run: run.execute(statement, (why[:200], target)).rowcount)
        self.metrics.ended(State.GONE, count)
        return count

    async def recent_posts(self, target: str, since: float) -> int:
        """Messages posted since then, for the channel's limit that no header tells."""
        statement = "SELECT count(DISTINCT message_id) FROM bot_outbox WHERE target = ? AND posted_at > ?"
        found = await self._db.read(lambda run: run.execute(statement, (target, since)).fetchone())
        return int(found[0])

    async def counts(self) -> dict[str, int]:
        """Rows by state, `possible_duplicates` and `waiting` among them."""
        statement = "SELECT state, count(*), coalesce(sum(doubts), 0) FROM bot_outbox GROUP BY state"
        rows = await self._db.read(lambda run: run.execute(statement).fetchall())
        found = {str(state): int(count) for state, count, _ in rows}
        return {**{state.value: found.get(state, 0) for state in State}, "doubts": sum(int(row[2]) for row in rows)}

    async def waiting(self, targets: Sequence[str]) -> dict[str, int]:
        """Rows of these targets that wait to be posted, by tier, and messages that wait for their word: `edit`."""

        def ask(run: sqlite3.Connection) -> dict[str, int]:
            found: dict[str, int] = {}
            for target in targets:
                for kind, count in run.execute(_WAITING, (target,)):
                    found[kind] = found.get(kind, 0) + count
            return found

        return await self._db.read(ask)

    async def latest(self, ticker: str, limit: int) -> list[bytes]:
        """The newest alerts, of one ticker or of all, newest first."""
        wanted = "WHERE subject IN (SELECT subject FROM bot_tickers WHERE ticker = ?)" if ticker else ""
        statement = f"SELECT body FROM bot_alerts {wanted} ORDER BY at DESC, subject DESC LIMIT ?"  # noqa: S608
        values = (ticker, limit) if ticker else (limit,)
        rows = await self._db.read(lambda run: run.execute(statement, values).fetchall())
        return [row[0] for row in rows]

    async def alert(self, subject: str) -> bytes | None:
        """One alert's newest state."""
        statement = "SELECT body FROM bot_alerts WHERE subject = ?"
        row = await self._db.read(lambda run: run.execute(statement, (subject,)).fetchone())
        return row[0] if row else None

    async def retain(self, now: float) -> int:
        """Let go of what ended long ago; returns how many alerts are given up, which nobody took for a week.

        A filing whose row went is not posted again: `Desk` makes no row for an update so late.
        """

        untold = now - UNTOLD_S

        def work(run: sqlite3.Connection) -> int:
            given_up = run.execute(_GIVE_UP, (now - KEPT_S,)).rowcount
            left = run.execute(_FORGET, (now - KEPT_S, now - 2 * KEPT_S)).fetchall()
            left += run.execute(_UNTOLD, (self._looked_until, untold)).fetchall()
            run.executemany(_LET_GO, left)
            run.executemany(_LET_GO_TICKERS, left)
            return given_up

        count = await self._db.write(work)
        self._looked_until = untold
        self.metrics.ended(State.GONE, count)
        return count

    def _ended(self, rows: Sequence[Row], state: State) -> None:
        if state is not State.POSTED:
            self.metrics.ended(state, sum(row.state is not state for row in rows))

    async def _rows(self, where: str, values: tuple[Any, ...]) -> list[Row]:
        found = await self._db.read(lambda run: run.execute(f"{_FROM} WHERE {where}", values).fetchall())
        return [_row(each) for each in found]

    async def _each(self, statement: str, values: Sequence[tuple[Any, ...]]) -> None:
        def work(run: sqlite3.Connection) -> None:
            run.executemany(statement, values)

        await self._db.write(work)


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert as it is kept."""

    subject: str
    version: int
    final: bool
    form: str
    tickers: tuple[str, ...]
    body: bytes


def _row(found: tuple[Any, ...]) -> Row:
    ident, target, subject, tier, state, version, final, *rest = found
    shown, nonce, message_id, digest, silent, *times = rest
    return Row(
        ident, target, subject, Tier(tier), State(state), version, bool(final), shown, nonce, message_id, digest,
        bool(silent), *times,
    )  # fmt: skip


_KEEP = """
INSERT INTO bot_alerts (subject, version, final, form, at, body) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (subject) DO UPDATE SET version = excluded.version, final = excluded.final, body = excluded.body
WHERE excluded.version > version
"""
_ENTER = """
INSERT INTO bot_outbox (target, subject, tier, silent, nonce, detected_at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (target, subject) DO UPDATE SET tier = excluded.tier
WHERE state = 'detected' AND tried_at IS NULL AND excluded.tier = 'high'
"""
_KNOWN = """
UPDATE bot_outbox SET known = (SELECT version FROM bot_alerts AS a WHERE a.subject = bot_outbox.subject)
WHERE subject = ?
"""
_EDITS = """
o.id IN (
    SELECT id FROM bot_outbox WHERE target = ? AND state = 'posted'
    UNION ALL
    SELECT id FROM bot_outbox INDEXED BY bot_outbox_behind
    WHERE target = ? AND known > shown AND state IN ('enriched', 'timed_out')
) ORDER BY o.state = 'posted' DESC, o.id LIMIT 500
"""
_DOUBT = """
UPDATE bot_outbox SET doubts = doubts + 1 WHERE id IN (
    SELECT min(id) FROM bot_outbox WHERE target = ? AND state = 'detected' AND tried_at IS NOT NULL
    GROUP BY CASE digest WHEN '' THEN id ELSE digest END
)
"""
_WAITING = """
SELECT CASE state WHEN 'posted' THEN 'edit' ELSE tier END AS kind, count(*) FROM bot_outbox
WHERE target = ? AND state IN ('detected', 'posted') GROUP BY kind
"""
_GIVE_UP = """
UPDATE bot_outbox SET state = 'gone', error = 'nobody took it for a week' WHERE state = 'detected' AND detected_at < ?
"""
_FORGET = """
DELETE FROM bot_outbox WHERE detected_at < ? AND (state IN ('enriched', 'timed_out', 'gone') OR detected_at < ?)
RETURNING subject
"""
_UNTOLD = """
SELECT subject FROM bot_alerts AS a
WHERE at >= ? AND at < ? AND NOT EXISTS (SELECT 1 FROM bot_outbox AS o WHERE o.subject = a.subject)
"""
_LET_GO = "DELETE FROM bot_alerts WHERE subject = ?1 AND NOT EXISTS (SELECT 1 FROM bot_outbox WHERE subject = ?1)"
_LET_GO_TICKERS = (
    "DELETE FROM bot_tickers WHERE subject = ?1 AND NOT EXISTS (SELECT 1 FROM bot_alerts WHERE subject = ?1)"
)
_STEPS = (
    """
    CREATE TABLE bot_alerts (
        subject TEXT PRIMARY KEY, version INTEGER NOT NULL, final INTEGER NOT NULL, form TEXT NOT NULL,
        at REAL NOT NULL, body BLOB NOT NULL
    );
    CREATE INDEX bot_alerts_at ON bot_alerts (at);
    CREATE TABLE bot_tickers (ticker TEXT NOT NULL, subject TEXT NOT NULL, PRIMARY KEY (ticker, subject)) WITHOUT ROWID;
    CREATE TABLE bot_outbox (
        id INTEGER PRIMARY KEY, target TEXT NOT NULL, subject TEXT NOT NULL, tier TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'detected', silent INTEGER NOT NULL, nonce TEXT NOT NULL,
        message_id TEXT NOT NULL DEFAULT '', digest TEXT NOT NULL DEFAULT '', shown INTEGER NOT NULL DEFAULT 0,
        detected_at REAL NOT NULL, tried_at REAL, posted_at REAL, attempts INTEGER NOT NULL DEFAULT 0,
        doubts INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '', UNIQUE (target, subject)
    );
    CREATE INDEX bot_outbox_open ON bot_outbox (target, state);
    CREATE INDEX bot_outbox_digest ON bot_outbox (target, digest);
    """,
    """
    CREATE INDEX bot_outbox_subject ON bot_outbox (subject, target);
    """,
    """
    ALTER TABLE bot_outbox ADD COLUMN known INTEGER NOT NULL DEFAULT 0;
    UPDATE bot_outbox SET known = (SELECT version FROM bot_alerts AS a WHERE a.subject = bot_outbox.subject);
    CREATE INDEX bot_outbox_behind ON bot_outbox (target) WHERE known > shown;
    CREATE INDEX bot_outbox_detected ON bot_outbox (detected_at);
    CREATE INDEX bot_tickers_subject ON bot_tickers (subject);
    """,
)
