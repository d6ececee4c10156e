"""A watch put together for `bench.feed`: the real poller, ledger, pipeline and reconciliation over an emulator.

The emulator answers over loopback HTTP in the same process, on the same simulated clock, and `Tally` counts what
reaches it. `--life` runs one such watch as a process of its own, to be killed.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import Any

import structlog

from catalyst.clock import Clock, SimClock
from catalyst.companies import Companies
from catalyst.db import Database
from catalyst.emulator import EmulatorServer, Fault, Recording
from catalyst.emulator.answers import Answer
from catalyst.filings.accessions import AccessionLedger
from catalyst.filings.fetch import Fetcher
from catalyst.filings.limiter import RateLimiter
from catalyst.filings.pipeline import Pipeline
from catalyst.filings.ranking import Ranking
from catalyst.filings.reconcile import Reconciler
from catalyst.filings.stops import StopFile
from catalyst.filings.types import Filing
from catalyst.filings.watch import Poller
from catalyst.filings.withdrawals import Withdrawals
from catalyst.http import Http
from catalyst.stream.sqlite import SqliteLog

AGENT = "Catalyst bench (bench@catalyst.invalid)"


@dataclass(slots=True)
class Tally:
    """Simulated moments of every request that reached the emulator: for lists (the feed among them), and all."""

    lists: list[float] = field(default_factory=list)
    all: list[float] = field(default_factory=list)

    def note(self, path: str, moment: float) -> None:
        self.all.append(moment)
        if not path.startswith("/Archives/edgar/data/"):
            self.lists.append(moment)

    def most_in_a_second(self) -> int:
        """The most requests that arrived within any one second."""
        times = sorted(self.all)
        inside = (place - bisect.bisect_right(times, at - 1.0, 0, place) + 1 for place, at in enumerate(times))
        return max(inside, default=0)


class CountedServer(EmulatorServer):
    """An emulator that keeps a tally."""

    def __init__(self, recording: Recording, clock: Clock, tally: Tally) -> None:
        super().__init__(recording, clock)
        self._tally = tally
        inner = self._site.answer

        def answer(path: str, params: Any, now: float, *more: Any) -> Answer:
            tally.note(path, now)
            return inner(path, params, now, *more)

        self._site.answer = answer  # type: ignore[method-assign, assignment]


@dataclass(slots=True)
class Watch:
    """One running watch and what it has told of."""

    clock: SimClock
    server: EmulatorServer
    tally: Tally
    poller: Poller
    pipeline: Pipeline
    reconciler: Reconciler
    withdrawals: Withdrawals
    ledger: AccessionLedger
    ranking: Ranking
    log: SqliteLog
    seen: list[Filing]
    fetching: bool

    async def until(self, moment: datetime) -> None:
        """Watch until a moment of the clock; where filings are fetched, until each has had its last message too."""
        works = [self.poller.run(), self.reconciler.run()]
        works += [self.pipeline.run(), self.withdrawals.run()] if self.fetching else []
        tasks = [asyncio.create_task(work) for work in works]
        rest = asyncio.create_task(self.clock.sleep((moment - self.clock.now()).total_seconds()))
        try:
            await asyncio.wait([*tasks, rest], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    await task
            if self.fetching:
                await self.pipeline.idle()
        finally:
            for task in (*tasks, rest):
                task.cancel()
            await asyncio.gather(*tasks, rest, return_exceptions=True)

    async def messages(self) -> list[dict[str, Any]]:
        """Every message in the log."""
        found: list[dict[str, Any]] = []
        after = 0
        while records := await self.log.read(after, 1000):
            after = records[-1].offset
            found += [json.loads(record.body) for record in records]
        return found


@contextlib.asynccontextmanager
async def watching(
    recording: Recording,
    data: Path,
    start: datetime,
    *,
    fetching: bool,
    since: datetime | None = None,
    faults: Sequence[Fault] = (),
    speed: float = float("inf"),
    state: Path | None = None,
) -> AsyncIterator[Watch]:
    """Everything of one watch over the folder `data`; opened again, it is a restart."""
    clock, tally = SimClock(start, speed, state), Tally()
    seen: list[Filing] = []
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(CountedServer(recording, clock, tally))
        for fault in faults:
            server.faults.add(fault)
        http = await stack.enter_async_context(Http(clock, AGENT))
        db = Database(data / "stream.db", synchronous="NORMAL")
        stack.callback(db.close)
        log, companies, limiter = SqliteLog(db), Companies([]), RateLimiter(clock, stops=StopFile(data / "stop"))
        ranking = Ranking(companies)
        ledger = AccessionLedger(db, ranking.rank)
        fetcher = Fetcher(http, limiter, clock, server.url)
        pipeline = Pipeline(ledger, fetcher, log, companies, clock)
        withdrawals = Withdrawals(ledger, fetcher, pipeline, clock)

        def on_new(filings: Sequence[Filing]) -> None:
            seen.extend(filings)
            pipeline.wake(filings)

        poller = Poller(
            http, limiter, ledger, clock, base_url=server.url, on_new=on_new, since=since, withdrawals=withdrawals
        )
        reconciler = Reconciler(
            http,
            limiter,
            ledger,
            clock,
            base_url=server.url,
            search_url=server.url,
            ready=poller.walked,
            on_new=on_new,
            since=since,
        )
        parts = (poller, pipeline, reconciler, withdrawals, ledger, ranking, log)
        yield Watch(clock, server, tally, *parts, seen, fetching)


async def live(options: argparse.Namespace) -> None:
    """One life: from where the last one ended, until the slice is over and everything told."""
    recording = Recording.load(options.walk)
    folder: Path = options.life
    start = recording.at(time.fromisoformat(options.start))
    faults = [Fault.model_validate_json(text) for text in options.fault]
    state = folder / "clock"
    async with watching(
        recording, folder, start, fetching=True, since=start, faults=faults, speed=options.speed, state=state
    ) as watch:
        print("up", flush=True)
        await watch.until(recording.at(time.fromisoformat(options.until)))
    print("done", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--life", type=Path, required=True, help="the folder in which it lives")
    parser.add_argument("--walk", type=Path, required=True)
    parser.add_argument("--start", required=True)
    parser.add_argument("--until", required=True)
    parser.add_argument("--speed", type=float, default=float("inf"))
    parser.add_argument("--fault", action="append", default=[], help="a fault as JSON")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    asyncio.run(live(parser.parse_args()))


if __name__ == "__main__":
    main()
