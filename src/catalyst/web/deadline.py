"""The connection under HTTP: uvicorn's, with a bound on how long a request may take to arrive, and an answer to leave.

uvicorn waits for ever for who connects and says nothing, and each one keeps a file open: enough of them, and no filing
can be fetched any more. It also waits for ever for who reads nothing of its answer: a stream that nobody takes holds
its place in the hub, and ten of them would hold all.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class DeadlineProtocol(HttpToolsProtocol):
    """Ends a connection whose request is not there, whole, in time. A WebSocket's request is its handshake."""

    request_seconds = 10.0
    stall_seconds = 30.0
    """How long a client may leave what was sent to it lying."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def on_message_begin(self) -> None:
        self._expect()
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._arrived()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._arrived()
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        self._stall = self.loop.call_later(self.stall_seconds, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        self._taken()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        self._taken()
        super().connection_lost(exc)

    def _expect(self) -> None:
        self._arrived()
        self._deadline = self.loop.call_later(self.request_seconds, self.transport.abort)

    def _arrived(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _taken(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
