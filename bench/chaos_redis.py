"""kill -9 of service, redis-server and client in turn, at random, while filings flow: what the client then has.

    python -m bench.chaos_redis [--cycles 500] [--filings 52000] [--fsync always|everysec] [--quick]

The same as `python -m bench.chaos --redis`; about 20 minutes on a busy machine of two cores. Beside Redis another
process syncs to the same disk all the time. Figures: `acknowledged` messages whose effect the client committed with its
checkpoint; `lost` messages that a filing should have and that the client or the log has not, and those that the log
holds elsewhere than `append` said; `holes` gaps in the log's offsets or in the client's; `repeated` effects applied
twice and keys stored twice; `redelivered` effects twice of a handler that does not commit with the checkpoint, of which
one a kill is allowed; `moved` messages that the client has under another offset than the log.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.chaos_parts import accession
from bench.common import ROOT, free_port, report, say
from catalyst.db import Database
from catalyst.stream.journal import Journal
from catalyst.stream.redis import RedisLog
from catalyst.stream.redis_link import Link

PREFIX = "catalyst:{chaos}"
VICTIMS = ("service", "redis", "redis", "client", "client")
"""Drawn from; the service is back only after a second or more of imports, so it is drawn less often."""

RECOVERY_SECONDS = 10.0
"""The next kill waits so long at most until what was killed answers again."""


class Cast:
    """The processes, each of which can be killed and started again."""

    def __init__(self, folder: Path, filings: int, fsync: str) -> None:
        self.folder = folder
        self.redis_port, self.port = free_port(), free_port()
        self.url = f"redis://127.0.0.1:{self.redis_port}/0"
        parts = [sys.executable, "-m", "bench.chaos_parts"]
        redis = f"redis-server --port {self.redis_port} --bind 127.0.0.1 --dir {folder} --appendonly yes --daemonize no"
        self._commands: dict[str, Sequence[str]] = {
            "redis": [*redis.split(), "--appendfsync", fsync, "--save", "", "--auto-aof-rewrite-percentage", "0"],
            "service": [*parts, "service", str(folder), self.url, str(self.port), str(filings)],
            "client": [*parts, "client", str(folder), str(self.port)],
            "neighbour": [*parts, "fsync", str(folder)],
        }
        live = b"GET /health/live HTTP/1.0\r\nHost: localhost\r\n\r\n"
        self._asks = {
            "redis": (self.redis_port, b"PING\r\n", b"+PONG"),
            "service": (self.port, live, b"HTTP/1.1 200"),
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as out:
            self._running[name] = subprocess.Popen(
                self._commands[name], cwd=ROOT, stdout=out, stderr=out, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
            )

    def kill(self, name: str) -> None:
        process = self._running.pop(name)
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended by itself with {process.returncode}: see {self.folder / name}.log")
        process.send_signal(signal.SIGKILL)
        process.wait()

    def wait(self, name: str) -> None:
        """Until what was started again answers, so that each kill meets something at work."""
        end = time.monotonic() + RECOVERY_SECONDS
        while name in self._asks and time.monotonic() < end and not self._answers(name):
            time.sleep(0.02)

    def _answers(self, name: str) -> bool:
        port, ask, answer = self._asks[name]
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2) as probe:
            probe.settimeout(1.0)
            probe.sendall(ask)
            return probe.recv(16).startswith(answer)
        return False

    @contextlib.contextmanager
    def all(self) -> Iterator[None]:
        try:
            self.start("redis")
            self.wait("redis")
            for name in ("service", "client", "neighbour"):
                self.start(name)
            yield
        finally:
            for process in self._running.values():
                process.kill()
                process.wait()


def available() -> bool:
    return shutil.which("redis-server") is not None


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Kill `cycles` times, let everything end, and judge."""
    draw, kills = random.Random(options.seed), Counter[str]()
    cast = Cast(folder, options.filings, options.fsync)
    with cast.all():
        for number in range(options.cycles):
            time.sleep(draw.uniform(*options.between))
            victim = draw.choice(VICTIMS)
            kills[victim] += 1
            cast.kill(victim)
            cast.start(victim)
            cast.wait(victim)
            if number % 25 == 24:
                say(f"{number + 1} of {options.cycles} kills {dict(kills)}: {_done(folder)} messages done")
        _finish(folder, 2 * options.filings, options.patience)
        cast.wait("redis")
        log = asyncio.run(_stored(cast))
    killed = {f"kills_{name}": kills[name] for name in sorted(kills)}
    return {"cycles": options.cycles, **killed, **judge(folder, log, options)}


def judge(folder: Path, log: list[tuple[int, str]], options: argparse.Namespace) -> dict[str, Any]:
    with contextlib.closing(sqlite3.connect(folder / "client.db")) as database:
        effects = database.execute("SELECT seq, key FROM effects").fetchall()
    told = Counter(key for _, key in effects)
    lines = Counter(line.split()[1] for line in (folder / "lines").read_text().splitlines())
    acks = {tuple(line.split()) for line in (folder / "acks").read_text().splitlines() if line.count(" ") == 1}
    stored = dict(log)
    kinds = ("alert/1", "update/2")
    expected = {f"{accession(n)}/{kind}" for n in range(options.filings) for kind in kinds}
    wrong = sum(not stored.get(int(offset), "").startswith(name.rpartition("/")[0]) for offset, name in acks)
    return {
        "acknowledged": len(told),
        "lost": len(expected - told.keys()) + len(expected - set(stored.values())) + wrong,
        "holes": _holes([offset for offset, _ in log]) + _holes(sorted({offset for offset, _ in effects})),
        "repeated": sum(told.values()) - len(told) + len(log) - len(set(stored.values())),
        "redelivered": sum(lines.values()) - len(lines),
        "moved": sum(stored.get(offset) != key for offset, key in effects),
    }


def _holes(offsets: list[int]) -> int:
    return (offsets[-1] - offsets[0] + 1 - len(offsets)) + (offsets[0] != 1) if offsets else 0


def _done(folder: Path) -> int:
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(folder / "client.db")) as database:
        return int(database.execute("SELECT count(*) FROM effects").fetchone()[0])
    return 0


def _finish(folder: Path, messages: int, patience: float) -> None:
    """Until the client has everything, or makes no progress any more."""
    before, since = -1, time.monotonic()
    while (now := _done(folder)) < messages and time.monotonic() - since < patience:
        if now != before:
            before, since = now, time.monotonic()
        time.sleep(0.5)
    time.sleep(1.0)


async def _stored(cast: Cast) -> list[tuple[int, str]]:
    database = Database(cast.folder / "judge.db", synchronous="NORMAL")
    log = RedisLog(Link(cast.url, PREFIX), Link(cast.url, PREFIX), Link(cast.url, PREFIX), Journal(database))
    await log.open()
    await log.started()
    rows: list[tuple[int, str]] = []
    while records := await log._range((rows[-1][0] if rows else 0) + 1, "+", 1000):
        rows += [(record.offset, f"{record.filing_id}/{_kind(record.alert_type)}") for record in records]
    await log.close()
    database.close()
    return rows


def _kind(alert_type: str) -> str:
    return "alert/1" if alert_type.endswith("alert") else "update/2"


def measure(options: argparse.Namespace) -> None:
    """Fill in what was left open, run, and report."""
    options.cycles = options.cycles or (25 if options.quick else 500)
    options.filings = options.filings or 104 * options.cycles
    options.between = options.between or (0.6, 1.4)
    with tempfile.TemporaryDirectory() as folder:
        report("chaos", run(options, Path(folder)), settings=vars(options))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, help="kills [500]")
    parser.add_argument("--filings", type=int, help="filings told of, two messages each [104 a kill]")
    parser.add_argument("--fsync", default="always", choices=("always", "everysec"), help="of redis-server")
    parser.add_argument("--patience", type=float, default=30.0, help="seconds without progress that end the wait")
    parser.add_argument("--between", type=float, nargs=2, help="seconds between kills [.6 1.4]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="25 kills")
    measure(parser.parse_args())


if __name__ == "__main__":
    main()
