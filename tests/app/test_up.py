from __future__ import annotations

import fcntl
import json
import random
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from catalyst.emulator import sample_path
from tests.app.processes import assert_whole, environ, free_port, log_of, run, started, wait_for

SAMPLE = 25
pytestmark = pytest.mark.slow


def test_the_sample_day_becomes_alerts_each_once(tmp_path: Path):
    done = run("up", "--speed", "max", "--until-end", "--port", "0", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"{SAMPLE} filings" in done.stderr
    assert "dashboard  http://127.0.0.1:" in done.stderr
    rows = log_of(tmp_path / "data" / "sample")
    assert_whole(rows, SAMPLE)
    assert len(done.stdout.splitlines()) == len(rows)


def test_ctrl_c_stops_and_the_next_start_goes_on(tmp_path: Path):
    port = free_port()
    for _ in range(3):
        with started("up", "--speed", "20", "--port", str(port), cwd=tmp_path, log=tmp_path / "log") as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=10) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()
    done = run("up", "--speed", "max", "--until-end", "--port", str(port), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert_whole(log_of(tmp_path / "data" / "sample"), SAMPLE)


def test_a_paused_terminal_holds_up_neither_the_service_nor_its_end(tmp_path: Path):
    """Stdout is a pipe of one page that nobody reads until the end, as behind `less` or after Ctrl-S."""
    port = free_port()
    arguments = ("up", "--speed", "max", "--volume", "20", "--port", str(port))
    with started(*arguments, cwd=tmp_path, log=tmp_path / "log") as process:
        assert process.stdout is not None
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
        wait_for(port, process)
        end = time.monotonic() + 30
        while True:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status", timeout=5) as answer:
                if json.load(answer)["filings"]["final"] == 20 * SAMPLE:
                    break
            assert time.monotonic() < end
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        shown = process.stdout.read().splitlines()
        assert 0 < len(shown) < 20 * SAMPLE


def test_kill_9_at_random_moments_loses_and_repeats_nothing(tmp_path: Path):
    port, draw = free_port(), random.Random(20251212)
    arguments = ("serve", "--speed", "60", "--port", str(port))
    for _ in range(6):
        with started(*arguments, cwd=tmp_path, log=tmp_path / "log") as process:
            wait_for(port, process)
            time.sleep(draw.uniform(0.0, 1.2))
            process.send_signal(signal.SIGKILL)
            process.wait()
    done = run("serve", "--speed", "max", "--until-end", "--port", str(port), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert_whole(log_of(tmp_path / "data" / "sample"), SAMPLE)


def test_as_many_files_as_the_system_allows_may_be_open(tmp_path: Path):
    port = free_port()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with started("serve", "--port", str(port), cwd=tmp_path, log=tmp_path / "log") as process:
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (256, hard))
        wait_for(port, process)
        assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE) == (min(hard, 65_536), hard)


def test_a_second_process_on_the_same_data_is_refused(tmp_path: Path):
    port = free_port()
    with started("serve", "--port", str(port), cwd=tmp_path, log=tmp_path / "log") as process:
        wait_for(port, process)
        second = run("serve", "--port", "0", cwd=tmp_path)
    assert second.returncode == 1
    assert "another catalyst works in" in second.stderr
    assert len(second.stderr.splitlines()) == 1


def test_a_port_in_use_is_one_line_that_says_what_to_do(tmp_path: Path):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        done = run("serve", "--port", str(holder.getsockname()[1]), cwd=tmp_path)
    assert done.returncode == 1
    assert "is in use" in done.stderr
    assert "--port" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "hint"),
    [
        (("up", "--source", "live"), {}, 1, "SEC_USER_AGENT"),
        (("up", "--source", "ftp://x"), {}, 2, "replay:DIR"),
        (("up", "--source", "replay:/nowhere"), {}, 2, "/nowhere"),
        (("up", "--source", "http://127.0.0.1:9"), {}, 1, "catalyst emulate"),
        (("up", "--speed", "fast"), {}, 2, "--speed"),
        (("up", "--start", "late"), {}, 2, "HH:MM"),
        (("up",), {"CATALYST_PORT": "many"}, 1, "CATALYST_PORT"),
        (("up",), {"CATALYST_HOST": "0.0.0.0"}, 1, "CATALYST_API_KEYS"),
        (("up", "--data", "/proc/1/mem"), {}, 1, "--data"),
        (("frobnicate",), {}, 2, "frobnicate"),
    ],
)
def test_wrong_use_is_told_with_the_right_exit_code(tmp_path, arguments, environment, code, hint):
    done = run(*arguments, cwd=tmp_path, **environment)
    assert done.returncode == code, done.stderr
    assert hint in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_is_one_line_and_nothing_is_half_written(tmp_path: Path):
    """RLIMIT_FSIZE stands in for a full disk: SQLite sees writes fail at a size."""
    script = "ulimit -f 300; exec {python} -m catalyst.app.cli serve --speed max --until-end --port 0"
    done = subprocess.run(
        ["sh", "-c", "trap '' XFSZ; " + script.format(python=sys.executable)],
        cwd=tmp_path,
        env=environ(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    again = run("serve", "--speed", "max", "--until-end", "--port", "0", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert_whole(log_of(tmp_path / "data" / "sample"), SAMPLE)


def test_a_running_emulator_is_followed_by_its_address(tmp_path: Path):
    """Two processes on one simulated clock: the emulator leads, the service follows."""
    port, log = free_port(), tmp_path / "log"
    emulate = ("emulate", str(sample_path()), "--port", str(port), "--speed", "60", "--state", str(tmp_path / "clock"))
    with started(*emulate, cwd=tmp_path, log=log) as emulator:
        wait_for(port, emulator)
        source = ("serve", "--source", f"http://127.0.0.1:{port}", "--until-end", "--port", "0")
        done = run(*source, cwd=tmp_path, timeout=90)
    assert done.returncode == 0, done.stderr
    assert_whole(log_of(tmp_path / "data" / f"emulator-127.0.0.1-{port}"), SAMPLE)
