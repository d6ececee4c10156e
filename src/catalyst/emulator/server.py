"""A recorded EDGAR over HTTP, at the simulated moment of its clock.

`EmulatorServer` is the I/O shell: who may ask (`limits.py`), what they get (`site.py`), what goes wrong on the way
(`faults.py`, `sending.py`), and the control addresses under `/_emulator/` (`control.py`).
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

import structlog
from aiohttp import web

from catalyst.clock import Clock, TimedClock
from catalyst.emulator.answers import NOT_ALLOWED, THRESHOLD, UNDECLARED, Answer
from catalyst.emulator.control import Control
from catalyst.emulator.faults import Faults
from catalyst.emulator.limits import RateLimit, declared
from catalyst.emulator.recording import Recording
from catalyst.emulator.sending import send
from catalyst.emulator.site import Site
from catalyst.errors import UsageError

log = structlog.get_logger()

MAX_BODY = 1 << 18
"""Bytes of a request's body (faults are the only ones that have any)."""


class EmulatorServer:
    """Serve `recording` on `clock`; port 0 takes a free one. Use as `async with EmulatorServer(…) as server`.

    `faults` may be added to while it runs; `limit` None switches the rate rule off. A
    `patient` one keeps a simulated clock at real time until the first client is there.
    """

    def __init__(
        self,
        recording: Recording,
        clock: Clock,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Faults | None = None,
        limit: int | None = 10,
        patient: bool = False,
    ) -> None:
        self.recording = recording
        self.clock = clock
        self.faults = faults if faults is not None else Faults()
        self.limit = RateLimit(limit)
        self.requests = 0
        self._site = Site(recording)
        self._control = Control(recording, clock, self.faults, self.limit, lambda: self.requests, self._arrived)
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None
        self._patient = clock if patient and isinstance(clock, TimedClock) else None

    @property
    def url(self) -> str:
        """Where it listens: `http://127.0.0.1:8910`."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen. Raises UsageError when the address is taken or none of ours."""
        app = web.Application(client_max_size=MAX_BODY)
        self._control.add_routes(app)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            await runner.cleanup()
            raise UsageError(
                f"cannot listen on {self._host}:{self._port} ({error.strerror}): choose another --port or --host"
            ) from error
        if self._patient is not None:
            self._patient.hold()
        self._port = runner.addresses[0][1]
        self._runner = runner
        log.info("emulator.listening", url=self.url, day=str(self.recording.day))

    def _arrived(self) -> None:
        if self._patient is not None:
            self._patient.release()
            self._patient = None

    async def stop(self) -> None:
        """Stop listening and drop what is open."""
        self._arrived()
        if self._runner is not None:
            await self._control.close()
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        await self._control.link.settle()
        moment = self.clock.now()
        self.requests += 1
        self._arrived()
        answer = self._refusal(request, moment.timestamp())
        if answer is not None:
            return await send(request, answer, (), self.clock)
        now = moment.timestamp()
        gone, unlisted = self.faults.gone(moment), self.faults.unlisted(moment)
        answer = self._site.answer(request.path, request.query, now, gone, unlisted)
        age = None if answer.released is None else now - answer.released
        return await send(request, answer, self.faults.take(request.path_qs, moment, age), self.clock)

    def _refusal(self, request: web.Request, now: float) -> Answer | None:
        if not self.limit.allows(request.remote or "", now):
            return THRESHOLD
        if not declared(request.headers.get("User-Agent", "")):
            return UNDECLARED
        return None if request.method in ("GET", "HEAD") else NOT_ALLOWED
