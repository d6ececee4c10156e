"""A redis-server of the test's own, on a free port of loopback; the test is skipped visibly where there is none."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


class RedisServer:
    """`stop` and `start` it as a test likes; what it acknowledged is on disk (appendfsync always)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def copy(self) -> Path:
        """What is on the disk now, to `start` from later: a server that loses all that came after it."""
        place = self._folder / f"copy-{len(list(self._folder.iterdir()))}"
        return Path(shutil.copytree(self._folder / "appendonlydir", place))

    def start(self, *, empty: bool = False, copy: Path | None = None) -> None:
        if empty or copy is not None:
            shutil.rmtree(self._folder / "appendonlydir", ignore_errors=True)
        if copy is not None:
            shutil.copytree(copy, self._folder / "appendonlydir")
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir"]
        command += [str(self._folder), "--appendonly", "yes", "--appendfsync", "always", "--daemonize", "no"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=0.2).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError("redis-server did not start within 4 s")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A running server of this test alone."""
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server: apt-get install redis-server")
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()
