"""`catalyst` as a user runs it: real processes on loopback, a fresh data folder, none of this machine's settings."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from catalyst.app.names import NAMES, WITHOUT_EFFECT
from catalyst.db import Database
from catalyst.stream.sqlite import SqliteLog


def environ(**more: str) -> dict[str, str]:
    """This machine's environment without anything that Catalyst reads."""
    return {name: value for name, value in os.environ.items() if name not in (*NAMES, *WITHOUT_EFFECT)} | more


def run(*arguments: str, cwd: Path, timeout: float = 60, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-m", "catalyst.app.cli", *arguments]
    return subprocess.run(command, cwd=cwd, env=environ(**more), capture_output=True, text=True, timeout=timeout)


@contextlib.contextmanager
def started(*arguments: str, cwd: Path, log: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command in the background; stdout is a pipe, stderr goes to `log`. Killed at the end."""
    command = [sys.executable, "-m", "catalyst.app.cli", *arguments]
    with log.open("a") as errors:
        process = subprocess.Popen(
            command, cwd=cwd, env=environ(**more), stdout=subprocess.PIPE, stderr=errors, text=True, bufsize=1
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def wait_for(port: int, process: subprocess.Popen[str], seconds: float = 20.0) -> None:
    """Until something listens on `port`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, f"ended with {process.returncode}"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("nothing listens")


def log_of(folder: Path) -> list[tuple[int, dict[str, Any]]]:
    """(offset, message) of everything in a data folder's log."""

    async def read() -> list[tuple[int, dict[str, Any]]]:
        db = Database(folder / "stream.db")
        log = SqliteLog(db)
        rows: list[tuple[int, dict[str, Any]]] = []
        while batch := await log.read(rows[-1][0] if rows else 0, 1000):
            rows += [(record.offset, orjson.loads(record.body)) for record in batch]
        db.close()
        return rows

    return asyncio.run(read())


def assert_whole(rows: list[tuple[int, dict[str, Any]]], filings: int) -> None:
    """No hole, no repeat; each filing exactly one alert and one final message, versions rising from 1."""
    assert [offset for offset, _ in rows] == list(range(1, len(rows) + 1))
    versions: dict[str, list[int]] = {}
    for _, body in rows:
        versions.setdefault(body["filing_id"], []).append(body["version"])
    assert len(versions) == filings, sorted(versions)
    for name, seen in versions.items():
        assert seen == list(range(1, len(seen) + 1)), name
    alerts = Counter(body["filing_id"] for _, body in rows if body["type"] == "filing_alert")
    finals = Counter(body["filing_id"] for _, body in rows if body["final"])
    assert set(alerts.values()) == {1}
    assert len(alerts) == filings
    assert set(finals.values()) == {1}
    assert len(finals) == filings
