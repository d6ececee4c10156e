"""What a channel or a user wants to be told: watchlist, mutes, snooze, threshold, silent mode, digest. Stored as JSON.

Begin with `Preferences.wants`: the one place that decides whether and how an alert goes somewhere.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import structlog

from catalyst.bot.outbox import Tier
from catalyst.db import Database
from catalyst.errors import UsageError
from catalyst.stream.types import Alert

log = structlog.get_logger()

MOST_TICKERS = 200
MOST_MUTES = 200
FOREVER = 1e12
_MOST_OWNERS = 10_000


@dataclass(frozen=True, slots=True)
class Preferences:
    """One owner's. Times are POSIX seconds."""

    watch: tuple[str, ...] = ()
    """Tickers that come whatever their score, at once."""
    only_watched: bool = False
    """Nothing else comes: what a user gets directly."""
    mutes: dict[str, float] = field(default_factory=dict)
    """Ticker, or `FORM:8-K`, to when the mute ends."""
    snoozed_until: float = 0.0
    threshold: float = 0.0
    """Least priority score."""
    quiet: bool = False
    """All but the urgent come without a notification."""
    digest: bool = False
    """All but the urgent come together, every ten minutes."""

    def wants(self, alert: Alert, now: float) -> Tier | None:
        """How the alert is told here; None: not at all."""
        tickers = {plain_ticker(name) for name in (alert.ticker, *alert.tickers) if name}
        if now < self.snoozed_until or self._muted(alert, tickers, now):
            return None
        watched = not tickers.isdisjoint(self.watch)
        if not watched and (self.only_watched or alert.analysis.priority_score < self.threshold):
            return None
        if watched or alert.analysis.priority == "high":
            return Tier.HIGH
        return Tier.DIGEST if self.digest else Tier.LOW

    def _muted(self, alert: Alert, tickers: set[str], now: float) -> bool:
        live = {name for name, until in self.mutes.items() if until > now}
        return f"FORM:{alert.filing_type.upper()}" in live or (bool(tickers) and tickers <= live)

    def watching(self, tickers: Iterable[str], *, add: bool) -> Preferences:
        """With tickers added or removed. Raises UsageError for too many."""
        named = [plain_ticker(name) for name in tickers]
        kept = dict.fromkeys([*self.watch, *named] if add else [name for name in self.watch if name not in named])
        if len(kept) > MOST_TICKERS:
            raise UsageError(f"a watchlist holds {MOST_TICKERS} tickers: remove some first")
        return replace(self, watch=tuple(kept))

    def muting(self, what: str, until: float, now: float) -> Preferences:
        """With `what` muted until then; a moment that has passed unmutes it. Raises UsageError for too many."""
        mutes = {name: end for name, end in self.mutes.items() if end > now and name != what}
        if until > now:
            mutes[what] = until
        if len(mutes) > MOST_MUTES:
            raise UsageError(f"{MOST_MUTES} mutes are the most: end some first")
        return replace(self, mutes=mutes)


class PreferenceStore:
    """All owners' preferences: read at start, written through. Owners are `channel:ID`, `webhook:ID`, `user:ID`."""

    def __init__(self, db: Database, default: Preferences | None = None) -> None:
        db.migrate("preferences", _STEPS)
        self._db = db
        self._default = default or Preferences()
        rows = db.peek(lambda run: run.execute("SELECT owner, body FROM bot_preferences").fetchall())
        self._all = {owner: _read(owner, body, self._default) for owner, body in rows}

    def of(self, owner: str) -> Preferences:
        """What the owner set, or the default; a user gets nothing until something is watched."""
        found = self._all.get(owner)
        if found is not None:
            return found
        return replace(self._default, only_watched=True) if owner.startswith("user:") else self._default

    def users(self) -> list[str]:
        """Users who watch something."""
        return [owner for owner, each in self._all.items() if owner.startswith("user:") and each.watch]

    async def put(self, owner: str, preferences: Preferences) -> None:
        """Keep them. Raises UsageError when there are too many owners."""
        if owner not in self._all and len(self._all) >= _MOST_OWNERS:
            raise UsageError("too many channels and users have settings here already")
        body = orjson.dumps(preferences)

        def work(run: sqlite3.Connection) -> None:
            run.execute("INSERT OR REPLACE INTO bot_preferences VALUES (?, ?)", (owner, body))

        await self._db.write(work)
        self._all[owner] = preferences


def plain_ticker(name: str) -> str:
    """As the stream compares them. Raises UsageError for what is no ticker."""
    found = name.strip().lstrip("$").upper().replace(".", "-")
    return found[:32]


def _read(owner: str, body: bytes, default: Preferences) -> Preferences:
    try:
        found: dict[str, Any] = orjson.loads(body)
        return Preferences(**{**found, "watch": tuple(found["watch"])})
    except (orjson.JSONDecodeError, TypeError, KeyError):
        log.error("preferences.unreadable", owner=owner)
        return default


_STEPS = ("CREATE TABLE bot_preferences (owner TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID",)
