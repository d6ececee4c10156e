"""What every figure shares: the machine, the JSON line, and a `catalyst` process to measure."""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from catalyst.app.names import NAMES, WITHOUT_EFFECT

ROOT = Path(__file__).parent.parent
CORPUS = Path(os.environ.get("CATALYST_CORPUS", ROOT.parent / "shared" / "corpus"))


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
    }


def report(
    bench: str, figures: Mapping[str, Any], *, peers: Mapping[str, Any] | None = None, settings: Mapping[str, Any]
) -> None:
    """Print the one JSON line that ends a bench's stdout."""
    line = {
        "bench": bench,
        "figures": dict(figures),
        "peers": dict(peers or {}),
        "machine": machine(),
        "settings": {name: str(value) for name, value in settings.items()},
    }
    print(json.dumps(line), flush=True)


def say(text: str) -> None:
    """Progress, to stderr."""
    print(text, file=sys.stderr, flush=True)


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value below which `share` (0 to 1) of them lie; None when there are none."""
    if not values:
        return None
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)], 3)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextlib.contextmanager
def catalyst(*arguments: str, log: Path | None = None, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `catalyst …` with nothing of this machine's settings; killed at the end if it still runs."""
    clean = {name: value for name, value in os.environ.items() if name not in (*NAMES, *WITHOUT_EFFECT)}
    clean |= {"PYTHONPATH": str(ROOT / "src"), **environ}
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(log.open("ab")) if log else subprocess.DEVNULL
        command = [sys.executable, "-m", "catalyst.app.cli", *arguments]
        process = subprocess.Popen(command, env=clean, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()


def wait_ready(url: str, process: subprocess.Popen[bytes], seconds: float = 30.0) -> None:
    """Until `url` answers 200; raises when the process ends or time runs out."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"catalyst ended with {process.returncode} before it was ready")
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(url, timeout=2).close()
            return
        time.sleep(0.05)
    raise RuntimeError(f"{url} is not ready after {seconds:g} s")


def get_json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)
