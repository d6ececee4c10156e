"""Where the service keeps the log, the accession ledger and the watchlists: SQLite, or a Redis that several share.

With SQLite this process watches. With Redis every process serves, and the one that holds the lease watches.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from catalyst.clock import SystemClock
from catalyst.companies import Companies
from catalyst.db import Database
from catalyst.errors import Unavailable
from catalyst.filings.accessions import AccessionLedger
from catalyst.filings.ledger import Ledger
from catalyst.filings.ranking import Ranking
from catalyst.filings.texts import SqliteTexts, Texts
from catalyst.filings.watchlist import Watchlist
from catalyst.stream.lease import Lease
from catalyst.stream.log import Archive
from catalyst.stream.sqlite import SqliteLog

KEPT_SECONDS = 90 * 86_400.0
"""Alerts older than this leave the log, and their texts with them."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Stores:
    """What the service stands on."""

    log: Archive
    ledger: Ledger
    watchlist: Watchlist
    texts: Texts
    shared: Shared | None = None
    """None where this process is alone."""

    async def watch(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do `work` (watch, walk, trim) as long as it is this process' to do; until cancelled."""
        if self.shared is None:
            await work()
        else:
            await self.shared.watch(work)

    def standby(self) -> bool:
        """Whether another process watches, or is to."""
        return self.shared is not None and not self.shared.lease.held

    def problems(self) -> list[str]:
        """Why clients cannot be served as they should."""
        return self.shared.problems() if self.shared else []


@dataclass(frozen=True, slots=True)
class Shared:
    """The parts that only a shared Redis has."""

    lease: Lease
    watches: bool
    """False for a process that only serves."""
    begin: Callable[[], Awaitable[None]]
    """Makes the log fit to be appended to."""
    follow: Callable[[], Coroutine[Any, Any, None]]
    """Hears of other processes' watchlists."""
    problem: Callable[[], str]

    async def watch(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def term() -> None:
            await self.begin()
            await work()

        async with asyncio.TaskGroup() as group:
            group.create_task(self.follow())
            if self.watches:
                group.create_task(self.lease.hold(term))

    def problems(self) -> list[str]:
        found = self.problem() or self.lease.problem
        return [f"Redis: {found}"] if found else []


@contextlib.asynccontextmanager
async def stores(
    folder: Path, name: str, companies: Companies, always: tuple[str, ...], redis_url: str, *, watches: bool = True
) -> AsyncIterator[Stores]:
    """Open them over `folder`, which the caller has locked; `name` tells one source's keys in Redis from another's."""
    opening = _on_redis(folder, name, companies, always, redis_url, watches) if redis_url else None
    async with opening or _on_sqlite(folder, companies, always) as found:
        yield found


@contextlib.asynccontextmanager
async def _on_sqlite(folder: Path, companies: Companies, always: tuple[str, ...]) -> AsyncIterator[Stores]:
    with contextlib.closing(Database(folder / "stream.db", synchronous="FULL")) as db:
        archive = SqliteLog(db)
        watchlist = Watchlist(db, always)
        await watchlist.load()
        with contextlib.closing(Database(folder / "texts.db", synchronous="NORMAL")) as aside:
            ledger = AccessionLedger(db, Ranking(companies, watchlist).rank)
            yield Stores(archive, ledger, watchlist, SqliteTexts(aside, SystemClock()))


@contextlib.asynccontextmanager
async def _on_redis(
    folder: Path, name: str, companies: Companies, always: tuple[str, ...], url: str, watches: bool
) -> AsyncIterator[Stores]:
    from catalyst.filings.ledger_redis import RedisAccessionLedger
    from catalyst.filings.texts_redis import RedisTexts
    from catalyst.filings.watchlist_redis import RedisLists
    from catalyst.stream.journal import Journal
    from catalyst.stream.redis import RedisLog
    from catalyst.stream.redis_link import Fence, Link

    prefix = f"catalyst:{{{name}}}"
    with contextlib.closing(Database(folder / "journal.db", synchronous="FULL")) as db:
        writer, reader, follower, side = (Link(url, prefix, retries=tries) for tries in (6, 1, 1, 1))
        fence, journal = Fence(), Journal(db)
        archive = RedisLog(writer, reader, follower, journal, fence)
        lists = RedisLists(side)
        watchlist = Watchlist(lists, always)
        ledger = RedisAccessionLedger(writer, fence, Ranking(companies, watchlist).rank)
        lease = Lease(side, fence, journal.name)
        await _tell_settings(side)
        await archive.open()
        try:
            yield Stores(
                archive,
                ledger,
                watchlist,
                RedisTexts(side, KEPT_SECONDS),
                Shared(lease, watches, archive.begin, lambda: lists.follow(watchlist), lambda: archive.problem),
            )
        finally:
            await lease.release()
            await archive.close()
            await side.close()


async def _tell_settings(link: Any) -> None:
    """Say what may be lost with Redis' settings. One that is away is waited for later; a wrong password ends us."""
    from catalyst.stream.redis_opening import server, warning

    try:
        text = warning(await server(link))
    except Unavailable as error:
        text = str(error)
    if text:
        log.warning("redis.settings", told=text)
