"""One request through the gateway, in order: key, body, wire format, hub, answer. The rest goes to the app below.

Plain ASGI, before FastAPI: what a framework adds to a request costs more here than the hub itself.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter
from starlette.types import ASGIApp, Receive, Scope, Send

from catalyst.clock import Clock
from catalyst.errors import CatalystError
from catalyst.llm import LLMService
from catalyst.llm.types import LLMResponse
from catalyst.web.auth import Keys, presented, same_origin
from catalyst.web.gateway import anthropic, asked, faults, openai
from catalyst.web.gateway.faults import Fault
from catalyst.web.gateway.settings import CACHE_MODES, GatewaySettings

PREFIX = "/v1/"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
WATCH_SECONDS = 0.005
"""From then on a client that leaves is noticed."""

_JSON, _EVENTS = b"application/json", b"text/event-stream; charset=utf-8"
_FEATURE = re.compile(r"[A-Za-z0-9._-]{1,64}")

Headers = list[tuple[bytes, bytes]]
log = structlog.get_logger()


@dataclass(slots=True)
class Exchange:
    """One request and the way back to its client."""

    scope: Scope
    receive: Receive
    send: Send
    headers: dict[str, str]
    id: str
    tenant: str = asked.LOCAL_TENANT
    status: int = 0
    gone: bool = False

    @property
    def wants_anthropic(self) -> bool:
        return str(self.scope["path"]).startswith("/v1/messages")

    def more(self, settings: GatewaySettings) -> dict[str, Any]:
        """What every surface asks of the hub: from the key, the settings and our own headers."""
        mode = self.headers.get("x-catalyst-cache", settings.cache)
        if mode not in CACHE_MODES:
            raise faults.invalid(f"x-catalyst-cache is {', '.join(CACHE_MODES)}", "x-catalyst-cache")
        return {
            "tenant": self.tenant,
            "request_id": self.id,
            "enable_cache": mode != "off" and "no-" not in self.headers.get("cache-control", ""),
            "cache_match": mode if mode != "off" else None,
            "feature_name": self.feature,
            "timeout_seconds": settings.timeout_seconds,
        }

    @property
    def feature(self) -> str:
        """What the ledger counts the request under: `gateway`, or `gateway.NAME` for who names it."""
        name = self.headers.get("x-catalyst-feature", "")
        return f"gateway.{name}" if _FEATURE.fullmatch(name) else "gateway"

    async def answer(self, status: int, body: bytes, headers: Headers) -> None:
        """The whole answer at once."""
        await self.begin(status, [*headers, (b"content-length", b"%d" % len(body))], _JSON)
        await self.send({"type": "http.response.body", "body": body})

    async def begin(self, status: int, headers: Headers, kind: bytes) -> None:
        self.status = status
        told = [(b"content-type", kind), (b"x-request-id", self.id.encode()), *headers]
        await self.send({"type": "http.response.start", "status": status, "headers": told})

    async def piece(self, body: bytes, more: bool = True) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": more})


class Gateway:
    """The endpoint. `hub` None answers 503, and says how to get one."""

    def __init__(
        self,
        app: ASGIApp,
        hub: LLMService | None,
        keys: Keys,
        settings: GatewaySettings,
        clock: Clock,
        registry: CollectorRegistry,
        origins: tuple[str, ...] = (),
    ) -> None:
        self._app = app
        self._hub = hub
        self._keys = keys
        self._settings = settings
        self._clock = clock
        self._origins = origins
        self._run = uuid.uuid4().hex[:12]
        self._numbers = itertools.count(1)
        self._requests = Counter(
            "catalyst_gateway_requests", "Requests to the gateway", ("surface", "status"), registry=registry
        )
        self._counts: dict[tuple[str, str], Any] = {}
        self._routes: dict[tuple[str, str], tuple[str, Callable[[Exchange, LLMService], Any]]] = {
            ("POST", "/v1/chat/completions"): ("write", self._chat),
            ("POST", "/v1/messages"): ("write", self._messages),
            ("POST", "/v1/embeddings"): ("write", self._embeddings),
            ("GET", "/v1/models"): ("read", self._models),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        exchange = Exchange(scope, receive, send, headers, self._id(headers))
        try:
            await self._serve(exchange)
        except CatalystError as error:
            await self._refuse(exchange, faults.of(error))
        except Exception as error:  # one request: what we did not foresee in it is told in the vendor's shape too
            log.exception("gateway.broke", request=exchange.id, error=type(error).__name__)
            await self._refuse(exchange, faults.BROKEN)
        self._count(exchange)

    def _count(self, exchange: Exchange) -> None:
        """A status of 0 is a client that left before the answer."""
        kind = ("anthropic" if exchange.wants_anthropic else "openai", str(exchange.status or 499))
        counted = self._counts.get(kind)
        if counted is None:
            counted = self._counts[kind] = self._requests.labels(*kind)
        counted.inc()

    async def _serve(self, exchange: Exchange) -> None:
        """Admit, find the route, and do its work for as long as the client stays."""
        method, path = exchange.scope["method"], exchange.scope["path"].rstrip("/")
        scope, work = self._routes.get((method, path), ("read", self._model))
        self._admit(exchange, scope)
        if work == self._model and not (method == "GET" and path.startswith("/v1/models/")):
            raise faults.missing(f"{method} {path[:80]} is not here: see GET /v1/models and the gateway guide")
        if self._hub is None:
            raise faults.unavailable(
                "no model can be asked: set a provider's key (GEMINI_API_KEY, ANTHROPIC_API_KEY, …) and restart"
            )
        await work(exchange, self._hub)

    def _admit(self, exchange: Exchange, scope: str) -> None:
        headers = exchange.headers
        if not same_origin(headers, self._origins):
            raise faults.forbidden("this web page may not call the gateway: name it in CATALYST_CORS_ORIGINS")
        if not self._keys.needed:
            return
        key = self._keys.find(presented(headers))
        if key is None:
            raise faults.unauthenticated()
        if scope not in key.scopes:
            raise faults.forbidden(f"this API key lacks the right to {scope}")
        exchange.tenant = key.tenant

    async def _chat(self, exchange: Exchange, hub: LLMService) -> None:
        fields = await self._fields(exchange)
        request = openai.chat_request(fields, self._settings.max_tokens, exchange.more(self._settings))
        if fields.get("stream") is not True:
            answer = await self._while_there(exchange, hub.query(request, external=True))
            if answer is not None:
                await exchange.answer(200, openai.chat_answer(answer, self._clock.now().timestamp()), _told(answer))
            return
        now, usage = self._clock.now().timestamp(), openai.wants_usage(fields)
        async with hub.stream(request, external=True) as stream:
            pieces = openai.chat_chunks(stream, exchange.id, str(fields["model"]), now, usage)
            await self._while_there(exchange, self._streamed(exchange, pieces))

    async def _messages(self, exchange: Exchange, hub: LLMService) -> None:
        fields = await self._fields(exchange)
        request = anthropic.request(fields, exchange.more(self._settings))
        if fields.get("stream") is not True:
            answer = await self._while_there(exchange, hub.query(request, external=True))
            if answer is not None:
                await exchange.answer(200, anthropic.answer(answer), _told(answer))
            return
        async with hub.stream(request, external=True) as stream:
            pieces = anthropic.events(stream, exchange.id, str(fields["model"]))
            await self._while_there(exchange, self._streamed(exchange, pieces))

    async def _embeddings(self, exchange: Exchange, hub: LLMService) -> None:
        fields = await self._fields(exchange)
        texts, model = openai.embedding_texts(fields), fields.get("model")
        if model is not None and not isinstance(model, str):
            raise faults.invalid("name a model for embeddings", "model")
        asking = hub.embed(
            texts,
            model,
            tenant=exchange.tenant,
            feature_name=exchange.feature,
            timeout_seconds=self._settings.timeout_seconds,
            external=True,
        )
        found = await self._while_there(exchange, asking)
        if found is not None:
            cost = [(b"x-catalyst-provider", _plain(found.provider)), (b"x-catalyst-cost-usd", b"%f" % found.cost_usd)]
            await exchange.answer(200, openai.embedding_answer(found, fields.get("encoding_format")), cost)

    async def _models(self, exchange: Exchange, hub: LLMService) -> None:
        await exchange.answer(200, openai.listing(openai.models(hub.catalog, hub.providers)), [])

    async def _model(self, exchange: Exchange, hub: LLMService) -> None:
        name = exchange.scope["path"].removeprefix("/v1/models/")
        for shown in openai.models(hub.catalog, hub.providers):
            if shown["id"] == name:
                await exchange.answer(200, openai.dumped(shown), [])
                return
        raise faults.missing(f"no model is named {name[:80]!r}: see GET /v1/models", "model_not_found")

    async def _fields(self, exchange: Exchange) -> dict[str, Any]:
        """The body as JSON. A page elsewhere cannot send this type without asking first."""
        if not exchange.headers.get("content-type", "").lower().startswith("application/json"):
            raise faults.invalid("send the body as application/json")
        return asked.body(await self._body(exchange))

    async def _body(self, exchange: Exchange) -> bytes:
        most = self._settings.body_bytes
        declared = exchange.headers.get("content-length", "0")
        if declared.isdigit() and (len(declared) > 12 or int(declared) > most):
            raise faults.too_large(most)
        pieces, size = [], 0
        while True:
            event = await exchange.receive()
            if event["type"] == "http.disconnect":
                raise faults.invalid("the body ended too early")
            pieces.append(event.get("body", b""))
            size += len(pieces[-1])
            if size > most:
                raise faults.too_large(most)
            if not event.get("more_body"):
                return b"".join(pieces)

    async def _while_there(self, exchange: Exchange, work: Any) -> Any:
        """The outcome of `work`, which is cancelled when the client leaves; then None.

        Answers that come at once, as from the cache, are not watched: the watching costs more than they do.
        """
        task = asyncio.current_task()
        assert task is not None
        watches: list[asyncio.Future[Any]] = []

        def left(watch: asyncio.Future[Any]) -> None:
            if not watch.cancelled():
                exchange.gone = True
                task.cancel()

        def begin() -> None:
            watches.append(asyncio.ensure_future(exchange.receive()))
            watches[0].add_done_callback(left)

        soon = asyncio.get_running_loop().call_later(WATCH_SECONDS, begin)
        try:
            return await work
        except asyncio.CancelledError:
            if exchange.gone and task.uncancel() == 0:
                log.info("gateway.client_left", request=exchange.id)
                return None
            raise
        finally:
            soon.cancel()
            for watch in watches:
                watch.remove_done_callback(left)
                watch.cancel()

    async def _streamed(self, exchange: Exchange, pieces: AsyncIterator[bytes]) -> None:
        """Send pieces as they come; nothing is sent before the first, so that a refusal has its own status."""
        first = await anext(pieces)
        await exchange.begin(200, [(b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")], _EVENTS)
        await exchange.piece(first)
        try:
            async for piece in pieces:
                await exchange.piece(piece)
        except CatalystError as error:
            log.warning("gateway.stream_broke", request=exchange.id, error=str(error))
            await exchange.piece(_broken(exchange, faults.of(error)))
        finally:
            if isinstance(pieces, AsyncGenerator):
                await pieces.aclose()
        await exchange.piece(b"", more=False)

    async def _refuse(self, exchange: Exchange, fault: Fault) -> None:
        if fault.status >= 500:
            log.warning("gateway.failed", request=exchange.id, status=fault.status, error=fault.message)
        if exchange.status:  # the answer has begun: nothing can be added that a client would read as an error
            return
        shape = anthropic.fault(fault, exchange.id) if exchange.wants_anthropic else openai.fault(fault)
        await exchange.answer(fault.status, shape, fault.headers)

    def _id(self, headers: dict[str, str]) -> str:
        theirs = headers.get("x-request-id", "")
        return theirs if _ID.fullmatch(theirs) else f"{self._run}-{next(self._numbers)}"


def _told(answer: LLMResponse) -> Headers:
    """What the vendors' formats have no place for."""
    return [
        (b"x-catalyst-provider", _plain(answer.provider)),
        (b"x-catalyst-model", _plain(answer.model)),
        (b"x-catalyst-cost-usd", b"%f" % answer.cost_usd),
        (b"x-catalyst-cache", (answer.cache_kind or "miss").encode()),
    ]


def _plain(text: str) -> bytes:
    """A header's value: a model's name may come from the client, and a line break in it would begin another header."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(letter for letter in text if " " <= letter <= "~")
    return text[:128].encode()


def _broken(exchange: Exchange, fault: Fault) -> bytes:
    if exchange.wants_anthropic:
        return anthropic.fault_event(fault, exchange.id)
    return openai.fault_event(fault)
