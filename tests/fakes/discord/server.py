"""The HTTP side of the strict Discord: webhooks, a bot's channels, history, direct messages, commands, interactions.

`faults` scripts what goes wrong with the next requests of a kind: slow, hanging, reset before or after acceptance, a
status. `refused` lists every 4xx it gave, so that a test can demand that there was none.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.discord.commanding import check_commands, check_said
from tests.fakes.discord.limits import Limits, Verdict
from tests.fakes.discord.rules import Refusal, check_message, finite

TOKEN = "MTk4NjIyNDgzNDcxOTI1MjQ4.test-token"
APPLICATION = "100000000000000001"
OLD_EDIT_S = 3600.0
NONCE_S = 120.0
_EPOCH_MS = 1_420_070_400_000


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request. `after`: it was accepted all the same."""

    delay: float = 0.0
    hang: bool = False
    reset: bool = False
    after: bool = False
    status: int = 0
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Message:
    """One message as it stands."""

    id: str
    channel: str
    target: str
    body: dict[str, Any]
    nonce: str
    at: float
    edits: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    sent: int = 1
    """How often it was posted, by its nonce."""

    @property
    def embed(self) -> dict[str, Any]:
        first: dict[str, Any] = self.body["embeds"][0]
        return first

    def value(self, name: str) -> str:
        """The value of the field of this name."""
        return next((f["value"] for f in self.embed.get("fields", []) if f["name"] == name), "")


class FakeDiscord:
    """`webhook()` and `channel()` make targets; `messages` is what stands there."""

    def __init__(self, now: Callable[[], float] = time.time, **limits: Any) -> None:
        self.limits = Limits(now, **limits)
        self.messages: dict[str, Message] = {}
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        """By `post`, `edit` or `get`."""
        self.refused: list[tuple[str, int, Any]] = []
        self.limited: list[tuple[str, Verdict]] = []
        self.commands: list[Any] = []
        self.followups: list[tuple[str, Any]] = []
        self.requests: list[tuple[str, str]] = []
        self.no_right: set[str] = set()
        """Channels in which the bot may not write."""
        self.closed: set[str] = set()
        """Users who take no direct messages: the channel can be opened, but not be written to."""
        self.revoked = False
        """Whether the bot's token was reset."""
        self._webhooks: dict[str, tuple[str, str]] = {}
        self._channels: set[str] = set()
        self._old_edits: dict[str, deque[float]] = defaultdict(deque)
        self._ids = itertools.count(1)
        self._runner: web.AppRunner | None = None
        self._closing = asyncio.Event()
        self.port = 0

    async def start(self, port: int = 0) -> FakeDiscord:
        app = web.Application(client_max_size=32 << 20)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def close(self) -> None:
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v10"

    def webhook(self, channel: str = "") -> str:
        """A new webhook's address."""
        ident = f"7{next(self._ids):017}"
        self._webhooks[ident] = (f"secret-{ident}", channel or f"8{ident[1:]}")
        return f"{self.api}/webhooks/{ident}/secret-{ident}"

    def channel(self) -> str:
        """A new channel's id."""
        ident = f"8{next(self._ids):017}"
        self._channels.add(ident)
        return ident

    def delete_webhook(self, url: str) -> None:
        del self._webhooks[url.split("/webhooks/")[1].split("/")[0]]

    def delete_channel(self, ident: str) -> None:
        """A channel takes its webhooks and messages with it."""
        self._channels.discard(ident)
        self._webhooks = {name: each for name, each in self._webhooks.items() if each[1] != ident}
        self.messages = {name: each for name, each in self.messages.items() if each.channel != ident}

    def delete_message(self, ident: str) -> None:
        del self.messages[ident]

    def fault(self, kind: str, *, times: int = 1, **fields: Any) -> None:
        self.faults[kind].extend([Fault(**fields)] * times)

    def of(self, target: str) -> list[Message]:
        """What stands in a channel or was posted by a webhook (its address), oldest first."""
        key = target.split("/webhooks/")[1].split("/")[0] if "/webhooks/" in target else target
        return [m for m in self.messages.values() if key in (m.target, m.channel)]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/api/v10")
        self.requests.append((request.method, path))
        if (wait := self.limits.banned()) > 0:
            return self._limited("ban", Verdict(wait, True, "global"), {})
        try:
            return await self._routed(request, path.strip("/").split("/"))
        except Refusal as refusal:
            if refusal.status in (401, 403):
                self.limits.failed()
            self.refused.append((f"{request.method} {path}", refusal.status, refusal.body))
            return web.json_response(refusal.body, status=refusal.status)
        except ConnectionResetError:
            return web.Response()  # the client has gone

    async def _routed(self, request: web.Request, steps: list[str]) -> web.StreamResponse:
        match (request.method, steps):
            case (_, ["webhooks", *_]):
                return await self._webhook(request, steps)
            case ("POST", ["channels", channel, "messages"]):
                self._known_channel(request, channel)
                return await self._post(request, channel, channel, "bot")
            case ("PATCH", ["channels", channel, "messages", message]):
                self._known_channel(request, channel)
                return await self._edit(request, channel, message)
            case ("GET", ["channels", channel, "messages"]):
                self._known_channel(request, channel)
                return self._history(request, channel)
            case ("POST", ["users", "@me", "channels"]):
                self._authorised(request)
                return self._direct((await request.json())["recipient_id"])
            case ("PUT", ["applications", app, "commands"]):
                self._authorised(request)
                if app != APPLICATION:
                    raise Refusal(404, 10002, "Unknown Application")
                check_commands(asked := await request.json())
                self.commands = asked
                return web.json_response(self.commands)
        raise Refusal(404, 0, "404: Not Found")

    async def _webhook(self, request: web.Request, steps: list[str]) -> web.StreamResponse:
        match (request.method, steps):
            case ("GET", ["webhooks", ident, secret]):
                channel = self._known_webhook(ident, secret)
                return web.json_response({"id": ident, "type": 1, "channel_id": channel, "token": secret})
            case ("POST", ["webhooks", ident, secret]):
                return await self._post(request, ident, self._known_webhook(ident, secret), "webhook")
            case ("PATCH", ["webhooks", _, token, "messages", "@original"]):
                body, _ = await _read(request)
                check_said(body)
                self.followups.append((token, body))
                return web.json_response({"id": "1"})
            case ("PATCH", ["webhooks", ident, secret, "messages", message]):
                self._known_webhook(ident, secret)
                return await self._edit(request, ident, message)
        raise Refusal(404, 0, "404: Not Found")

    def _known_webhook(self, ident: str, secret: str) -> str:
        if ident not in self._webhooks:
            raise Refusal(404, 10015, "Unknown Webhook")
        token, channel = self._webhooks[ident]
        if token != secret:
            raise Refusal(401, 50027, "Invalid Webhook Token")
        return channel

    def _authorised(self, request: web.Request) -> None:
        if self.revoked or request.headers.get("Authorization") != f"Bot {TOKEN}":
            raise Refusal(401, 0, "401: Unauthorized")

    def _known_channel(self, request: web.Request, channel: str) -> None:
        self._authorised(request)
        if channel not in self._channels:
            raise Refusal(404, 10003, "Unknown Channel")
        if channel in self.no_right:
            raise Refusal(403, 50013, "Missing Permissions")
        if channel in {_direct(user) for user in self.closed}:
            raise Refusal(403, 50007, "Cannot send messages to this user")

    async def _post(self, request: web.Request, target: str, channel: str, kind: str) -> web.StreamResponse:
        headers, verdict = self.limits.take("post", target, channel)
        if verdict is not None:
            return self._limited("post", verdict, headers)
        fault = self._next("post")
        if (early := await self._before(request, fault, headers)) is not None:
            return early
        body, files = await _read(request)
        if kind == "webhook" and "thread_id" in request.query:
            channel = request.query["thread_id"]
        check_message(body, files, kind=kind)
        message = self._accept(target, channel, body, list(files))
        if kind == "webhook" and request.query.get("wait") != "true":
            return web.Response(status=204, headers=headers)
        answer = web.json_response(self._shown(message, nonce=True), headers=headers)
        return await self._after(request, fault, answer)

    def _accept(self, target: str, channel: str, body: dict[str, Any], files: list[str]) -> Message:
        nonce = str(body.get("nonce", ""))
        now = self.limits.now()
        if body.get("enforce_nonce"):
            for known in reversed(list(self.messages.values())):
                if known.channel == channel and known.nonce == nonce and now - known.at < NONCE_S:
                    known.sent += 1
                    return known
        ident = str(((int(now * 1000) - _EPOCH_MS) << 22) + next(self._ids))
        message = self.messages[ident] = Message(ident, channel, target, body, nonce, now, files=files)
        return message

    async def _edit(self, request: web.Request, target: str, ident: str) -> web.StreamResponse:
        headers, verdict = self.limits.take("edit", target, "")
        if verdict is not None:
            return self._limited("edit", verdict, headers)
        fault = self._next("edit")
        if (early := await self._before(request, fault, headers)) is not None:
            return early
        body, files = await _read(request)
        message = self.messages.get(ident)
        if message is None or target != message.target:
            raise Refusal(404, 10008, "Unknown Message")
        check_message(body, {**dict.fromkeys(message.files, b""), **files}, kind="edit")
        if (wait := self._old(message)) > 0:
            self.limited.append(("old", Verdict(wait, False, "user")))
            refusal = {"message": "Maximum number of edits to messages older than 1 hour reached. Try again later"}
            answer = {**refusal, "code": 30046, "retry_after": round(wait, 3)}
            return web.json_response(answer, status=429, headers={**headers, "Retry-After": str(int(wait) + 1)})
        message.body = {**message.body, **body}
        message.edits.append((self.limits.now(), body))
        if "attachments" in body:
            message.files = [each.get("filename", "") for each in body["attachments"]]
        return await self._after(request, fault, web.json_response(self._shown(message), headers=headers))

    def _old(self, message: Message) -> float:
        """Edits of messages older than an hour: three in twenty seconds a channel, as users report."""
        now = self.limits.now()
        if now - message.at < OLD_EDIT_S:
            return 0.0
        times = self._old_edits[message.channel]
        while times and times[0] <= now - 20:
            times.popleft()
        if len(times) >= 3:
            return times[0] + 20 - now
        times.append(now)
        return 0.0

    def _history(self, request: web.Request, channel: str) -> web.StreamResponse:
        after, most = int(request.query.get("after", "0")), int(request.query.get("limit", "50"))
        if not 1 <= most <= 100:
            raise Refusal(400, 50035, "Invalid Form Body", {"limit": {"_errors": []}})
        found = [m for m in self.messages.values() if m.channel == channel and int(m.id) > after]
        return web.json_response([self._shown(message) for message in found[:most]][::-1])

    def _direct(self, user: str) -> web.StreamResponse:
        channel = _direct(user)
        self._channels.add(channel)
        return web.json_response({"id": channel, "type": 1})

    def _shown(self, message: Message, *, nonce: bool = False) -> dict[str, Any]:
        """As the API shows it; the nonce only to who posted it."""
        shown = {
            "id": message.id,
            "channel_id": message.channel,
            "author": {"id": APPLICATION, "bot": True},
            "embeds": message.body.get("embeds", []),
            "content": message.body.get("content", ""),
        }
        return {**shown, "nonce": message.nonce} if nonce and message.nonce else shown

    def _limited(self, kind: str, verdict: Verdict, headers: dict[str, str]) -> web.Response:
        self.limited.append((kind, verdict))
        if verdict.scope != "shared":
            self.limits.failed()
        said = {"message": "You are being rate limited.", "retry_after": verdict.after, "global": verdict.everywhere}
        more = {"Retry-After": str(int(verdict.after) + 1), "X-RateLimit-Scope": verdict.scope}
        if verdict.everywhere:
            more["X-RateLimit-Global"] = "true"
        return web.json_response(said, status=429, headers={**headers, **more})

    def _next(self, kind: str) -> Fault:
        return self.faults[kind].popleft() if self.faults[kind] else Fault()

    async def _before(self, request: web.Request, fault: Fault, headers: dict[str, str]) -> web.StreamResponse | None:
        if fault.after:
            return None
        await self._wait(request, fault)
        if fault.reset:
            return _cut(request)
        if fault.status:
            return web.json_response(fault.body, status=fault.status, headers={**headers, **fault.headers})
        return None

    async def _after(self, request: web.Request, fault: Fault, answer: web.Response) -> web.StreamResponse:
        if not fault.after:
            return answer
        await self._wait(request, fault)
        if fault.reset:
            return _cut(request)
        return web.Response(status=fault.status) if fault.status else answer

    async def _wait(self, request: web.Request, fault: Fault) -> None:
        if fault.delay:
            await asyncio.sleep(fault.delay)
        while fault.hang and not self._closing.is_set():
            if request.transport is None or request.transport.is_closing():
                return
            await asyncio.sleep(0.005)


def _direct(user: str) -> str:
    """The channel of direct messages with this user."""
    return f"9{int(user):017}"


def _cut(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _read(request: web.Request) -> tuple[Any, dict[str, bytes]]:
    """The JSON body and the files by name; NaN is no JSON."""
    kind = request.content_type
    files: dict[str, bytes] = {}
    text = ""
    if kind == "application/json":
        text = await request.text()
    elif kind == "multipart/form-data":
        async for part in await request.multipart():
            name = getattr(part, "name", "") or ""
            if name == "payload_json":
                text = await part.text()  # type: ignore[union-attr]
            elif name.startswith("files[") and getattr(part, "filename", None):
                files[str(part.filename)] = bytes(await part.read())  # type: ignore[union-attr]
            else:
                raise Refusal(400, 50035, "Invalid Form Body", {name: {"_errors": [{"code": "NOT_A_FILE"}]}})
    else:
        raise Refusal(400, 50035, "Expected \"Content-Type\" header to be one of {'application/json'}.")
    body: Any = None
    with contextlib.suppress(ValueError):
        body = json.loads(text)
    if not finite(body):
        raise Refusal(400, 50109, "The request body contains invalid JSON.")
    return body, files
