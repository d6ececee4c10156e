"""Which tickers are alerted from the feed row: the operator's `WATCHLIST`, and what clients put under a name of theirs.

`/api/watchlists/{owner}` reads and writes the owners' lists; the pipeline asks `watches`.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from catalyst.db import Database
from catalyst.errors import UsageError

MAX_TICKERS = 1000
"""Most tickers of one owner."""

MAX_OWNERS = 1000

_TICKER = re.compile(r"[A-Z0-9][A-Z0-9.\-]{0,11}")
_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")

_STEPS = (
    """
    CREATE TABLE watchlists (
        owner TEXT NOT NULL,
        place INTEGER NOT NULL,
        ticker TEXT NOT NULL,
        PRIMARY KEY (owner, ticker)
    ) WITHOUT ROWID;
    """,
)


def read_tickers(names: Iterable[str]) -> tuple[str, ...]:
    """Upper case, each once, in order; `BRK.B` and `$AAPL` are read as the SEC writes them: BRK-B, AAPL.

    Raises ValueError for what is no ticker, and for more than MAX_TICKERS.
    """
    found = dict.fromkeys(name.strip().lstrip("$").upper().replace(".", "-") for name in names if name.strip())
    for ticker in found:
        if not _TICKER.fullmatch(ticker):
            raise ValueError(f"{ticker[:20]!r} is no ticker: use letters, digits, dots and dashes")
    if len(found) > MAX_TICKERS:
        raise ValueError(f"{len(found)} tickers are more than {MAX_TICKERS}: split the list")
    return tuple(found)


class Lists(Protocol):
    """Where the owners' lists are kept: `SqliteLists`, or `watchlist_redis.RedisLists` for several processes."""

    async def all(self) -> Mapping[str, tuple[str, ...]]: ...

    async def replace(self, owner: str, tickers: Sequence[str]) -> None: ...


class SqliteLists:
    """The lists of one process."""

    def __init__(self, db: Database) -> None:
        db.migrate("watchlists", _STEPS)
        self._db = db

    async def all(self) -> Mapping[str, tuple[str, ...]]:
        return await self._db.read(_all)

    async def replace(self, owner: str, tickers: Sequence[str]) -> None:
        await self._db.write(lambda run: _replace(run, owner, tickers))


class Watchlist:
    """All lists together: in memory for the pipeline, in `kept` for the next start."""

    def __init__(self, kept: Lists | Database, always: Sequence[str] = ()) -> None:
        self._lists = SqliteLists(kept) if isinstance(kept, Database) else kept
        self._always = frozenset(always)
        self._owners: dict[str, tuple[str, ...]] = {}
        self._watched = self._always

    async def load(self) -> None:
        """Read the owners' lists; call before `watches`, and again when another process may have changed them."""
        self._owners = dict(await self._lists.all())
        self._union()

    def watches(self, tickers: Iterable[str]) -> bool:
        """Whether any of `tickers` stands on any list."""
        return not self._watched.isdisjoint(tickers)

    def owner(self, owner: str) -> tuple[str, ...]:
        """The owner's tickers in their own order; empty where there is no list. Raises UsageError for a bad name."""
        return self._owners.get(_checked(owner), ())

    async def put(self, owner: str, tickers: Iterable[str]) -> tuple[str, ...]:
        """Replace the owner's list durably and return it as kept; an empty one removes the owner.

        Raises UsageError for a name or a ticker that makes no sense, or one list too many.
        """
        _checked(owner)
        try:
            kept = read_tickers(tickers)
        except ValueError as error:
            raise UsageError(str(error)) from error
        if owner not in self._owners and len(self._owners) >= MAX_OWNERS:
            raise UsageError(f"there are {MAX_OWNERS} watchlists already: empty one that is no longer used")
        await self._lists.replace(owner, kept)
        self._owners = {name: names for name, names in self._owners.items() if name != owner}
        if kept:
            self._owners[owner] = kept
        self._union()
        return kept

    def _union(self) -> None:
        self._watched = self._always.union(*self._owners.values())


def _checked(owner: str) -> str:
    if not _OWNER.fullmatch(owner):
        raise UsageError(f"{owner[:80]!r} is no owner's name: use letters, digits and . _ @ -, at most 64")
    return owner


def _all(run: sqlite3.Connection) -> dict[str, tuple[str, ...]]:
    owners: dict[str, list[str]] = {}
    for owner, ticker in run.execute("SELECT owner, ticker FROM watchlists ORDER BY owner, place"):
        owners.setdefault(owner, []).append(ticker)
    return {owner: tuple(tickers) for owner, tickers in owners.items()}


def _replace(run: sqlite3.Connection, owner: str, tickers: Sequence[str]) -> None:
    run.execute("DELETE FROM watchlists WHERE owner = ?", (owner,))
    run.executemany(
        "INSERT INTO watchlists VALUES (?, ?, ?)", [(owner, place, ticker) for place, ticker in enumerate(tickers)]
    )
