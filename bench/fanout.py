"""One log, many clients: from commit to receipt, the server's cost, and what one stalled client does to the rest.

    python -m bench.fanout [--clients 100,1000,5000] [--quick] [--kit ../shared/bench/streaming] [--data DIR]

The load client is the kit's `wsload.c` (gcc), the peer its `s_direct.py`: the same technique without log, filters or
heartbeats. Latency is from the `ts_ns` in a message (stamped in the writer's transaction, before its fsync) to the
client. The log lies in `--data` (default: memory, so that fan-out is measured and not the disk; `bench/log.py` measures
appends). The stalled client gets 16 KB messages, so that its bound of unsent bytes is passed during the run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import psutil

from bench import reconnect
from bench.common import report, say
from catalyst.db import Database
from catalyst.stream.sqlite import SqliteLog
from catalyst.stream.types import Alert, AlertType, Analysis

KIT = Path(__file__).parents[2] / "shared" / "bench" / "streaming"
PLAN = {100: (200, 20), 1000: (60, 60), 5000: (16, 400)}
"""Clients: (messages, milliseconds between two)."""
STALLED = (400, 60, 16_384)
"""(messages, milliseconds between two, bytes): fills the kernel's 4 MB for a client and our 1 MiB before the end."""


def alert(number: int, size: int = 1024) -> Alert:
    """An invented alert whose message is about `size` bytes."""
    made = Alert(
        type=AlertType.FILING_ALERT,
        filing_id=f"{number % 997:010}-25-{number:06}",
        ticker="ACME",
        tickers=["ACME"],
        company="Acme Holdings",
        filing_type="8-K",
        items=["2.02"],
        timestamp=datetime.now(UTC),
        headline="Acme Holdings reports results",
        analysis=Analysis(priority="high", priority_score=0.9),
    )
    room = size - len(made.model_dump_json()) - 60
    return made.model_copy(update={"headline": made.headline + " " + "x" * max(0, room)})


async def serve(port: int, folder: Path) -> None:
    """The server process: GO count interval_ms size on port + 1 publishes, STAT counts the live clients."""
    from prometheus_client import CollectorRegistry

    from catalyst.web.app import Parts, create_app
    from catalyst.web.server import Server
    from catalyst.web.settings import WebSettings

    log = SqliteLog(Database(folder / "log.db", synchronous="NORMAL"))
    registry = CollectorRegistry()
    app = create_app(Parts(log, WebSettings(port=port, ping_s=30), registry=registry))
    number = 0

    async def control(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal number
        while line := await reader.readline():
            words = line.decode().split()
            if words[0] == "STAT":
                writer.write(b"%d\n" % app.state.fanout.clients)
                continue
            if words[0] == "SLOW":
                slow = registry.get_sample_value("catalyst_stream_closed_total", {"code": "4008"})
                writer.write(b"%d\n" % (slow or 0))
                continue
            count, interval, size = int(words[1]), float(words[2]) / 1000, int(words[3])
            due = time.perf_counter()
            for _ in range(count):
                number += 1
                await log.append([alert(number, size)])
                due += interval
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(b"DONE\n")
        writer.close()

    async with await asyncio.start_server(control, "127.0.0.1", port + 1), asyncio.TaskGroup() as group:
        group.create_task(Server(app, "127.0.0.1", port).run())


def ours(port: int, folder: Path) -> list[str]:
    return [sys.executable, "-m", "bench.fanout", "--serve", str(port), "--data", str(folder)]


def direct(port: int, kit: Path) -> list[str]:
    options = ["--host", "127.0.0.1", "--port", str(port), "--log-level", "error", "--backlog", "4096"]
    options += ["--ws-ping-interval", "60", "--ws-ping-timeout", "60", "--ws-per-message-deflate", "false"]
    return [sys.executable, "-m", "uvicorn", "--app-dir", str(kit), "s_direct:app", *options, "--ws", "s_direct:WS"]


def ask(port: int, line: str, seconds: float = 120.0) -> str:
    with socket.create_connection(("127.0.0.1", port + 1), seconds) as wire:
        wire.sendall(line.encode() + b"\n")
        return wire.makefile().readline()


def measure(
    command: list[str], port: int, wsload: Path, path: str, clients: int, plan: tuple[int, int, int], stalled: int = 0
) -> dict[str, Any]:
    """Start a server, connect the clients, publish, and read what the load client saw."""
    messages, interval, size = plan
    server = psutil.Popen(command, env=os.environ | {"PORT": str(port)}, stdout=subprocess.DEVNULL)
    try:
        _wait(lambda: ask(port, "STAT") != "")
        before = server.memory_info().rss
        options = ["-p", str(port), "-u", path, "-n", str(clients), "-m", str(messages), "-s", str(stalled), "-t", "40"]
        subscribe = ["-S", '{"type":"subscribe"}'] if path == "/ws/filings" else []
        load = subprocess.Popen([wsload, *options, *subscribe], stdout=subprocess.PIPE, text=True)
        assert load.stdout is not None
        load.stdout.readline()
        _wait(lambda: int(ask(port, "STAT")) >= clients + stalled)
        time.sleep(0.5)
        memory, cpu = server.memory_info().rss, sum(server.cpu_times()[:2])
        ask(port, f"GO {messages} {interval} {size}")
        found = orjson.loads(load.communicate()[0].splitlines()[-1])
        spent = sum(server.cpu_times()[:2]) - cpu
        found["cpu_us"] = spent / max(1, found["got"]) * 1e6
        found["peak_mib"] = _peak(server.pid) - memory / (1 << 20)
        found["slow"] = int(ask(port, "SLOW") or 0) if path == "/ws/filings" else 0
        found["kib"] = (memory - before) / 1024 / (clients + stalled)
        return found
    finally:
        server.terminate()
        server.wait(10)


def _peak(pid: int) -> float:
    """The most memory that the process ever held, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def _wait(met: Any) -> None:
    for _ in range(400):
        try:
            if met():
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit("the server did not come up")


def _ports() -> int:
    """A port that is free together with its successor, below those that the kernel hands out."""
    for port in random.sample(range(20_000, 30_000, 2), 50):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            socket.create_server(("127.0.0.1", port + 1)).close()
            return port
    raise SystemExit("no two free ports side by side")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", default="100,1000,5000")
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--kit", type=Path, default=KIT)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        import uvloop

        uvloop.run(serve(options.serve, options.data))
        return
    if not (options.kit / "wsload.c").exists() or shutil.which("gcc") is None:
        raise SystemExit(f"needs gcc and the load kit in {options.kit}: name it with --kit")
    with tempfile.TemporaryDirectory() as folder:
        _bench(options, Path(folder))


def _bench(options: argparse.Namespace, folder: Path) -> None:
    wsload = folder / "wsload"
    subprocess.run(["gcc", "-O2", "-o", wsload, options.kit / "wsload.c"], check=True, stderr=subprocess.DEVNULL)
    memory = Path("/dev/shm") if Path("/dev/shm").is_dir() else folder
    figures: dict[str, Any] = {}
    peers: dict[str, Any] = {}
    counts = [100] if options.quick else [int(text) for text in options.clients.split(",")]
    for clients in counts:
        messages, interval = PLAN.get(clients, (40, 100))
        plan = (messages // 4 if options.quick else messages, interval, options.size)
        with tempfile.TemporaryDirectory(dir=options.data or memory) as data:
            port = _ports()
            found = measure(ours(port, Path(data)), port, wsload, "/ws/filings", clients, plan)
        port = _ports()
        peer = measure(direct(port, options.kit), port, wsload, "/ws", clients, plan)
        say(f"{clients} clients: ours {found}")
        say(f"{clients} clients: s_direct {peer}")
        figures |= {f"{name}_{clients}": value for name, value in _figures(found, peer).items()}
        peers[f"s_direct_{clients}"] = {name: round(peer[name], 3) for name in ("p50_ms", "p99_ms", "cpu_us", "kib")}
    figures |= _stalled(wsload, options.data or memory, 100 if options.quick else 1000, 1 if options.quick else 3)
    figures |= _reconnects(options.data or memory, quick=options.quick)
    settings = {"clients": counts, "size": options.size, "log": options.data or memory, "stalled": STALLED}
    report("fanout", figures, peers=peers, settings=settings)


def _stalled(wsload: Path, memory: Path, clients: int, rounds: int) -> dict[str, Any]:
    """What one client that never reads costs the others. Runs with and without it alternate; medians are compared."""
    with_one: list[dict[str, Any]] = []
    without: list[dict[str, Any]] = []
    for _ in range(rounds):
        for stalled in (0, 1):
            with tempfile.TemporaryDirectory(dir=memory) as data:
                port = _ports()
                found = measure(ours(port, Path(data)), port, wsload, "/ws/filings", clients, STALLED, stalled)
            say(f"{clients} clients and {stalled} stalled: {found}")
            (with_one if stalled else without).append(found)
    alone, beside = (statistics.median(each["p99_ms"] for each in runs) for runs in (without, with_one))
    return {
        "stalled_p99_ms": round(beside, 3),
        "stalled_p99_ratio": round(beside / alone, 3),
        "stalled_closed_4008": min(each["slow"] for each in with_one),
        "stalled_peak_mib_more": round(
            statistics.median(each["peak_mib"] for each in with_one)
            - statistics.median(each["peak_mib"] for each in without),
            2,
        ),
        "stalled_lost": sum(each["missing"] + each["gaps"] + each["dups"] for each in with_one),
    }


def _reconnects(memory: Path, *, quick: bool) -> dict[str, Any]:
    """Clients that come back: see `bench/reconnect.py`."""
    with tempfile.TemporaryDirectory(dir=memory) as data:
        port = _ports()
        server = psutil.Popen(ours(port, Path(data)), stdout=subprocess.DEVNULL)
        try:
            _wait(lambda: ask(port, "STAT") != "")
            ask(port, "GO 1200 0 1024")
            found = reconnect.figures(port, quick=quick)
        finally:
            server.terminate()
            server.wait(10)
    say(f"coming back: {found}")
    return found


def _figures(found: dict[str, Any], peer: dict[str, Any]) -> dict[str, Any]:
    return {
        "p50_ms": round(found["p50_ms"], 3),
        "p99_ms": round(found["p99_ms"], 3),
        "cpu_us_per_message": round(found["cpu_us"], 2),
        "kib_per_connection": round(found["kib"], 1),
        "lost": found["missing"] + found["gaps"] + found["dups"],
        "ratio_direct": round(found["p99_ms"] / peer["p99_ms"], 3),
    }


if __name__ == "__main__":
    main()
