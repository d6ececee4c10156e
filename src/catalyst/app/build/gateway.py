"""The gateway that `catalyst gateway` runs: the hub, the keys, and nothing of filings."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from prometheus_client import CollectorRegistry

from catalyst.app.build.hub import hub
from catalyst.app.settings import Settings
from catalyst.app.traces import tracing
from catalyst.web.gateway.alone import GatewayParts, create_gateway
from catalyst.web.keybook import KeyBook
from catalyst.web.server import Server

KEYS = "keys.db"
"""The book of keys, in the data folder."""


@contextlib.asynccontextmanager
async def gateway(settings: Settings, data_dir: Path) -> AsyncIterator[Server]:
    """A server of `/v1` over the hub of `data_dir`; closed at the end."""
    registry = CollectorRegistry()
    with tracing(settings.traces) as tracer, contextlib.closing(KeyBook(data_dir / KEYS)) as keys:
        async with hub(settings, data_dir, registry, tracer=tracer) as llm:
            if llm is not None:
                await llm.start()
            parts = GatewayParts(llm, settings.web, settings.gateway, keys, registry)
            yield Server(create_gateway(parts), settings.web.host, settings.web.port)
