"""A provider on loopback: speaks its real format, refuses what the vendor refuses, and fails as a test scripts it.

A vendor's file says what its format is (`Vendor`); this one serves it, keeps what was asked, and plays the faults.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Tokens:
    """What an answer cost, in our sense: `cached` and `cache_write` are parts of `input`, `reasoning` of `output`."""

    input: int = 12
    output: int = 5
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """One scripted answer. Everything unset is what a healthy vendor would send."""

    text: str | None = None
    finish: str | None = None
    """The vendor's own word."""
    tool_calls: tuple[tuple[str, str, dict[str, Any]], ...] = ()
    """(id, name, arguments) of each."""
    refusal: str = ""
    usage: Tokens | Mapping[str, Any] | None = field(default_factory=Tokens)
    """A mapping goes out as it is; None leaves it out."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    """A body in place of the vendor's."""
    raw: bytes | None = None
    message: str = ""
    """Of the vendor's error body."""
    delay: float = 0.0
    """Real seconds before the first byte."""
    hang: bool = False
    reset: bool = False
    close_after: bool = False
    """Close the connection after the answer without having said so."""
    stall_after: int | None = None
    cut_after: int | None = None
    error_after: int | None = None
    """After so many events of a stream: go silent, break off inside a chunk, send the vendor's error event."""
    done: bool = True
    """Send the end mark, where the vendor has one."""
    split: int = 0
    """Send a stream in pieces of so many bytes."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    raw: bytes


class Fault(Exception):
    """The vendor's own refusal of a request that breaks its rules."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.body = body
        self.headers = dict(headers or {})
        super().__init__(f"{status}: {body}")


class Vendor(Protocol):
    """What one vendor's format is. `check` raises Fault; a stream is a list of whole SSE events."""

    key: str
    base: str

    def check(self, asked: Asked) -> None: ...

    def whole(self, asked: Asked, answer: Answer) -> Any: ...

    def events(self, asked: Asked, answer: Answer) -> list[bytes]: ...

    def streams(self, asked: Asked) -> bool: ...

    def error(self, status: int, message: str) -> Any: ...

    def error_event(self) -> bytes: ...


def lists_models(asked: Asked) -> bool:
    """Whether the vendor's list of models is asked for."""
    return asked.method == "GET" and asked.path.endswith("/models")


class FakeServer:
    """Serves one vendor. `answers` and `says` script the next answers; without a script it is healthy."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.requests: list[Asked] = []
        self.connections: set[Any] = set()
        self.hung_up = 0
        """Clients that left before the answer was whole."""
        self._script: deque[Answer] = deque()
        self._runner: web.AppRunner | None = None
        self._closing = asyncio.Event()
        self._port = 0

    async def start(self) -> None:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def close(self) -> None:
        self._closing.set()
        if self._runner:
            await self._runner.cleanup()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """The address a client of this vendor is given."""
        return self.origin + self.vendor.base

    @property
    def key(self) -> str:
        return self.vendor.key

    @property
    def last(self) -> Any:
        """The newest request's body."""
        return self.requests[-1].body

    def answers(self, status: int = 200, *, times: int = 1, **fields: Any) -> None:
        """Script the next `times` answers; `fields` are those of `Answer`."""
        self._script.extend([Answer(status=status, **fields)] * times)

    def says(self, text: str, *, times: int = 1, **fields: Any) -> None:
        """Script healthy answers with this text."""
        self.answers(200, times=times, text=text, **fields)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.method, request.path, dict(request.query), headers, _json(raw), raw)
        self.requests.append(asked)
        self.connections.add(request.transport)
        try:
            self.vendor.check(asked)
        except Fault as fault:
            return web.json_response(fault.body, status=fault.status, headers=fault.headers)
        answer = self._script.popleft() if self._script else Answer()
        if lists_models(asked) and answer == Answer():
            return web.json_response({"object": "list", "data": [], "models": []})
        if answer.reset:
            return _reset(request)
        await self._wait(request, answer)
        if answer.status == 200 and answer.raw is None and answer.json is None and self.vendor.streams(asked):
            return await self._stream(request, asked, answer)
        return await self._whole(request, asked, answer)

    async def _wait(self, request: web.Request, answer: Answer) -> None:
        if answer.delay:
            await asyncio.sleep(answer.delay)
        if answer.hang:
            await self._until_gone(request)

    async def _whole(self, request: web.Request, asked: Asked, answer: Answer) -> web.StreamResponse:
        body = answer.raw
        if body is None:
            content = answer.json
            if content is None and answer.status != 200:
                content = self.vendor.error(answer.status, answer.message)
            body = json.dumps(self.vendor.whole(asked, answer) if content is None else content).encode()
        response = web.Response(body=body, status=answer.status, headers=_typed(answer.headers, "application/json"))
        if answer.close_after:
            await response.prepare(request)
            await response.write_eof()
            assert request.transport
            request.transport.close()
        return response

    async def _stream(self, request: web.Request, asked: Asked, answer: Answer) -> web.StreamResponse:
        response = web.StreamResponse(headers=_typed(answer.headers, "text/event-stream"))
        response.enable_chunked_encoding()
        await response.prepare(request)
        try:
            await self._send(request, response, self.vendor.events(asked, answer), answer)
        except ConnectionError:
            self.hung_up += 1
        return response

    async def _send(
        self, request: web.Request, response: web.StreamResponse, events: list[bytes], answer: Answer
    ) -> None:
        for number, event in enumerate(events):
            if number == answer.stall_after:
                await self._until_gone(request)
                return
            if number == answer.cut_after:
                assert request.transport
                request.transport.write(b"%x\r\n" % len(event) + event[: len(event) // 2])
                request.transport.close()
                return
            if number == answer.error_after:
                await response.write(self.vendor.error_event())
                break
            for piece in _pieces(event, answer.split):
                await response.write(piece)
                if answer.split:
                    await asyncio.sleep(0)
        await response.write_eof()

    async def _until_gone(self, request: web.Request) -> None:
        while not self._closing.is_set():
            if request.transport is None or request.transport.is_closing():
                self.hung_up += 1
                return
            await asyncio.sleep(0.005)


def _pieces(event: bytes, size: int) -> list[bytes]:
    return [event[start : start + size] for start in range(0, len(event), size)] if size else [event]


def _typed(headers: Mapping[str, str], kind: str) -> dict[str, str]:
    named = {name.lower() for name in headers}
    return dict(headers) if "content-type" in named else {**headers, "Content-Type": kind}


def _reset(request: web.Request) -> web.StreamResponse:
    assert request.transport
    sock = request.transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()
    return web.Response()


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return None


def sse(data: Any, event: str = "") -> bytes:
    """One event."""
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


def words(text: str) -> list[str]:
    """The text in the pieces a model would send."""
    pieces = text.split(" ")
    return [piece + " " for piece in pieces[:-1]] + pieces[-1:]


def with_text(answer: Answer, schema: Any) -> Answer:
    """The answer with a text: the scripted one, one that fits the schema asked for, or a greeting."""
    if answer.text is not None or answer.tool_calls:
        return answer
    if schema is not None:
        return replace(answer, text=json.dumps(sample(schema, schema)))
    return replace(answer, text="Hello there, trader.")


def sample(schema: Any, root: Any) -> Any:
    """The plainest value that fits a JSON schema."""
    if "$ref" in schema:
        place = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            place = place[step]
        return sample(place, root)
    for union in ("anyOf", "allOf", "oneOf"):
        if union in schema:
            return sample(schema[union][0], root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    if kind == "object":
        return {name: sample(part, root) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [sample(schema.get("items", {"type": "string"}), root)]
    return {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "null": None}[kind]
