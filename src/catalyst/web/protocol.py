"""The connection under a WebSocket: uvicorn's sans-I/O protocol, with a way to write finished frames to the transport.

Handshake, masks, fragments, pings and closing stay uvicorn's and websockets'. What is added: writing past the encoder,
a bounded backlog, close codes of ours, and bounds on what a client can pile up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.frames import Close, Frame, Opcode

BAD_MESSAGE = 4010
_TOO_BIG, _NOT_TEXT = 1009, 1007
_FRAGMENTS = 64
_PINGS, _PING_SECONDS = 100, 10.0


class DirectProtocol(WebSocketsSansIOProtocol):
    """One client's connection. A route finds it in `scope["catalyst.peer"]`."""

    close_seconds = 2.0
    """How long a closed client may take to read what is left before it is cut off."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.close_timeout = self.close_seconds
        self.on_lost: Callable[[], None] | None = None
        """Called once, before our close frame or when the connection is gone: nothing more is to be written."""
        self._pings, self._pings_since = 0, 0.0

    async def run_asgi(self) -> None:
        self.scope["catalyst.peer"] = self  # type: ignore[typeddict-unknown-key]
        await super().run_asgi()

    def write(self, frames: bytes) -> None:
        """Send finished frames; nothing once the close frame is out."""
        if not self.close_sent and not self.disconnected and not self.transport.is_closing():
            self.transport.write(frames)

    async def drained(self) -> None:
        """Wait until the backlog is small again, or the client is gone."""
        await self.writable.wait()

    def finish(self, code: int, reason: str) -> None:
        """Close with `code`: what is queued is still sent, for at most `close_seconds`."""
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self._lost()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.stop_keepalive()
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(self.close_seconds, self.transport.abort)

    def shutdown(self) -> None:
        """The service stops: 1012, and whoever does not take it is cut off."""
        try:
            super().shutdown()
        except InvalidState:  # the client closes at this very moment
            self.transport.close()

    def handle_ping(self) -> None:
        """Answer, unless the client sends pings by the hundred or never reads the answers."""
        now = self.loop.time()
        if now - self._pings_since > _PING_SECONDS:
            self._pings, self._pings_since = 0, now
        self._pings += 1
        if self._pings > _PINGS:
            self.finish(BAD_MESSAGE, "too many pings")
            return
        super().handle_ping()

    def send_receive_event_to_app(self) -> None:
        """1007 for what is no UTF-8, without a traceback in the log for each: a client's bytes are no fault of ours."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.send_close(_NOT_TEXT)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        """A message over the size limit is 4010 here, like every other message we don't take."""
        closing = self.conn.close_sent
        if closing is None or closing.code != _TOO_BIG:
            super().handle_parser_exception()
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": BAD_MESSAGE, "reason": "message too long"})
        if not self.close_sent:
            frame = Frame(Opcode.CLOSE, Close(BAD_MESSAGE, "message too long").serialize())
            self.transport.write(frame.serialize(mask=False))
        self.close_sent = True
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost()
        super().connection_lost(exc)

    def _lost(self) -> None:
        if self.on_lost is not None:
            self.on_lost()
            self.on_lost = None

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= _FRAGMENTS:
            self.frames = []
            self.finish(BAD_MESSAGE, "too many fragments")
            return
        super().handle_cont(event)
