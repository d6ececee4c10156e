"""What stands before every HTTP route: a bound on request bodies, a check of the Host, and headers for browsers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalyst.web.settings import is_loopback

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = (
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


class _TooLarge(Exception):
    """The body passed the bound while it was read."""


class Bounds:
    """Answers 413 to a body over `body_bytes`, and adds the browser's headers to every answer.

    `texts` are the first parts of paths that documents are sent to, and the bytes that each may have.
    """

    def __init__(self, app: ASGIApp, body_bytes: int, texts: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._body_bytes = body_bytes
        self._texts = texts or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answering = _Answering(send)
        most = self._texts.get(scope["path"].strip("/").partition("/")[0], self._body_bytes)
        if _declared(scope) > most:
            await refuse(answering, 413, f"the body has more than {most} bytes")
            return
        try:
            await self._app(scope, _counted(receive, most), answering)
        except _TooLarge:
            if not answering.started:
                await refuse(answering, 413, f"the body has more than {most} bytes")


class LocalHost:
    """Refuses requests for a host that is not this machine: a page elsewhere whose name was pointed at us.

    Stands only where no key is asked for: https://owasp.org, DNS rebinding.
    """

    def __init__(self, app: ASGIApp, also: Iterable[str] = ()) -> None:
        self._app = app
        self._also = frozenset(also)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._is_ours(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4003})
        else:
            await refuse(send, 421, "this host name is not ours: use 127.0.0.1 or localhost")

    def _is_ours(self, scope: Scope) -> bool:
        host = dict(scope["headers"]).get(b"host", b"localhost").decode("latin-1")
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return is_loopback(name) or name in self._also


class _Answering:
    """`send`, with the headers added and a note of whether the answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            message["headers"] = [*message.get("headers", ()), *_HEADERS]
        await self._send(message)


async def refuse(send: Send, status: int, detail: str) -> None:
    """Answer with `{"detail": …}`."""
    body = orjson.dumps({"detail": detail})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _counted(receive: Receive, most: int) -> Receive:
    """`receive` that raises _TooLarge once more than `most` bytes came."""
    seen = 0

    async def counting() -> Message:
        nonlocal seen
        event = await receive()
        seen += len(event.get("body", b""))
        if seen > most:
            raise _TooLarge
        return event

    return counting


def _declared(scope: Scope) -> int:
    text = dict(scope["headers"]).get(b"content-length", b"0")
    return int(text) if text.isdigit() else 0
