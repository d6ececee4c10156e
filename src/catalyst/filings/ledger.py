"""The accession ledger's seam: what was seen, how far each accession has come, and what is still to do.

Backends: `accessions.py` (SQLite, the default) and `ledger_redis.py` (where REDIS_URL is set). Both pass
`tests/contracts/ledger.py`. Nothing is done until it is marked here, and every mark may be made twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from catalyst.filings.accession_rows import Entry, Mark, Pending, Stage
from catalyst.filings.types import FeedEntry, Filing


class Ledger(Protocol):
    """All accessions ever seen. One process at a time writes it; every write is durable when it returns."""

    async def see(self, entries: Sequence[FeedEntry], seen_at: datetime) -> list[Filing]:
        """Record the rows of one page and return the filings never seen before, in the page's order.

        Rows of an accession that is known add their parties and items to it. All or nothing.
        """
        ...

    async def begun(self) -> bool:
        """Whether `begin` was ever called."""
        ...

    async def since(self, at: datetime) -> datetime:
        """From when on filings are news: what the very first start said, `at` when this is it."""
        ...

    async def begin(self, before: Sequence[FeedEntry], at: datetime) -> None:
        """Record what the feed held `before` the first start as known, and that the ledger has begun, at once."""
        ...

    async def mark(self, *marks: Mark) -> None:
        """Record progress, all at once. Stages and version never go back, so a repeated mark changes nothing."""
        ...

    async def pending(self, now: float, limit: int, skip: Stage = Stage.NONE) -> Pending:
        """At most `limit` accessions without a final message and due at `now`, highest score first, then oldest.

        With `skip`, those that have that mark are left for later.
        """
        ...

    async def get(self, accession: str) -> Entry | None:
        """One accession, or None when it was never seen."""
        ...

    async def count(self) -> dict[str, int]:
        """How many were `seen` since the ledger began, have an alert, are `final`, `pending`, and were `withdrawn`.

        `before` counts those that the feed held already.
        """
        ...

    async def unknown(self, accessions: Sequence[str]) -> list[str]:
        """Those that were never seen, in their order."""
        ...

    async def original(self, filing: Filing, period: str = "") -> str:
        """The accession that an amendment amends, or "": same company, base form, latest earlier, period if known."""
        ...

    async def returned(self, shown: Iterable[str]) -> list[str]:
        """Those of `shown` that are marked withdrawn."""
        ...

    async def trim(self, before: datetime, limit: int = 5000) -> int:
        """Forget at most `limit` accessions that are done and were accepted and seen before; how many went.

        Nothing so old is news ever again (`see` passes it over), wherever it may turn up.
        """
        ...

    async def unseen_between(
        self, oldest: datetime, newest: datetime, before: datetime, shown: Iterable[str]
    ) -> frozenset[str]:
        """What was accepted from `oldest` to `newest`, seen `before` and told of, but is not among `shown`.

        What is marked withdrawn is left out.
        """
        ...


__all__ = ["Entry", "Ledger", "Mark", "Pending", "Stage"]
