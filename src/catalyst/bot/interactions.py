"""Discord's calls of our slash commands: a small ASGI application that believes only what Discord signed.

Every request bears an Ed25519 signature over timestamp and body; one that is unsigned, wrong, old or repeated is
answered 401. An answer that takes longer than a moment is announced first (`deferred`) and sent when it is there.
Source: discord.com/developers/docs/interactions/receiving-and-responding.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson
import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from catalyst.bot.commands import Call
from catalyst.bot.places import API
from catalyst.clock import Clock
from catalyst.errors import TransportError
from catalyst.http import Http

log = structlog.get_logger()

PATH = "/interactions"
BODY = 64 * 1024
FRESH_S = 120.0
"""How old a signed request may be, or how far ahead its clock."""
AT_ONCE_S = 1.5
"""Discord waits three seconds."""
LONGEST_S = 60.0
_READ_S = 2.0
_MOST = 32
"""Answers under way at once."""
_REMEMBERED = 5000
_PING, _COMMAND = 1, 2
_PONG, _MESSAGE, _DEFERRED = 1, 4, 5
_ONLY_ME = 1 << 6

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class _Refused(Exception):
    def __init__(self, status: int, why: str) -> None:
        self.status = status
        super().__init__(why)


class Interactions:
    """The application. `answer` says what a command says; it never raises for a user's mistake."""

    def __init__(
        self, public_key: str, answer: Callable[[Call], Awaitable[str]], http: Http, clock: Clock, *, api: str = API
    ) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        self._answer = answer
        self._http = http
        self._clock = clock
        self._api = api
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            status, body = 200, await self._handled(scope, receive)
        except _Refused as refused:
            status, body = refused.status, {"error": str(refused)}
        content = orjson.dumps(body)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def close(self) -> None:
        """Stop what is still being answered."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _handled(self, scope: Scope, receive: Receive) -> dict[str, Any]:
        if scope["path"] != PATH or scope["method"] != "POST":
            raise _Refused(404, "not found")
        body = await self._body(receive)
        self._check(dict(scope["headers"]), body)
        try:
            asked = orjson.loads(body)
            kind = asked["type"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise _Refused(400, "no interaction") from None
        if kind == _PING:
            return {"type": _PONG}
        if kind != _COMMAND:
            raise _Refused(400, "this kind of interaction is not used here")
        self._once(str(asked.get("id", "")))
        return await self._command(asked)

    async def _body(self, receive: Receive) -> bytes:
        found = bytearray()
        with contextlib.suppress(TimeoutError):
            async with self._clock.timeout(_READ_S):
                while True:
                    event = await receive()
                    if event["type"] != "http.request":
                        raise _Refused(400, "the request broke off")
                    found += event.get("body", b"")
                    if len(found) > BODY:
                        raise _Refused(413, "too long")
                    if not event.get("more_body"):
                        return bytes(found)
        raise _Refused(408, "too slow")

    def _check(self, headers: dict[bytes, bytes], body: bytes) -> None:
        """Raises _Refused unless Discord signed this a moment ago. The library compares in constant time."""
        stamp = headers.get(b"x-signature-timestamp", b"")
        try:
            signed = bytes.fromhex(headers.get(b"x-signature-ed25519", b"").decode("ascii"))
            self._key.verify(signed, stamp + body)
            age = abs(self._clock.now().timestamp() - int(stamp))
        except (InvalidSignature, ValueError, UnicodeDecodeError):
            raise _Refused(401, "invalid request signature") from None
        if age > FRESH_S:
            raise _Refused(401, "the signature is too old")

    def _once(self, ident: str) -> None:
        if not ident or ident in self._seen:
            raise _Refused(401, "this interaction was answered before")
        self._seen[ident] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)

    async def _command(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The answer, or that it comes."""
        if len(self._tasks) >= _MOST:
            return _message("Too much to do just now: ask again in a minute.")
        said: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._work(asked, said))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(TimeoutError):
            async with self._clock.timeout(AT_ONCE_S):
                return _message(await asyncio.shield(said))
        task.remove_done_callback(self._tasks.discard)
        self._tasks.discard(task)
        following = asyncio.create_task(self._follow_up(asked, said))
        self._tasks.add(following)
        following.add_done_callback(self._tasks.discard)
        following.add_done_callback(lambda _: task.cancel())
        return {"type": _DEFERRED, "data": {"flags": _ONLY_ME}}

    async def _work(self, asked: dict[str, Any], said: asyncio.Future[str]) -> None:
        """One call is isolated: whatever goes wrong in it is one user's answer."""
        try:
            text = await self._answer(_call(asked))
        except Exception as error:  # noqa: BLE001
            log.error("command.failed", error=f"{type(error).__name__}: {error}"[:200])
            text = "That failed, and it is our fault: the log says why."
        if not said.done():
            said.set_result(text)

    async def _follow_up(self, asked: dict[str, Any], said: asyncio.Future[str]) -> None:
        text = "That took too long: ask again later."
        with contextlib.suppress(TimeoutError):
            async with self._clock.timeout(LONGEST_S):
                text = await said
        application, token = asked.get("application_id", ""), asked.get("token", "")
        url = f"{self._api}/webhooks/{application}/{token}/messages/@original"
        body = orjson.dumps({name: value for name, value in _message(text)["data"].items() if name != "flags"})
        try:
            await self._http.request("PATCH", url, headers={"Content-Type": "application/json"}, body=body)
        except TransportError as error:
            log.warning("command.unanswered", status=error.status)


def _message(text: str) -> dict[str, Any]:
    return {"type": _MESSAGE, "data": {"content": text, "flags": _ONLY_ME, "allowed_mentions": {"parse": []}}}


def _call(asked: dict[str, Any]) -> Call:
    data = asked.get("data") or {}
    member = asked.get("member") or {}
    user = member.get("user") or asked.get("user") or {}
    options = {str(each["name"]): each.get("value") for each in data.get("options") or () if "name" in each}
    permissions = str(member.get("permissions", "0"))
    channel = str(asked.get("channel_id", "")) if member else ""
    return Call(
        str(data.get("name", "")),
        options,
        str(user.get("id", "")),
        channel,
        int(permissions) if permissions.isdigit() else 0,
    )
