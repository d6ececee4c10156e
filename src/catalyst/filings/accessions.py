"""The durable ledger of accessions: what was seen, how far each has come, and what is still to do.

The poller inserts with `see`, the pipeline takes `pending` and `mark`s. Nothing is done until it is marked here, and
every mark may be made twice. It shares its file, and so its commits, with the log (`db.Database`). `accession_rows.py`
holds the tables, `accession_past.py` where they begin and end.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import orjson

from catalyst.db import Database
from catalyst.filings import accession_past as past
from catalyst.filings import accession_rows as rows
from catalyst.filings.accession_rows import Entry, Mark, Pending, Stage
from catalyst.filings.types import FeedEntry, Filing


class AccessionLedger:
    """All accessions ever seen. `rank` gives a new filing's priority score (0 to 1), by which work is ordered."""

    def __init__(self, db: Database, rank: Callable[[Filing], float] = lambda _: 0.0) -> None:
        db.migrate("accessions", rows.STEPS)
        self._db = db
        self._rank = rank

    async def see(self, entries: Sequence[FeedEntry], seen_at: datetime) -> list[Filing]:
        """Record the rows of one page and return the filings never seen before, in the page's order.

        Rows of an accession that is known add their parties and items to it. One transaction: all or nothing.
        """
        found = [(filing, self._rank(filing)) for filing in rows.merged(entries, seen_at)]
        return await self._db.write(lambda run: self._see(run, found)) if found else []

    async def begun(self) -> bool:
        """Whether `begin` was ever called."""
        return await self._db.read(lambda run: run.execute("SELECT 1 FROM accessions_begun").fetchone() is not None)

    async def since(self, at: datetime) -> datetime:
        """From when on filings are news: what the very first start said, `at` when this is it.

        A first start that is killed before it has seen the whole feed thus misses nothing in between.
        """
        return await self._db.write(lambda run: past.since(run, at))

    async def begin(self, before: Sequence[FeedEntry], at: datetime) -> None:
        """Record what the feed held `before` the first start as known, and that the ledger has begun; one commit."""
        await self._db.write(lambda run: past.begin(run, rows.merged(before, at), at))

    async def mark(self, *marks: Mark) -> None:
        """Record progress, all in one commit. Stages and version never go back, so a repeated mark changes nothing."""
        if marks:
            await self._db.write(lambda run: rows.mark(run, marks))

    async def pending(self, now: float, limit: int, skip: Stage = Stage.NONE) -> Pending:
        """At most `limit` accessions without a final message and due at `now`, highest score first, then oldest.

        With `skip`, those that have that mark are left for later.
        """
        return await self._db.read(lambda run: rows.find_pending(run, now, limit, skip))

    async def get(self, accession: str) -> Entry | None:
        """One accession, or None when it was never seen."""
        return await self._db.read(lambda run: rows.find(run, accession))

    async def count(self) -> dict[str, int]:
        """How many were `seen` since the ledger began, have an alert, are `final`, `pending`, and were `withdrawn`.

        `before` counts those that the feed held already.
        """
        return await self._db.read(past.count)

    async def unknown(self, accessions: Sequence[str]) -> list[str]:
        """Those that were never seen, in their order."""
        names = orjson.dumps(list(accessions))
        return await self._db.read(lambda run: past.unknown(run, names))

    async def original(self, filing: Filing, period: str = "") -> str:
        """The accession that an amendment amends, or "": same company, base form, latest earlier, period if known."""
        return await self._db.read(lambda run: rows.original(run, filing, period))

    async def returned(self, shown: Iterable[str]) -> list[str]:
        """Those of `shown` that are marked withdrawn."""
        names = orjson.dumps(list(shown))
        return await self._db.read(lambda run: past.returned(run, names))

    async def trim(self, before: datetime, limit: int = 5000) -> int:
        """Forget at most `limit` accessions that are done and were accepted and seen before; how many went.

        Nothing so old is news ever again (`see` passes it over), wherever it may turn up.
        """
        return await self._db.write(lambda run: past.trim(run, before.timestamp(), limit))

    async def unseen_between(
        self, oldest: datetime, newest: datetime, before: datetime, shown: Iterable[str]
    ) -> frozenset[str]:
        """What was accepted from `oldest` to `newest`, seen `before` and told of, but is not among `shown`.

        What is marked withdrawn is left out.
        """
        span = (oldest.timestamp(), newest.timestamp(), before.timestamp(), orjson.dumps(list(shown)))
        return await self._db.read(lambda run: frozenset(name for (name,) in run.execute(rows.MISSING, span)))

    def _see(self, run: sqlite3.Connection, ranked: Sequence[tuple[Filing, float]]) -> list[Filing]:
        new: list[Filing] = []
        for filing, score in reversed(ranked):  # oldest first, so that `seq` follows time
            known = run.execute(
                "SELECT parties, items, source FROM accessions WHERE accession = ?", (filing.accession,)
            ).fetchone()
            if known is None and past.is_trimmed(run, filing):
                continue
            if known is None:
                rows.insert(run, filing, score)
                new.append(filing)
            else:
                rows.extend(run, filing, known)
        return new[::-1]


__all__ = ["AccessionLedger", "Entry", "Mark", "Pending", "Stage"]
