"""A process that watches: `python -m tests.stream.watcher URL FOLDER NAME TTL`. Killed or stopped by the tests.

Its feed is numbered filings. For each: seen in the ledger, an alert, a final update, marked. It prints what the log
acknowledged: `ack offset key`.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from catalyst.db import Database
from catalyst.errors import Unavailable
from catalyst.filings.ledger import Mark, Stage
from catalyst.filings.ledger_redis import RedisAccessionLedger
from catalyst.filings.types import FeedEntry, Party
from catalyst.stream.journal import Journal
from catalyst.stream.lease import Lease
from catalyst.stream.redis import RedisLog
from catalyst.stream.redis_link import Fence, Link
from tests.contracts.log import alert

PREFIX = "catalyst:{test}"
NOON = datetime(2025, 12, 12, 17, 0, tzinfo=UTC)


def feed(first: int, count: int) -> list[FeedEntry]:
    party = Party("filer", "0000000001", "Acme")
    names = (alert(number).filing_id for number in range(first + count - 1, first - 1, -1))
    return [FeedEntry(name, "8-K", party, NOON, None) for name in names]


async def watch(log: RedisLog, ledger: RedisAccessionLedger) -> None:
    """As the pipeline does, but for EDGAR: append, then mark."""
    print("watching", flush=True)
    while True:
        seen = (await ledger.count())["seen"]
        await ledger.see(feed(seen, 3), NOON)
        for entry in (await ledger.pending(0.0, 3)).entries:
            number = int(entry.filing.accession[-6:])
            for version in (1, 2):
                [offset] = await log.append([alert(number, version=version)])
                print("ack", offset, f"{entry.filing.accession}/{version}", flush=True)
            await ledger.mark(Mark(entry.filing.accession, Stage.ALERTED | Stage.FINAL, version=2))
        await asyncio.sleep(0.01)


async def main(url: str, folder: Path, name: str, ttl: float) -> None:
    links = [Link(url, PREFIX, retries=2) for _ in range(4)]
    fence, journal = Fence(), Journal(Database(folder / f"{name}.db"))
    log = RedisLog(links[0], links[1], links[2], journal, fence)
    ledger = RedisAccessionLedger(links[0], fence)
    await log.open()

    async def term() -> None:
        await log.begin()
        try:
            await watch(log, ledger)
        except Unavailable as error:
            print(type(error).__name__, flush=True)
            raise

    await Lease(links[3], fence, name, ttl=ttl).hold(term)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], float(sys.argv[4])))
