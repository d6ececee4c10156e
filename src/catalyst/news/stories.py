"""Which stories are known, and how far each is told: a ledger in SQLite beside the log.

A story is recorded before anything is said of it, and marked only once what was said stands in the log: a kill between
any two steps repeats the step onto the same id. Feeds' validators are stored with what they brought, in one
transaction, so that no answer is confirmed whose items are not on disk.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

import orjson

from catalyst.db import Database
from catalyst.news.story import SAME_STORY, headline_id, story_key
from catalyst.news.types import Headline, Mention

KEPT = timedelta(days=7)
MOST_STORIES = 100_000
_MOST_SOURCES = 20

_STEPS = (
    """
    CREATE TABLE stories (
        key TEXT PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        state INTEGER NOT NULL,
        rank REAL NOT NULL DEFAULT 0,
        first REAL NOT NULL,
        last REAL NOT NULL,
        marks TEXT NOT NULL,
        sources TEXT NOT NULL,
        body BLOB
    ) WITHOUT ROWID;
    CREATE INDEX stories_open ON stories (state, rank DESC, first DESC) WHERE state < 2;
    CREATE INDEX stories_first ON stories (first);
    CREATE TABLE feeds (name TEXT PRIMARY KEY, etag TEXT NOT NULL, modified TEXT NOT NULL) WITHOUT ROWID;
    """,
)


class State(IntEnum):
    """How far a story is told."""

    SEEN = 0
    ALERTED = 1
    """Its alert is in the log; its last message is not."""
    FINAL = 2
    SKIPPED = 3
    """Known, and never told: too old, or there before we first looked."""


@dataclass(frozen=True, slots=True)
class Validators:
    """What makes a conditional request."""

    etag: str = ""
    modified: str = ""


@dataclass(frozen=True, slots=True)
class Open:
    """A story that is not told to its end."""

    key: str
    headline: Headline
    sources: tuple[str, ...]


class Stories:
    """The ledger over a database."""

    def __init__(self, db: Database) -> None:
        self._db = db
        db.migrate("news", _STEPS)

    async def record(
        self,
        headlines: Sequence[Headline],
        *,
        feed: str = "",
        validators: Validators | None = None,
        skip: Sequence[Headline] = (),
    ) -> int:
        """Take in what a feed brought, durably; returns how many stories are new. `skip` is known but never told."""

        def work(run: sqlite3.Connection) -> int:
            new = sum(_take(run, headline, State.SEEN) for headline in headlines)
            for headline in skip:
                _take(run, headline, State.SKIPPED)
            if validators is not None:
                row = (_name(feed), validators.etag, validators.modified)
                run.execute("INSERT OR REPLACE INTO feeds VALUES (?, ?, ?)", row)
            return new

        return await self._db.write(work)

    async def validators(self, feed: str) -> Validators | None:
        """What the feed's last answer bore; None where it was never read."""
        row = await self._db.read(
            lambda run: run.execute("SELECT etag, modified FROM feeds WHERE name = ?", (_name(feed),)).fetchone()
        )
        return Validators(*row) if row else None

    async def open(self, state: State, limit: int) -> list[Open]:
        """Stories in this state, the highest rank first, then the newest."""
        sql = """
            SELECT key, sources, body FROM stories WHERE state = ? AND state < 2
            ORDER BY rank DESC, first DESC LIMIT ?
        """
        rows = await self._db.read(lambda run: run.execute(sql, (int(state), limit)).fetchall())
        return [Open(key, _headline(body), tuple(orjson.loads(sources))) for key, sources, body in rows]

    async def mark(self, marks: Sequence[tuple[str, State, float]]) -> None:
        """(key, state, rank) of each: what is in the log now. A final story's text is dropped."""

        def work(run: sqlite3.Connection) -> None:
            for key, state, rank in marks:
                sql = (
                    "UPDATE stories SET state = ?, rank = ?, body = iif(? >= 2, NULL, body) WHERE key = ? AND state < ?"
                )
                run.execute(sql, (int(state), rank, int(state), key, int(state)))

        await self._db.write(work)

    async def count(self) -> dict[str, int]:
        """Stories by state."""
        rows = await self._db.read(
            lambda run: run.execute("SELECT state, count(*) FROM stories GROUP BY state").fetchall()
        )
        counts: dict[int, int] = dict(rows)
        return {state.name.lower(): counts.get(state, 0) for state in State}

    async def forget(self, now: datetime) -> int:
        """Drop what is old and told, and what is beyond MOST_STORIES; never what is still open."""
        before = (now - KEPT).timestamp()

        def work(run: sqlite3.Connection) -> int:
            gone = run.execute("DELETE FROM stories WHERE state >= 2 AND last < ?", (before,)).rowcount
            sql = (
                "DELETE FROM stories WHERE state >= 2 AND key IN "
                "(SELECT key FROM stories ORDER BY first DESC LIMIT -1 OFFSET ?)"
            )
            return gone + run.execute(sql, (MOST_STORIES,)).rowcount

        return await self._db.write(work)


def _take(run: sqlite3.Connection, headline: Headline, state: State) -> int:
    """1 where it is a new story; a known one learns another wire's name."""
    key, marks = story_key(headline.title), _marks(headline)
    row = _known(run, key)
    if row is not None and marks and row[3] and not marks & set(row[3].split(",")):
        key = f"{key}:{','.join(sorted(marks))}"  # the same words about another company
        row = _known(run, key)
    first = headline.published.timestamp()
    if row is None or (row[0] >= State.FINAL and first > row[1] + SAME_STORY.total_seconds()):
        told = replace(headline, id=headline_id(key, headline.published))
        run.execute(
            "INSERT OR REPLACE INTO stories VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?)",
            (key, told.id, int(state), first, headline.seen_at.timestamp(), ",".join(sorted(marks)),
             orjson.dumps([headline.source]).decode(), None if state >= State.FINAL else _body(told)),
        )  # fmt: skip
        return 1
    _another(run, key, row, headline)
    return 0


def _known(run: sqlite3.Connection, key: str) -> Any:
    return run.execute("SELECT state, first, last, marks, sources FROM stories WHERE key = ?", (key,)).fetchone()


def _another(run: sqlite3.Connection, key: str, row: Any, headline: Headline) -> None:
    """The story was seen again; written only where that says something new, since feeds repeat all they hold."""
    sources: list[str] = orjson.loads(row[4])
    fresh = headline.source not in sources and len(sources) < _MOST_SOURCES
    seen = headline.seen_at.timestamp()
    if fresh or seen > row[2] + 3600:
        kept = orjson.dumps([*sources, headline.source] if fresh else sources).decode()
        run.execute("UPDATE stories SET sources = ?, last = ? WHERE key = ?", (kept, seen, key))


def _marks(headline: Headline) -> set[str]:
    return {mention.ticker for mention in headline.mentions if mention.how != "name"}


def _name(feed: str) -> str:
    """Its address may hold a key."""
    return hashlib.sha256(feed.encode()).hexdigest()


def _body(headline: Headline) -> bytes:
    return orjson.dumps(
        {
            "id": headline.id,
            "title": headline.title,
            "source": headline.source,
            "url": headline.url,
            "published": headline.published.isoformat(),
            "seen_at": headline.seen_at.isoformat(),
            "summary": headline.summary,
            "mentions": [[mention.ticker, mention.relevance, mention.how] for mention in headline.mentions],
        }
    )


def _headline(body: bytes) -> Headline:
    row = orjson.loads(body)
    return Headline(
        row["id"],
        row["title"],
        row["source"],
        row["url"],
        datetime.fromisoformat(row["published"]).astimezone(UTC),
        datetime.fromisoformat(row["seen_at"]).astimezone(UTC),
        row["summary"],
        tuple(Mention(*mention) for mention in row["mentions"]),
    )
