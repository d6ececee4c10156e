"""A client of the service: `FilingsClient` follows the stream, resumes, and calls your handlers. See `client.py`.

On it stands the bot that tells alerts on Discord: read `room.py`, then `desk.py` (who gets what), `lane.py` (how).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catalyst.bot.checkpoint import Checkpoint, MemoryCheckpoint, SqliteCheckpoint
    from catalyst.bot.client import FilingsClient, Message, Start
    from catalyst.bot.past import Wanted

_PLACES = {
    "Checkpoint": "checkpoint",
    "FilingsClient": "client",
    "MemoryCheckpoint": "checkpoint",
    "Message": "client",
    "SqliteCheckpoint": "checkpoint",
    "Start": "client",
    "Wanted": "past",
}


def __getattr__(name: str) -> Any:
    """On first use, so that reading the bot's settings loads no network library."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"catalyst.bot.{_PLACES[name]}"), name)


__all__ = ["Checkpoint", "FilingsClient", "MemoryCheckpoint", "Message", "SqliteCheckpoint", "Start", "Wanted"]
