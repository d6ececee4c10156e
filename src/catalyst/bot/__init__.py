"""A client of the service: `FilingsClient` follows the stream, resumes, and calls your handlers. See `client.py`."""

from catalyst.bot.checkpoint import Checkpoint, MemoryCheckpoint, SqliteCheckpoint
from catalyst.bot.client import FilingsClient, Message, Start
from catalyst.bot.past import Wanted

__all__ = ["Checkpoint", "FilingsClient", "MemoryCheckpoint", "Message", "SqliteCheckpoint", "Start", "Wanted"]
