"""The bot's own small server: `/metrics`, `/health/live`, `/health/ready`, and the way to the slash commands.

Discord reaches the commands through a proxy, and a proxy's requests come from loopback: what is inside is shown only to
who is here without having been forwarded, or bears the key that the bot itself uses at the service.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import orjson

from catalyst.bot.interactions import Receive, Scope, Send

if TYPE_CHECKING:
    from catalyst.bot.room import Bot

_FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via")
_TEXT = b"text/plain; version=0.0.4; charset=utf-8"
_JSON = b"application/json"
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Front:
    """The ASGI application. `commands` None: there are no slash commands here."""

    def __init__(self, bot: Bot, commands: App | None, key: str = "") -> None:
        self._bot = bot
        self._commands = commands
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        asked = self._ours.get(scope["path"]) if scope["method"] == "GET" else None
        if asked is not None:
            await _answer(send, *await asked(self, scope))
        elif self._commands is not None:
            await self._commands(scope, receive, send)
        else:
            await _answer(send, 404, _JSON, b'{"error":"not found"}')

    async def _live(self, _: Scope) -> tuple[int, bytes, bytes]:
        return 200, _JSON, b'{"ok":true}'

    async def _ready(self, _: Scope) -> tuple[int, bytes, bytes]:
        """Whether the service is followed and there is somebody to tell."""
        following, live = self._bot.parts.client.connected, self._bot.live
        found = {"ok": following and live > 0, "following": following, "targets": live}
        return 200 if found["ok"] else 503, _JSON, orjson.dumps(found)

    async def _metrics(self, scope: Scope) -> tuple[int, bytes, bytes]:
        if not self._may_look(scope):
            return 401, _JSON, b'{"error":"metrics are for loopback, or for who sends the key CATALYST_API_KEY"}'
        return 200, _TEXT, await self._bot.metrics()

    def _may_look(self, scope: Scope) -> bool:
        headers = dict(scope["headers"])
        shown = headers.get(b"x-api-key", b"") or headers.get(b"authorization", b"").removeprefix(b"Bearer ")
        if self._key and hmac.compare_digest(shown, self._key.encode()):
            return True
        return not any(name in headers for name in _FORWARDED) and _is_here(scope.get("client"))

    _ours = {"/health/live": _live, "/health/ready": _ready, "/metrics": _metrics}


def _is_here(client: Any) -> bool:
    try:
        return ipaddress.ip_address(client[0]).is_loopback
    except (TypeError, ValueError, IndexError):
        return False


async def _answer(send: Send, status: int, kind: bytes, content: bytes) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
