"""The local tier: an Ollama server that is warmed up, watched and released.

Warm-up and release go through `/api/generate` (`keep_alive`), residency through `/api/ps`.
Source: https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from __future__ import annotations

import gc
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import structlog
from yarl import URL

from catalyst.clock import Clock
from catalyst.errors import TransportError
from catalyst.http import Http

KEEP_ALIVE = "10m"
FAILURES = 3
"""Failures in a row after which the model is released."""

WARM_SECONDS = 120.0
"""Loading a model from disk takes this long at most."""

LOOK_SECONDS = 10.0
LEAST_MEMORY = 0.05
"""Share of the machine's memory below which the local model is released."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Resident:
    """A model that the server holds in memory; sizes in bytes."""

    name: str
    size: int
    size_vram: int


class LocalTier:
    """One local server and its model. `base` is the server's address without `/v1` or `/api`."""

    def __init__(self, http: Http, clock: Clock, base: URL, model: str, *, cleanup_seconds: float = 300.0) -> None:
        self._http = http
        self._clock = clock
        self._base = base
        self.model = model
        self._cleanup_seconds = cleanup_seconds
        self._cleaned_at = clock.monotonic()
        self._looked_at = clock.monotonic()
        self._failures = 0
        self.warm = False

    async def warm_up(self) -> bool:
        """Load the model by asking for one token; False where the server does not answer."""
        if self.warm:
            return True
        body = {"model": self.model, "prompt": "Hi", "keep_alive": KEEP_ALIVE, "stream": False}
        self.warm = await self._generate(body | {"options": {"num_predict": 1}})
        return self.warm

    async def resident(self) -> list[Resident]:
        """The models that the server holds just now; empty where it does not answer."""
        try:
            answer = await self._http.get(self._base / "api" / "ps", timeout_seconds=5.0, max_bytes=1 << 20)
            models = orjson.loads(answer.body).get("models", [])
            return [_resident(entry) for entry in models if isinstance(entry, dict)]
        except (TransportError, ValueError, AttributeError):
            return []

    async def release(self, why: str) -> bool:
        """Ask the server to unload the model."""
        log.info("local.released", model=self.model, why=why)
        self.warm = False
        return await self._generate({"model": self.model, "keep_alive": 0, "stream": False})

    def ended(self, well: bool) -> bool:
        """Note how a call ended; True where the model should be released now."""
        self._failures = 0 if well else self._failures + 1
        if self._failures < FAILURES:
            return False
        self._failures = 0
        return True

    def pressed(self) -> bool:
        """Whether this machine is short of memory, looked at every ten seconds; the server may be elsewhere."""
        now = self._clock.monotonic()
        if now - self._looked_at < LOOK_SECONDS or self._base.host not in ("127.0.0.1", "::1", "localhost"):
            return False
        self._looked_at = now
        return self.warm and memory_left() < LEAST_MEMORY

    def clean(self) -> bool:
        """Every GPU_CLEANUP_INTERVAL_SEC, give back torch's unused GPU memory where this process holds tensors.

        It cannot free the local server's memory: that is another process. True where it ran.
        """
        now = self._clock.monotonic()
        if now - self._cleaned_at < self._cleanup_seconds or "torch" not in sys.modules:
            return False
        self._cleaned_at = now
        return empty_gpu(sys.modules["torch"])

    async def _generate(self, body: dict[str, Any]) -> bool:
        try:
            await self._http.request(
                "POST",
                self._base / "api" / "generate",
                headers={"Content-Type": "application/json"},
                body=orjson.dumps(body),
                timeout_seconds=WARM_SECONDS,
                max_bytes=1 << 20,
            )
        except TransportError as error:
            log.warning("local.unreachable", model=self.model, error=str(error))
            return False
        return True


def memory_left(meminfo: Path = Path("/proc/meminfo")) -> float:
    """The share of memory that is available, 0 to 1; 1 where the system does not say."""
    try:
        lines = (line.split() for line in meminfo.read_text().splitlines())
        sizes = {words[0]: int(words[1]) for words in lines if len(words) > 1}
        return sizes["MemAvailable:"] / sizes["MemTotal:"]
    except (OSError, ValueError, KeyError, ZeroDivisionError):
        return 1.0


def empty_gpu(torch: Any) -> bool:
    """gc, synchronize, empty_cache, reset the peak, in this order; False without CUDA in use."""
    if not (torch.cuda.is_available() and torch.cuda.is_initialized()):
        return False
    gc.collect()
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    return True


def _resident(entry: dict[str, Any]) -> Resident:
    return Resident(str(entry.get("name", "")), int(entry.get("size") or 0), int(entry.get("size_vram") or 0))
