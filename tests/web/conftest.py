"""Fixtures of the web room."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from catalyst.web.settings import WebSettings
from tests.web.service import QUICK, Service


@pytest.fixture
async def start(tmp_path: Path):
    """Start services, and stop them when the test ends."""
    async with contextlib.AsyncExitStack() as stack:

        async def starting(settings: WebSettings = QUICK, name: str = "log.db", **parts) -> Service:
            service = Service(tmp_path / name, settings, **parts)
            await service.start()
            stack.push_async_callback(service.stop)
            return service

        yield starting


@pytest.fixture
async def service(start) -> Service:
    return await start()
