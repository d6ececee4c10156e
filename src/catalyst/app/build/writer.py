"""The writer over the hub: `catalyst write` and the routes under /writer use it."""

from __future__ import annotations

from catalyst.app.build.prompts import prompts
from catalyst.app.settings import Settings
from catalyst.clock import SystemClock
from catalyst.writer import WriterService
from catalyst.writer.service import Hub


def writer(settings: Settings, hub: Hub | None) -> WriterService:
    """A writer on the machine's clock; without a hub its drafts are minimal."""
    return WriterService(hub, prompts(settings), SystemClock(), zone=settings.hub.zone)
