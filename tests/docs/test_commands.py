"""Every command of README and the guides is run: in a folder of its own, against fake vendors and a running service.

A page is run from top to bottom, as its reader would. What lasts (`catalyst up`) must come up, stay up and stop well.
Skipped visibly: blocks whose comment says that they need Docker, a cluster, a key, the network or minutes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from catalyst.emulator import sample_path
from tests.app.processes import environ, free_port
from tests.docs.blocks import NEEDS, ROOT, Command, commands, pages, unmarked
from tests.docs.reader import lay_out
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.plugin import Wire

READY_S = 30
_BENCH = re.compile(r"python -m (bench\.\w+|bench)\b(.*)")


@dataclass(frozen=True, slots=True)
class World:
    """What stands behind the commands: one running service of the sample day, the vendors, and Discord."""

    port: int
    environ: dict[str, str]
    webhook: str


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    port = free_port()
    with _vendors() as (wire, discord):
        known = _environ(wire, discord, folder, port)
        serve = [sys.executable, "-m", "catalyst.app.cli", "serve", "--source", "sample", "--speed", "600"]
        with (folder / "log").open("w") as log:
            process = subprocess.Popen([*serve, "--port", str(port)], cwd=folder, env=known, stdout=log, stderr=log)
        try:
            _listening(port, process)
            _all_told(port)
            yield World(port, known, discord.webhook())
        finally:
            process.kill()
            process.wait()


@contextlib.contextmanager
def _vendors() -> Iterator[tuple[Wire, FakeDiscord]]:
    """Fake vendors in a thread with a loop of their own, for the commands are processes that block this one."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def do(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(10)

    wire, discord = Wire(), FakeDiscord()
    running: list[Any] = [*wire.servers.values(), discord]
    for server in running:
        do(server.start())
    try:
        yield wire, discord
    finally:
        for server in running:
            do(server.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _environ(wire: Wire, discord: FakeDiscord, folder: Path, port: int) -> dict[str, str]:
    """The reader's shell: `catalyst` on the path, vendors on loopback."""
    tools = folder / "bin"
    tools.mkdir()
    (tools / "catalyst").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m catalyst.app.cli "$@"\n')
    (tools / "catalyst").chmod(0o755)
    vendors = {
        f"{name.upper()}_BASE_URL": wire[name].url
        for name in ("openai", "gemini", "anthropic", "deepseek", "openrouter")
    }
    shell = environ(
        **vendors,
        PATH=f"{tools}:{os.environ['PATH']}",
        DISCORD_API_URL=discord.api,
        SEC_DIGESTER_URL=f"ws://127.0.0.1:{port}",
        KEY="ck_none",
        XDG_CACHE_HOME=str(folder / "cache"),
        GEMINI_TEST_KEY=wire.gemini.key,
        OPENAI_TEST_KEY=wire.openai.key,
    )
    shell.pop("COVERAGE_PROCESS_CONFIG", None)  # a hundred commands, each measured, took minutes; others run them too
    return shell


def _listening(port: int, process: subprocess.Popen[Any]) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        assert process.poll() is None, f"ended with {process.returncode}"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("nothing listens")


def _all_told(port: int) -> None:
    """Until the sample day's filings are there."""
    import json
    import urllib.request

    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/filings/recent?limit=30") as answer:
            if json.load(answer)["count"] >= 20:
                return
        time.sleep(0.2)
    raise AssertionError("the sample day was not told")


def test_every_block_needs_only_what_is_known_and_names_its_language():
    for page in pages():
        for command in commands(page):
            assert set(re.split(r"[, ]+", command.needs)) <= NEEDS | {""}, f"{page.name}:{command.line}"
        assert not unmarked(page), f"{page.name}: name the block's language (sh), so that its commands are run"


@pytest.mark.slow
@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_the_commands_of_a_page_work(page: Path, world: World, tmp_path: Path, subtests_said: list[str]):
    found = commands(page)
    runnable = [command for command in found if not command.needs]
    if not runnable:
        pytest.skip(f"{page.name}: no command that runs here")
    shell = Shell(world, tmp_path, page)
    for command in found:
        if command.needs:
            subtests_said.append(f"{page.name}:{command.line} skipped, needs {command.needs}: {command.text}")
        else:
            shell.run(command)


@pytest.fixture
def subtests_said(capsys: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """What was not run is shown in the test's output."""
    said: list[str] = []
    yield said
    with capsys.disabled():
        if said:
            print("\n" + "\n".join(said))


class Shell:
    """One reader at one page: exports hold to the page's end, files stay."""

    def __init__(self, world: World, folder: Path, page: Path) -> None:
        self._world, self._folder, self._page = world, folder, page
        self._environ = dict(world.environ)
        lay_out(folder, page.stem, sample_path())

    def run(self, command: Command) -> None:
        where = f"{self._page.name}:{command.line}: {command.text}"
        text = self._here(command.text)
        if bench := _BENCH.match(text):
            _check_bench(bench, where)
        elif export := re.match(r"export (\w+)=(.*)$", text):
            self._environ[export[1]] = export[2].split("  #")[0].strip().strip("'\"")
        elif re.match(r"[A-Z_]+=\S* *(#.*)?$", text):
            name, _, value = text.partition("=")
            self._environ[name] = value.split("#")[0].strip()
        elif command.is_lasting:
            self._start(text, where)
        else:
            done = subprocess.run(
                ["bash", "-c", text], cwd=self._folder, env=self._environ, capture_output=True, text=True, timeout=60
            )
            assert done.returncode == 0, f"{where}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
            assert '"detail":' not in done.stdout[:12], f"{where}\n{done.stdout[-2000:]}"

    def _here(self, text: str) -> str:
        """The command on this machine: our ports and addresses for the page's."""
        text = text.replace("GEMINI_API_KEY=…", f"GEMINI_API_KEY={self._environ['GEMINI_TEST_KEY']}")
        text = text.replace("OPENAI_API_KEY=…", f"OPENAI_API_KEY={self._environ['OPENAI_TEST_KEY']}")
        text = text.replace("https://discord.com/api/webhooks/…", self._world.webhook).replace("…", "x")
        text = re.sub(r"\S*\.venv/bin/", "", text).replace("postgresql://reader@127.0.0.1/erp", "sqlite:///erp.db")
        text = re.sub(r"--port \d+", lambda _: f"--port {free_port()}", text)
        return text.replace(":8765", f":{self._world.port}")

    def _start(self, text: str, where: str) -> None:
        """A command that lasts comes up, stays up, and stops within ten seconds when asked to."""
        environ = self._environ | {"CATALYST_PORT": str(free_port()), "CATALYST_BOT_PORT": str(free_port())}
        if text.startswith("catalyst bot"):
            environ.pop("DISCORD_PUBLIC_KEY", None)
        log = self._folder / "lasting.log"
        with log.open("w") as out:
            process = subprocess.Popen(
                ["bash", "-c", f"exec env {text}" if "=" in text.split()[0] else f"exec {text}"],
                cwd=self._folder, env=environ, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        try:
            self._settled(process, text, environ, log, where)
            process.send_signal(signal.SIGINT)
            assert process.wait(12) in (0, 130, -2), f"{where}\n{log.read_text()[-2000:]}"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _settled(
        self, process: subprocess.Popen[bytes], text: str, environ: dict[str, str], log: Path, where: str
    ) -> None:
        """Until it listens, or, where it has no port, has said something."""
        port = re.search(r"--port (\d+)", text)
        number = int(port[1]) if port else int(environ["CATALYST_PORT"])
        serves = re.search(r"catalyst (up|serve|gateway|emulate)", text) and (port or "emulate" not in text)
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            assert process.poll() is None, f"{where}: ended with {process.returncode}\n{log.read_text()[-2000:]}"
            if serves:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", number), timeout=1):
                    return
            elif log.read_text():
                return
            time.sleep(0.05)
        raise AssertionError(f"{where}: nothing came\n{log.read_text()[-2000:]}")


def _check_bench(found: re.Match[str], where: str) -> None:
    """Benches take minutes: that the program is there and knows these options is what is looked at."""
    name = found[1].removeprefix("bench").lstrip(".") or "__main__"
    program = ROOT / "bench" / f"{name}.py"
    assert program.exists(), where
    options = re.findall(r"(--[\w-]+)", found[2].split("#")[0])
    missing = [option for option in options if f'"{option}"' not in program.read_text()]
    assert not missing, f"{where}: {missing}"
