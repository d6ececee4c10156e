"""The service as one ASGI application: `create_app` puts routes, keys and bounds together from the parts it is given.

Read `socket.py` for the stream, `filings.py` for REST, `server.py` for running it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import PurePath
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from starlette.middleware.cors import CORSMiddleware

from catalyst import __version__
from catalyst.clock import Clock, SystemClock
from catalyst.errors import StorageError
from catalyst.llm import LLMService
from catalyst.stream.log import Archive
from catalyst.web.asyncapi import asyncapi_router
from catalyst.web.auth import Keys, check_exposure, requires
from catalyst.web.bounds import Bounds, LocalHost
from catalyst.web.errors import ANSWERS
from catalyst.web.fanout import Fanout
from catalyst.web.filings import filings_router
from catalyst.web.gateway import Gateway, GatewaySettings
from catalyst.web.keybook import KeyBook
from catalyst.web.metrics import WebMetrics
from catalyst.web.openapi import describe
from catalyst.web.pace import pace_router
from catalyst.web.settings import WebSettings
from catalyst.web.socket import SocketParts, socket_route
from catalyst.web.status import Problems, Status, status_router
from catalyst.web.usage import usage_router
from catalyst.web.watchlists import Watchlists, watchlists_router

_KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Parts:
    """What the service shows and uses. The clock is the machine's: clients live in real time, whatever is replayed."""

    log: Archive
    settings: WebSettings = field(default_factory=WebSettings)
    watchlists: Watchlists | None = None
    status: Status = dict
    problems: Problems = list
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    clock: Clock = field(default_factory=SystemClock)
    routers: Sequence[APIRouter] = ()
    """Routes of other rooms, mounted as they are, behind the key."""
    keys: KeyBook | None = None
    """Keys made by `catalyst keys`, beside those of the settings."""
    hub: LLMService | None = None
    """What answers at `/v1`; None says so to who asks."""
    gateway: GatewaySettings = field(default_factory=GatewaySettings)


def create_app(parts: Parts) -> FastAPI:
    """Build the application; `server.Server` runs it. Raises SettingsError where it would stand open to others."""
    settings = parts.settings
    keys = Keys.of(settings.api_keys, parts.keys, parts.clock)
    check_exposure(settings, keys)
    metrics = WebMetrics(parts.registry)
    fanout = Fanout(parts.log, settings, metrics, parts.clock)
    app = FastAPI(title="Catalyst", version=__version__, docs_url=None, redoc_url=None)
    app.state.fanout, app.state.settings, app.state.runs = fanout, settings, (fanout.run, keys.run)
    app.add_exception_handler(StorageError, _unavailable)
    reader, writer = requires(keys, "read"), requires(keys, "write")
    app.router.routes.append(socket_route(SocketParts(parts.log, fanout, keys, settings, metrics, parts.clock)))
    app.include_router(filings_router(parts.log), dependencies=[Depends(reader)], responses=ANSWERS)
    app.include_router(asyncapi_router())
    app.include_router(status_router(parts.log, fanout, metrics, parts.clock, parts.status, parts.problems, reader))
    for router in (pace_router(parts.log), usage_router(parts.hub, keys, parts.clock), *parts.routers):
        app.include_router(router, dependencies=[Depends(reader)], responses=ANSWERS)
    if parts.watchlists is not None:
        app.include_router(watchlists_router(parts.watchlists, reader, writer), responses=ANSWERS)
    app.include_router(_pages())
    describe(app)
    _surround(app, parts, keys)
    return app


def _surround(app: FastAPI, parts: Parts, keys: Keys) -> None:
    """Put around the routes, from the inside out, what every request passes."""
    settings = parts.settings
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "PUT"],
            allow_headers=["X-API-Key", "Content-Type", "If-None-Match"],
            expose_headers=["ETag"],
        )
    texts = dict.fromkeys(("enrich", "writer", "cashflow"), settings.text_bytes)
    app.add_middleware(Bounds, body_bytes=settings.body_bytes, texts=texts)
    app.add_middleware(
        Gateway,
        hub=parts.hub,
        keys=keys,
        settings=parts.gateway,
        clock=parts.clock,
        registry=parts.registry,
        origins=settings.cors_origins,
    )
    if not keys.needed:
        named = [urlsplit(origin).hostname or "" for origin in settings.cors_origins]
        app.add_middleware(LocalHost, also=(settings.host, *named))


async def _unavailable(_request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": "the log cannot be read now: try again later"}, 503)


def _pages() -> APIRouter:
    """The page at `/` and its modules: read once per request, so that nothing is held for who never asks."""
    router = APIRouter(include_in_schema=False)
    folder = files("catalyst.web") / "static"
    known = {file.name: _KINDS[PurePath(file.name).suffix] for file in folder.iterdir()}

    @router.get("/{name}")
    @router.get("/")
    async def page(name: str = "index.html") -> Response:
        if name not in known:
            return JSONResponse({"detail": "not found"}, 404)
        return Response((folder / name).read_bytes(), media_type=known[name], headers={"Cache-Control": "no-cache"})

    return router
