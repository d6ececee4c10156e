"""kill -9 at seeded random moments of a replay, and what the log then holds.

    python -m bench.chaos [--data DIR] [--cycles 50] [--seed 1] [--speed 600] [--quick]
    python -m bench.chaos --redis [--cycles 500] [--filings 52000] [--fsync always|everysec] [--quick]

With `--redis` service, redis-server and client are killed in turn (`chaos_redis.py` says what is counted).

`acknowledged` counts the messages a client had received before a kill; each must stand in the log at the end under the
same offset. `lost` counts filings without exactly one alert and one final message, `holes` gaps in the offsets,
`repeated` messages whose key or offset comes twice.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import websockets

from bench.common import CORPUS, catalyst, free_port, get_json, report, say, wait_ready
from catalyst.db import Database
from catalyst.emulator import Recording, sample_path
from catalyst.stream.sqlite import SqliteLog

ALERTS = ("filing_alert", "filing_update")


class Witness:
    """A client that keeps what it was sent: offset to (filing, version)."""

    def __init__(self) -> None:
        self.seen: dict[int, tuple[str, int]] = {}
        self.conflicts = 0

    async def watch(self, url: str) -> None:
        with contextlib.suppress(OSError, websockets.WebSocketException):
            async with websockets.connect(url, max_size=None) as socket:
                hello = orjson.loads(await socket.recv())
                resume = {"epoch": hello["epoch"], "after": max(self.seen, default=0)}
                await socket.send(orjson.dumps({"type": "subscribe", "resume": resume}).decode())
                async for frame in socket:
                    self._keep(orjson.loads(frame))

    def _keep(self, message: dict[str, Any]) -> None:
        if message["type"] in ALERTS:
            what = (message["filing_id"], message["version"])
            self.conflicts += self.seen.setdefault(message["seq"], what) != what


async def cycle(arguments: list[str], port: int, folder: Path, witness: Witness, seconds: float | None) -> None:
    """Run the service for `seconds`, then kill -9; None runs it until the replay has ended and nothing is pending."""
    with catalyst(*arguments, log=folder / "log") as process:
        began = time.monotonic()
        watching: asyncio.Task[None] | None = None
        while seconds is None or time.monotonic() - began < seconds:
            await asyncio.sleep(0.02)
            if process.poll() is not None:
                raise RuntimeError(f"the service ended by itself with {process.returncode}: see {folder / 'log'}")
            if watching is None or watching.done():
                watching = asyncio.create_task(witness.watch(f"ws://127.0.0.1:{port}/ws/filings"))
            if seconds is None and await asyncio.to_thread(_ended, port):
                await asyncio.sleep(1.0)
                break
    if watching is not None:
        watching.cancel()


def _ended(port: int) -> bool:
    try:
        status = get_json(f"http://127.0.0.1:{port}/api/status")
    except OSError:
        return False
    time.sleep(0.3)
    return bool(status["source"]["ended"]) and status["filings"]["pending"] == 0


async def judge(path: Path, expected: set[str], witness: Witness) -> dict[str, Any]:
    db = Database(path)
    log = SqliteLog(db)
    rows: list[tuple[int, dict[str, Any]]] = []
    while batch := await log.read(rows[-1][0] if rows else 0, 1000):
        rows += [(record.offset, orjson.loads(record.body)) for record in batch]
    db.close()
    alerts = Counter(body["filing_id"] for _, body in rows if body["version"] == 1)
    finals = Counter(body["filing_id"] for _, body in rows if body["final"])
    keys = Counter((body["filing_id"], body["version"]) for _, body in rows)
    stored = {offset: (body["filing_id"], body["version"]) for offset, body in rows}
    return {
        "messages": len(rows),
        "acknowledged": len(witness.seen),
        "acknowledged_lost": sum(stored.get(offset) != what for offset, what in witness.seen.items()),
        "lost": sum(alerts[name] != 1 or finals[name] != 1 for name in expected),
        "unexpected": len(alerts.keys() - expected),
        "holes": sum(b[0] != a[0] + 1 for a, b in itertools.pairwise(rows)) + (rows[0][0] != 1),
        "repeated": sum(count - 1 for count in keys.values()) + witness.conflicts,
    }


async def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    recording = Recording.load(options.data)
    expected = {filing.accession for filing in recording.filings()}
    port, draw, witness = free_port(), random.Random(options.seed), Witness()
    arguments = ["serve", "--source", f"replay:{options.data}", "--speed", str(options.speed)]
    arguments += ["--port", str(port), "--data", str(folder)]
    for number in range(options.cycles):
        await cycle(arguments, port, folder, witness, draw.uniform(*options.between))
        say(f"kill {number + 1} of {options.cycles}: {len(witness.seen)} messages received so far")
    with catalyst(*arguments, log=folder / "log") as process:
        await asyncio.to_thread(wait_ready, f"http://127.0.0.1:{port}/health/live", process)
    await cycle(arguments, port, folder, witness, None)
    stores = list(folder.glob("*/stream.db"))
    return {"cycles": options.cycles, **await judge(stores[0], expected, witness)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=CORPUS / "edgar", help="a recording laid out like the corpus")
    parser.add_argument("--redis", action="store_true", help="kill service, redis-server and client on a shared Redis")
    parser.add_argument("--filings", type=int, help="with --redis: filings told of, two messages each [104 a kill]")
    parser.add_argument("--fsync", default="always", choices=("always", "everysec"), help="of redis-server")
    parser.add_argument("--patience", type=float, default=30.0, help="seconds without progress that end the wait")
    parser.add_argument("--cycles", type=int, help="kills [50; with --redis 500]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=600.0)
    parser.add_argument("--between", type=float, nargs=2, help="seconds from start to kill [1 9; .6 1.4]")
    parser.add_argument("--quick", action="store_true", help="the sample day, 8 kills")
    options = parser.parse_args()
    if options.redis:
        main_redis(options)
        return
    options.cycles, options.between = options.cycles or 50, options.between or (1.0, 9.0)
    if options.quick:
        options.data, options.cycles, options.speed, options.between = sample_path(), 8, 60.0, (0.5, 5.0)
    with tempfile.TemporaryDirectory() as folder:
        report("chaos", asyncio.run(run(options, Path(folder))), settings=vars(options))


def main_redis(options: argparse.Namespace) -> None:
    from bench import chaos_redis

    chaos_redis.measure(options)


if __name__ == "__main__":
    main()
