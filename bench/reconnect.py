"""What `bench.fanout` measures of clients that come back: one over a thousand missed messages, a thousand at once.

A client here is the least there can be (a handshake, one frame out, bytes in), so that the service's time is measured
and not its own.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import time
from typing import Any, cast

import orjson

from bench.common import percentile

_EPOCH = re.compile(rb'"epoch":"([^"]+)".*?"head":(\d+)')
_DONE = b'"caught_up"'


class Returning(asyncio.Protocol):
    """Connects, asks for what came after `head - missed`, and is `done` at `caught_up`."""

    def __init__(self, missed: int) -> None:
        self._missed = missed
        self._seen = bytearray()
        self._asked = 0.0
        self.done: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class
        key = base64.b64encode(os.urandom(16))
        self._transport.write(
            b"GET /ws/filings HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: %b\r\nSec-WebSocket-Version: 13\r\n\r\n" % key
        )

    def data_received(self, data: bytes) -> None:
        self._seen = self._seen[-32:] + data if self._asked else self._seen + data
        if not self._asked:
            found = _EPOCH.search(self._seen)
            if found:
                self._ask(found[1].decode(), int(found[2]))
        elif _DONE in self._seen and not self.done.done():
            self.done.set_result(time.perf_counter() - self._asked)
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("closed before it had caught up"))

    def _ask(self, epoch: str, head: int) -> None:
        self._seen.clear()
        self._asked = time.perf_counter()
        after = max(0, head - self._missed)
        payload = orjson.dumps({"type": "subscribe", "resume": {"epoch": epoch, "after": after}})
        self._transport.write(bytes([0x81, 0x80 | 126]) + len(payload).to_bytes(2) + b"\0\0\0\0" + payload)


async def _once(port: int, missed: int) -> float:
    _, client = await asyncio.get_running_loop().create_connection(lambda: Returning(missed), "127.0.0.1", port)
    return await asyncio.wait_for(client.done, 60)


async def resumes(port: int, missed: int, rounds: int) -> list[float]:
    """Seconds from `subscribe` to `caught_up`, one client after the other."""
    return [await _once(port, missed) for _ in range(rounds)]


async def storm(port: int, clients: int, missed: int) -> float:
    """Seconds from the first connect until the last of them has caught up."""
    began = time.perf_counter()
    await asyncio.gather(*(_once(port, missed) for _ in range(clients)))
    return time.perf_counter() - began


def figures(port: int, *, quick: bool) -> dict[str, Any]:
    """`resume_p99_ms` and `storm_s` against a service that holds at least 1,000 messages."""
    import uvloop

    rounds, clients = (20, 100) if quick else (200, 1000)
    uvloop.run(resumes(port, 1000, 5))
    taken = uvloop.run(resumes(port, 1000, rounds))
    storms = [uvloop.run(storm(port, clients, 100)) for _ in range(1 if quick else 3)]
    return {
        "resume_p50_ms": percentile([each * 1000 for each in taken], 0.50),
        "resume_p99_ms": percentile([each * 1000 for each in taken], 0.99),
        "storm_s": round(sorted(storms)[len(storms) // 2], 3),
        "storm_clients": clients,
    }
