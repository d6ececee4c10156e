"""How the service is: `/api/status` in words and numbers, `/health…` for whoever restarts it, `/metrics` to scrape."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson
from fastapi import APIRouter, Depends, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import generate_latest
from pydantic import BaseModel, ConfigDict

from catalyst import __version__
from catalyst.clock import Clock
from catalyst.stream.log import Archive
from catalyst.web.errors import ANSWERS
from catalyst.web.fanout import Fanout
from catalyst.web.metrics import WebMetrics

Status = Callable[[], Mapping[str, Any] | Awaitable[Mapping[str, Any]]]
"""What the other rooms say of themselves, by room: JSON-able, at once or after a look at their databases."""

Problems = Callable[[], Sequence[str]]
"""Why the service should get no traffic now, in words; empty when it is ready."""


class StreamStatus(BaseModel):
    """The log and who follows it."""

    epoch: str
    oldest: int
    head: int
    pos: int
    """Everything up to here was written to the live clients."""
    clients: int


class Overview(BaseModel):
    """What the service says of itself; each room that runs adds its own under its name: `edgar`, `alerts`, `money`."""

    model_config = ConfigDict(extra="allow")

    version: str
    uptime_s: float
    problems: list[str]
    stream: StreamStatus


class Health(BaseModel):
    """`ok` or `unavailable`, with the reasons."""

    status: str
    problems: list[str] = []


_METRICS: dict[int | str, dict[str, Any]] = {
    **ANSWERS,
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
}


def status_router(
    log: Archive, fanout: Fanout, metrics: WebMetrics, clock: Clock, status: Status, problems: Problems, reader: Any
) -> APIRouter:
    """The routes; `reader` is the dependency that checks the caller's key."""
    router = APIRouter(tags=["status"])
    started = clock.monotonic()

    @router.get("/api/status", dependencies=[Depends(reader)], responses={200: {"model": Overview}, **ANSWERS})
    async def overview() -> Response:
        """Everything worth knowing at a glance."""
        oldest, head = await log.bounds()
        stream = {"epoch": log.epoch, "oldest": oldest, "head": head, "pos": fanout.pos, "clients": fanout.clients}
        uptime = round(clock.monotonic() - started, 3)
        found = {"version": __version__, "uptime_s": uptime, "problems": list(problems()), "stream": stream}
        rooms = status()
        return _json({**(await rooms if isinstance(rooms, Awaitable) else rooms), **found})

    @router.get("/health/live", responses={200: {"model": Health}})
    async def live() -> Response:
        """200 while the process answers at all."""
        return _json({"status": "ok"})

    @router.get("/health/ready", responses={200: {"model": Health}, 503: {"model": Health}})
    @router.get("/health", responses={200: {"model": Health}, 503: {"model": Health}})
    async def ready() -> Response:
        """200 when filings flow and clients can be served; else 503 with the reasons."""
        found = list(problems()) + ([] if fanout.started.is_set() else ["the stream is starting"])
        return _json({"status": "unavailable" if found else "ok", "problems": found}, 503 if found else 200)

    @router.get("/metrics", dependencies=[Depends(reader)], responses=_METRICS, response_class=PlainTextResponse)
    async def scrape() -> Response:
        """Prometheus text."""
        return Response(generate_latest(metrics.registry), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router


def _json(value: Any, status_code: int = 200) -> Response:
    return Response(orjson.dumps(value, default=str), status_code, media_type="application/json")
