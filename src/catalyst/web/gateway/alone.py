"""The gateway without the rest of the service: `/v1`, health and metrics."""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from catalyst.clock import Clock, SystemClock
from catalyst.llm import LLMService
from catalyst.web.auth import Keys, check_exposure
from catalyst.web.bounds import Bounds, LocalHost
from catalyst.web.gateway.app import Gateway
from catalyst.web.gateway.settings import GatewaySettings
from catalyst.web.keybook import KeyBook
from catalyst.web.settings import WebSettings


@dataclass(frozen=True, slots=True)
class GatewayParts:
    """What the gateway needs to stand alone."""

    hub: LLMService | None
    settings: WebSettings = field(default_factory=WebSettings)
    gateway: GatewaySettings = field(default_factory=GatewaySettings)
    keys: KeyBook | None = None
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    clock: Clock = field(default_factory=SystemClock)


class _Alone(Starlette):
    """Starlette behind the gateway, which needs nothing of it: its layers are a fifth of what a cached answer costs."""

    front: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.front(scope, receive, send)

    async def rest(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, send)


def create_gateway(parts: GatewayParts) -> Starlette:
    """Build the application; `server.Server` runs it. Raises SettingsError where it would stand open to others."""
    keys = Keys.of(parts.settings.api_keys, parts.keys, parts.clock)
    check_exposure(parts.settings, keys)
    app = _Alone(routes=_routes(parts, keys), middleware=[Middleware(Bounds, body_bytes=parts.settings.body_bytes)])
    gateway = Gateway(
        app.rest, parts.hub, keys, parts.gateway, parts.clock, parts.registry, parts.settings.cors_origins
    )
    app.front = gateway if keys.needed else LocalHost(gateway, also=(parts.settings.host,))
    app.state.settings, app.state.runs = parts.settings, (keys.run,)
    return app


def _routes(parts: GatewayParts, keys: Keys) -> list[Route]:
    async def live(_: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(_: Request) -> Response:
        if parts.hub is None:
            return JSONResponse({"status": "not ready", "problems": ["no model provider is configured"]}, 503)
        return JSONResponse({"status": "ready", "problems": []})

    async def metrics(request: Request) -> Response:
        from catalyst.web.auth import requires

        await requires(keys, "read")(request)
        return Response(generate_latest(parts.registry), media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/health/live", live),
        Route("/health/ready", ready),
        Route("/health", ready),
        Route("/metrics", metrics),
    ]
