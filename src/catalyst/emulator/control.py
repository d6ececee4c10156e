"""The emulator's own addresses under `/_emulator/`, for loopback peers only: status, faults, and the clock."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable

import orjson
from aiohttp import web

from catalyst.clock import Clock, SimClock
from catalyst.emulator.clock_link import ClockLink
from catalyst.emulator.faults import Faults, parse_faults
from catalyst.emulator.limits import RateLimit
from catalyst.emulator.recording import Recording
from catalyst.errors import UsageError


class Control:
    """Routes and their open connections."""

    def __init__(
        self,
        recording: Recording,
        clock: Clock,
        faults: Faults,
        limit: RateLimit,
        requests: Callable[[], int],
        arrived: Callable[[], None],
    ) -> None:
        self._recording = recording
        self._clock = clock
        self._faults = faults
        self._requests = requests
        self._limit = limit
        speed = clock.speed if isinstance(clock, SimClock) else 1.0
        hello = {"speed": speed if math.isfinite(speed) else None, "accessions": recording.accessions}
        self.link = ClockLink(clock, {**hello, "ends_at": recording.ends_at.timestamp()}, arrived)

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/_emulator/status", self._status)
        app.router.add_get("/_emulator/clock", self._clock_link)
        app.router.add_get("/_emulator/faults", self._list)
        app.router.add_post("/_emulator/faults", self._add)
        app.router.add_delete("/_emulator/faults", self._clear)

    async def close(self) -> None:
        """Drop what is open."""
        await self.link.close()

    async def _clock_link(self, request: web.Request) -> web.StreamResponse:
        _local(request)
        return await self.link.serve(request)

    async def _status(self, request: web.Request) -> web.Response:
        _local(request)
        recording = self._recording
        return _json(
            {
                "now": self._clock.now().isoformat(),
                "day": str(recording.day),
                "accessions": recording.accessions,
                "starts_at": recording.starts_at.isoformat(),
                "ends_at": recording.ends_at.isoformat(),
                "requests": self._requests(),
                "refused": self._limit.refused,
            }
        )

    async def _list(self, request: web.Request) -> web.Response:
        _local(request)
        return _json(self._faults.listed())

    async def _add(self, request: web.Request) -> web.Response:
        _local(request)
        try:
            numbers = [self._faults.add(fault) for fault in parse_faults(await request.read())]
        except UsageError as error:
            return _json({"error": str(error)}, 400)
        return _json({"ids": numbers}, 201)

    async def _clear(self, request: web.Request) -> web.Response:
        _local(request)
        self._faults.clear()
        return _json({})


def _local(request: web.Request) -> None:
    """Refuse peers beyond loopback, and web pages: a browser names the page's origin."""
    try:
        near = ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        near = False
    if not near or "Origin" in request.headers:
        raise web.HTTPForbidden(text="control addresses answer programs on this machine only\n")


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")
