"""Run the application on a socket of ours until cancelled, in an event loop that others share.

uvicorn serves; the port is bound here so that a busy one is an error in words, and signals stay with whoever runs us.
Stopping closes every WebSocket with 1012 and takes at most two seconds, whatever the clients do.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Generator

import uvicorn
from starlette.applications import Starlette

from catalyst.errors import SettingsError, TransportError
from catalyst.web.deadline import DeadlineProtocol
from catalyst.web.protocol import DirectProtocol
from catalyst.web.settings import WebSettings

BACKLOG = 4096
GRACE_SECONDS = 1
_DRAIN_SECONDS = 0.4


class Server:
    """One listening socket and what is served on it. `bind` early to fail early; `run` binds where nobody did.

    Port 0 takes any free one. `app.state.runs` are what goes on beside it: the first that ends, ends all.
    """

    def __init__(self, app: Starlette, host: str = "127.0.0.1", port: int = 8765) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._socket: socket.socket | None = None
        self.ready = asyncio.Event()
        """Set once connections are accepted."""

    @property
    def port(self) -> int:
        """The port that was bound, also where 0 was asked for."""
        return int(self.bind().getsockname()[1])

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        host = self._host
        shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 (a comparison, not a bind)
        return f"http://{f'[{shown}]' if ':' in shown else shown}:{self.port}"

    def bind(self) -> socket.socket:
        """Take the port. Raises TransportError (in use, not allowed) or SettingsError (no such address)."""
        if self._socket is None:
            self._socket = _bound(self._host, self._port)
        return self._socket

    async def run(self) -> None:
        """Serve until cancelled. Raises what `bind` raises, and StorageError when the log fails."""
        listening = self.bind()
        server = _Uvicorn(_config(self._app), self.ready)
        following = {asyncio.create_task(run()) for run in self._app.state.runs}
        serving = asyncio.create_task(server.serve([listening]))
        try:
            await asyncio.wait({*following, serving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.ready.clear()
            await _stop(server, serving, following)
            listening.close()
            self._socket = None
        for task in (*following, serving):
            if not task.cancelled() and (error := task.exception()) is not None:
                raise _plain(error)


class _Uvicorn(uvicorn.Server):
    """uvicorn without its own signal handlers, telling when it serves."""

    def __init__(self, config: uvicorn.Config, ready: asyncio.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def _stop(server: _Uvicorn, serving: asyncio.Task[None], following: set[asyncio.Task[None]]) -> None:
    """Close the clients, then cut off those who do not go. Shielded from a second cancellation."""
    server.should_exit = True
    cut = asyncio.get_running_loop().call_later(GRACE_SECONDS - _DRAIN_SECONDS, _cut_off, server)
    try:
        await asyncio.shield(asyncio.wait({serving}, timeout=GRACE_SECONDS + 0.5))
    finally:
        cut.cancel()
        _cut_off(server)
        for task in (serving, *following):
            task.cancel()
        await asyncio.gather(serving, *following, return_exceptions=True)


def _cut_off(server: _Uvicorn) -> None:
    for connection in tuple(server.server_state.connections):
        connection.transport.abort()


def _config(app: Starlette) -> uvicorn.Config:
    settings: WebSettings = app.state.settings
    return uvicorn.Config(
        app,
        ws=DirectProtocol,
        http=DeadlineProtocol,
        loop="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        date_header=False,
        backlog=BACKLOG,
        ws_max_size=settings.frame_bytes,
        ws_ping_interval=settings.ping_s,
        ws_ping_timeout=settings.ping_s,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=64 * 1024,
    )


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SettingsError(
            f"{host} is no address of this machine ({error.strerror or error}): use 127.0.0.1"
        ) from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise _bind_error(host, port, error) from error
    return listening


def _bind_error(host: str, port: int, error: OSError) -> Exception:
    if error.errno == errno.EADDRINUSE:
        return TransportError(f"port {port} is in use: stop what holds it, or choose another with --port")
    if error.errno == errno.EACCES:
        return TransportError(f"port {port} needs more rights than we have: choose one above 1023 with --port")
    return SettingsError(
        f"{host}:{port} cannot be bound ({error.strerror}): use 127.0.0.1, or an address of this machine"
    )


def _plain(error: BaseException) -> BaseException:
    """The single error inside a task group's, so that the command line can print one line."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
