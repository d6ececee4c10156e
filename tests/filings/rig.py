"""A whole watch against a recorded EDGAR: real server, real SQLite, simulated clock. And days written by hand."""

from __future__ import annotations

import asyncio
import contextlib
import html
import json
import math
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from catalyst.clock import Clock, SimClock
from catalyst.companies import Companies, Listing
from catalyst.db import Database
from catalyst.emulator import EmulatorServer, Fault, Faults, Recording
from catalyst.filings.accessions import AccessionLedger
from catalyst.filings.fetch import Fetcher
from catalyst.filings.limiter import RateLimiter
from catalyst.filings.pipeline import Analyst, Pipeline
from catalyst.filings.ranking import Ranking, Watched
from catalyst.filings.reconcile import Reconciler
from catalyst.filings.stops import Stops
from catalyst.filings.watch import Poller
from catalyst.filings.withdrawals import Withdrawals
from catalyst.http import Http
from catalyst.stream.sqlite import SqliteLog

DAY = "2025-06-10"
AGENT = "Test Person test@example.com"


def entry(
    number: int,
    form: str,
    updated: str,
    *,
    name: str = "Elm & Sons - Holdings (Delaware)",
    cik: int = 9_000_001,
    role: str = "Filer",
    filed: str = DAY,
    items: Iterable[str] = (),
) -> str:
    """One feed row. `updated` is `HH:MM:SS` of the day, or a full local time."""
    moment = updated if "T" in updated else f"{DAY}T{updated}"
    accession = acc(number)
    lines = "".join(f"\n&lt;br&gt;Item {item}: Something" for item in items)
    return (
        f"<entry>\n<title>{form} - {html.escape(name)} ({cik:010}) ({role})</title>\n"
        f'<link rel="alternate" type="text/html" href="https://www.sec.gov/Archives/edgar/data/{cik}/'
        f'{accession.replace("-", "")}/{accession}-index.htm"/>\n<summary type="html">\n'
        f" &lt;b&gt;Filed:&lt;/b&gt; {filed} &lt;b&gt;AccNo:&lt;/b&gt; {accession} &lt;b&gt;Size:&lt;/b&gt; 9 KB"
        f"{lines}\n</summary>\n<updated>{moment}-04:00</updated>\n"
        f'<category scheme="https://www.sec.gov/" label="form type" term="{form}"/>\n'
        f"<id>urn:tag:sec.gov,2008:accession-number={accession}</id>\n</entry>\n"
    )


def acc(number: int) -> str:
    """The accession number of a hand-written filing."""
    return f"0009000000-25-{number:06}"


def page(*entries: str, updated: str = f"{DAY}T17:00:00-04:00") -> bytes:
    """A feed page as EDGAR sends it."""
    text = (
        '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<title>Latest Filings</title>\n<updated>{updated}</updated>\n{''.join(entries)}</feed>\n"
    )
    return text.encode("iso-8859-1")


def day(folder: Path, *entries: str, background: bool = False) -> Recording:
    """A recorded day of these rows; with `background`, rows of earlier days are in the feed from the start."""
    pages = folder / "feeds" / "getcurrent"
    pages.mkdir(parents=True)
    (folder / "filings").mkdir()
    (pages / "walk.xml").write_bytes(page(*entries))
    return Recording.load(folder, day=date.fromisoformat(DAY), background=background)


@dataclass
class Rig:
    """All parts of one process's watch."""

    recording: Recording
    clock: Clock
    server: EmulatorServer
    limiter: RateLimiter
    db: Database
    log: SqliteLog
    ledger: AccessionLedger
    pipeline: Pipeline
    poller: Poller
    reconciler: Reconciler
    withdrawals: Withdrawals

    @property
    def faults(self) -> Faults:
        return self.server.faults

    def fault(self, kind: Any, **how: Any) -> None:
        self.faults.add(Fault(kind=kind, **how))

    async def run_until(self, moment: datetime, *, settle: bool = True, everything: bool = False) -> None:
        """Watch until `moment` of the clock, then until all that was seen has had its final message.

        With `everything`, reconciliation and the proof of withdrawals run too, as in the service.
        """
        works = [self.pipeline.run(), self.poller.run()]
        works += [self.reconciler.run(), self.withdrawals.run()] if everything else []
        tasks = [asyncio.create_task(work) for work in works]
        rest = asyncio.create_task(self.clock.sleep((moment - self.clock.now()).total_seconds()))
        try:
            await asyncio.wait([*tasks, rest], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    await task
            if settle:
                await asyncio.wait_for(self.pipeline.idle(), 20)
        finally:
            for task in (*tasks, rest):
                task.cancel()
            await asyncio.gather(*tasks, rest, return_exceptions=True)

    async def messages(self) -> list[dict[str, Any]]:
        """Every message of the log, in order."""
        return await logged(self.log)


async def logged(log: SqliteLog) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = 0
    while records := await log.read(after, 500):
        after = records[-1].offset
        found += [json.loads(record.body) for record in records]
    return found


def assert_exactly_once(messages: list[dict[str, Any]], accessions: Iterable[str]) -> None:
    """One alert and one final message for each accession, versions rising, nothing after the final one."""
    expected = Counter(accessions)
    alerts = Counter(told["filing_id"] for told in messages if told["type"] == "filing_alert")
    finals = Counter(told["filing_id"] for told in messages if told["final"])
    assert alerts == expected
    assert finals == expected
    last: dict[str, dict[str, Any]] = {}
    for told in messages:
        before = last.get(told["filing_id"])
        assert before is None or (told["version"] > before["version"] and not before["final"])
        assert (told["version"] == 1) == (told["type"] == "filing_alert")
        last[told["filing_id"]] = told


@contextlib.asynccontextmanager
async def watching(
    recording: Recording,
    data: Path,
    *,
    start: datetime | None = None,
    clock: Clock | None = None,
    server: EmulatorServer | None = None,
    analyst: Analyst | None = None,
    watchlist: Watched | None = None,
    listings: Iterable[Listing] = (),
    fetch_seconds: float = 30.0,
    min_score: float = 0.0,
    since: datetime | None = None,
    poll_seconds: float | None = None,
    stops: Stops | None = None,
) -> AsyncIterator[Rig]:
    """One process's parts over the data folder; opened twice, it is a restart."""
    clock = clock or SimClock(start or recording.at(time(5, 58)), math.inf)
    async with contextlib.AsyncExitStack() as stack:
        if server is None:
            server = await stack.enter_async_context(EmulatorServer(recording, clock))
        http = await stack.enter_async_context(Http(clock, AGENT))
        db = Database(data / "catalyst.db")
        stack.callback(db.close)
        log = SqliteLog(db)
        companies = Companies(listings)
        limiter = RateLimiter(clock, stops=stops)
        ledger = AccessionLedger(db, Ranking(companies, watchlist).rank)
        fetcher = Fetcher(http, limiter, clock, server.url, timeout_seconds=fetch_seconds)
        pipeline = Pipeline(ledger, fetcher, log, companies, clock, analyst, watchlist, min_score=min_score)
        withdrawals = Withdrawals(ledger, fetcher, pipeline, clock)
        poller = Poller(
            http,
            limiter,
            ledger,
            clock,
            base_url=server.url,
            on_new=pipeline.wake,
            poll_seconds=poll_seconds,
            since=since,
            withdrawals=withdrawals,
        )
        reconciler = Reconciler(
            http,
            limiter,
            ledger,
            clock,
            base_url=server.url,
            search_url=server.url,
            ready=poller.walked,
            on_new=pipeline.wake,
            since=since,
        )
        yield Rig(recording, clock, server, limiter, db, log, ledger, pipeline, poller, reconciler, withdrawals)
