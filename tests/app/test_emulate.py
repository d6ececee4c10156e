"""`catalyst emulate` as an operator meets it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # processes, or seconds of work: `make check` leaves it out

ROOT = Path(__file__).parents[2]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "catalyst.app.cli", "emulate", *arguments]


def failing(*arguments: str, cwd: Path) -> str:
    ran = subprocess.run(command(*arguments), cwd=cwd, capture_output=True, text=True, timeout=30)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr.count("\n") == 1
    return ran.stderr


def started(*arguments: str, cwd: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(command(*arguments), cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline()


def ended(process: subprocess.Popen[str], number: int) -> int:
    process.send_signal(number)
    process.communicate(timeout=10)
    return process.returncode


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "is no folder"),
        (["."], "no feed walk"),
        (["--speed", "0"], "--speed '0'"),
        (["--speed", "fast"], "or max"),
        (["--day", "tuesday"], "YYYY-MM-DD"),
        (["--start", "25:00"], "HH:MM"),
        (["--faults", "faults.json"], "malformed at 0.kind"),
        (["--faults", "none.json"], "cannot be read"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(tmp_path, arguments, said):
    (tmp_path / "faults.json").write_text('{"kind": "explode"}')
    assert said in failing(*arguments, cwd=tmp_path)


def test_a_taken_port_is_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "choose another --port" in failing("--port", str(taken.getsockname()[1]), cwd=tmp_path)


@pytest.mark.slow
def test_it_says_where_it_listens_and_its_clock_survives_a_kill(tmp_path):
    process, line = started("--port", "0", "--speed", "600", "--background", cwd=tmp_path)
    try:
        assert "25 accessions" in line
        url = line.split()[0]
        request = urllib.request.Request(f"{url}/_emulator/status")
        time.sleep(0.5)
        urllib.request.urlopen(
            urllib.request.Request(f"{url}/files/company_tickers.json", headers={"User-Agent": "a a@b.co"}), timeout=5
        ).read()
        first = _now(urllib.request.urlopen(request, timeout=5).read().decode())
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=10)
    process, line = started("--port", "0", "--speed", "1", cwd=tmp_path)
    try:
        assert re.search(r"now (\S+)", line)[1] >= first[:8]  # type: ignore[index]
    finally:
        assert ended(process, signal.SIGINT) == 0
    process, line = started("--port", "0", "--fresh", cwd=tmp_path)
    assert "now 06:00:0" in line
    assert ended(process, signal.SIGTERM) == 0


def _now(status: str) -> str:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    moment = datetime.fromisoformat(re.search(r'"now":"([^"]+)"', status)[1])  # type: ignore[index]
    return moment.astimezone(ZoneInfo("America/New_York")).strftime("%H:%M:%S")
