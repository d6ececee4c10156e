"""The text of each filing as it was read, kept as long as its alert: what a quote is looked up in.

Texts lie in a database of their own, so that the log stays small. Losing it loses no filing: it is `NORMAL`.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import orjson

from catalyst.clock import Clock
from catalyst.db import Database
from catalyst.filings.types import Parsed

MOST_CHARACTERS = 1_000_000
"""Of one filing; what comes after is cut off, and the text says so."""

CHUNK = 200
"""Texts looked at in one turn of `trim`."""

_STEPS = (
    """
CREATE TABLE texts (accession TEXT PRIMARY KEY, kept_at REAL NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX texts_age ON texts (kept_at);
""",
)


@dataclass(frozen=True, slots=True)
class Part:
    """One document of a filing: its type (`8-K`, `EX-99.1`) and its plain text."""

    type: str
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """What was read of a filing."""

    parts: tuple[Part, ...]
    cut: bool = False
    """Whether the filing is longer than what is kept."""

    @classmethod
    def of(cls, parsed: Parsed) -> Text:
        """The main document, then the press releases, up to MOST_CHARACTERS."""
        found = [Part(parsed.form, parsed.text), *(Part(exhibit.type, exhibit.text) for exhibit in parsed.exhibits)]
        room, kept = MOST_CHARACTERS, []
        for part in found:
            kept.append(Part(part.type, part.text[:room]))
            room -= len(kept[-1].text)
        return cls(tuple(kept), sum(len(part.text) for part in found) > MOST_CHARACTERS)

    def packed(self) -> bytes:
        """Compressed, for a store."""
        rows = [[part.type, part.text] for part in self.parts]
        return zlib.compress(orjson.dumps([self.cut, rows]), 1)

    @classmethod
    def unpacked(cls, body: bytes) -> Text:
        cut, rows = orjson.loads(zlib.decompress(body))
        return cls(tuple(Part(kind, text) for kind, text in rows), cut)


class Texts(Protocol):
    """Where texts are kept."""

    async def keep(self, accession: str, text: Text) -> None:
        """Keep it, in place of an earlier one. Raises StorageError."""
        ...

    async def get(self, accession: str) -> Text | None: ...

    async def trim(self, held: Callable[[str], Awaitable[bool]]) -> int:
        """Forget the texts whose alert is not held any more; returns how many."""
        ...


class SqliteTexts:
    """Texts in SQLite."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        db.migrate("texts", _STEPS)

    async def keep(self, accession: str, text: Text) -> None:
        now = self._clock.now().timestamp()

        def work(run: sqlite3.Connection) -> None:
            run.execute("INSERT OR REPLACE INTO texts VALUES (?, ?, ?)", (accession, now, text.packed()))

        await self._db.write(work)

    async def get(self, accession: str) -> Text | None:
        row = await self._db.read(
            lambda run: run.execute("SELECT body FROM texts WHERE accession = ?", (accession,)).fetchone()
        )
        return Text.unpacked(row[0]) if row else None

    async def trim(self, held: Callable[[str], Awaitable[bool]]) -> int:
        """Forget, from the oldest on, the texts whose alert is not held any more; returns how many."""
        gone = 0
        while True:
            rows = await self._db.read(
                lambda run: run.execute("SELECT accession FROM texts ORDER BY kept_at LIMIT ?", (CHUNK,)).fetchall()
            )
            lost = [name for (name,) in rows if not await held(name)]
            if lost:
                await self._db.write(lambda run, lost=lost: _forget(run, lost))  # type: ignore[misc]
            gone += len(lost)
            if len(lost) < CHUNK:
                return gone


def _forget(run: sqlite3.Connection, accessions: Sequence[str]) -> None:
    run.executemany("DELETE FROM texts WHERE accession = ?", [(name,) for name in accessions])
