"""The processes of `bench.chaos --redis`: `service` (watches and serves), `client`, and `fsync` (a busy neighbour).

`service` is the product's own log, ledger, lease, fan-out and server over Redis; only EDGAR and the parsers are left
out: its feed is numbered filings, each told in an alert and a final update. Read `chaos_redis.py` first.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalyst.filings.types import FeedEntry, Party
from catalyst.stream.types import Alert, AlertType, Analysis

BATCH = 40
"""Filings told of in one append."""

SINCE = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)


def feed(first: int, count: int) -> list[FeedEntry]:
    party = Party("filer", "0000000001", "Acme Holdings")
    return [FeedEntry(accession(n), "8-K", party, SINCE, None) for n in reversed(range(first, first + count))]


def accession(number: int) -> str:
    return f"0009999999-26-{number:06}"


def message(name: str, version: int) -> Alert:
    return Alert(
        type=AlertType.FILING_ALERT if version == 1 else AlertType.FILING_UPDATE,
        filing_id=name,
        ticker="ACME",
        tickers=["ACME"],
        filing_type="8-K",
        timestamp=datetime.now(UTC),
        version=version,
        final=version == 2,
        headline="Acme Holdings reports " + "x" * 200,
        analysis=Analysis(priority_score=0.5),
    )


async def service(folder: Path, url: str, port: int, filings: int) -> None:
    """Serve on `port`, and while the lease is held tell of `filings` filings."""
    from prometheus_client import CollectorRegistry

    from catalyst.app.build.stores import stores
    from catalyst.companies import Companies
    from catalyst.web.app import Parts, create_app
    from catalyst.web.server import Server
    from catalyst.web.settings import WebSettings

    async with stores(folder, "chaos", Companies.load(folder / "companies.json"), (), url) as kept:
        acks = os.open(folder / "acks", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        async def tell(names: Sequence[str], version: int) -> None:
            offsets = await kept.log.append([message(name, version) for name in names])
            lines = (f"{offset} {name}/{version}\n" for offset, name in zip(offsets, names, strict=True))
            os.write(acks, "".join(lines).encode())

        async def watch() -> None:
            from catalyst.filings.ledger import Mark, Stage

            while True:
                seen = (await kept.ledger.count())["seen"]
                await kept.ledger.see(feed(seen, min(BATCH, filings - seen)), datetime.now(UTC))
                pending = await kept.ledger.pending(0.0, BATCH)
                names = [entry.filing.accession for entry in pending.entries]
                if not names:
                    await asyncio.sleep(0.2)
                    continue
                await tell(names, 1)
                await tell(names, 2)
                await kept.ledger.mark(*[Mark(name, Stage.ALERTED | Stage.FINAL, version=2) for name in names])
                await asyncio.sleep(0.01)

        app = create_app(Parts(kept.log, WebSettings(), kept.watchlist, dict, kept.problems, CollectorRegistry()))
        async with asyncio.TaskGroup() as group:
            group.create_task(Server(app, "127.0.0.1", port).run())
            group.create_task(kept.watch(watch))


async def client(folder: Path, port: int) -> None:
    """Follow the service: one handler commits its effect with the checkpoint, one only writes a line to a file."""
    from catalyst.bot.checkpoint import SqliteCheckpoint
    from catalyst.bot.client import FilingsClient, Start
    from catalyst.clock import SystemClock
    from catalyst.db import Database
    from catalyst.http import Http

    # The process is killed, not the machine: NORMAL is as safe here as FULL, and the client keeps up.
    database = Database(folder / "client.db", synchronous="NORMAL")
    database.migrate("effects", ("CREATE TABLE effects (seq INTEGER, key TEXT)",))
    lines = os.open(folder / "lines", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def effect(told: Any):
        row = (told.seq, told.alert.key)
        return lambda run: run.execute("INSERT INTO effects VALUES (?, ?)", row)

    async def line(told: Any) -> None:
        os.write(lines, f"{told.seq} {told.alert.key}\n".encode())

    async with Http(SystemClock()) as http:
        checkpoint = SqliteCheckpoint(database)
        follower = FilingsClient(
            f"ws://127.0.0.1:{port}", http, checkpoint=checkpoint, start=Start(after=0), draw=lambda: 0.005
        )
        follower.handle("effect", effect)
        follower.handle("line", line)
        await follower.run()


def fsync(folder: Path) -> None:
    """Write and sync on the same disk for ever, as another database would."""
    with (folder / "neighbour").open("wb") as file:
        while True:
            file.seek(0)
            file.write(os.urandom(65_536))
            file.flush()
            os.fsync(file.fileno())
            time.sleep(0.005)


def main() -> None:
    part, folder, *more = sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]
    if part == "service":
        asyncio.run(service(folder, more[0], int(more[1]), int(more[2])))
    elif part == "client":
        asyncio.run(client(folder, int(more[0])))
    else:
        fsync(folder)


if __name__ == "__main__":
    main()
