"""What handlers are given, and the one whose messages are written several at a time: `Entry`.

A burst of alerts would wait for one commit each. `Entry` hands each message's work to the database and goes on; the
database writes what came together in one commit. Each work says which place in the log it follows: where one could not
be written, none after it is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from catalyst.bot.checkpoint import Checkpoint, Place, Work
from catalyst.stream.types import Alert

MOST = 256
"""Messages that are being written at once."""


@dataclass(frozen=True, slots=True)
class Message:
    """One alert as it arrived. `raw` is the flat message."""

    seq: int
    alert: Alert
    replay: bool
    raw: dict[str, Any]


Handler = Callable[[Message], Awaitable[Work | None]]
"""May return work that the checkpoint's database does in the transaction that marks the message."""


class HandlerFailed(Exception):
    """Carries a handler's error, which may be of the same kind as the network's, past the reconnecting."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        super().__init__(str(error))


async def handled(handler: Handler, message: Message) -> Work | None:
    """What the handler returns. Raises HandlerFailed."""
    try:
        return await handler(message)
    except Exception as error:
        raise HandlerFailed(error) from error


class Entry:
    """Asks `decide`, writes its work, calls `then`; `on_failure` is called when a write fails."""

    def __init__(self, name: str, decide: Handler, then: Callable[[Message], None], checkpoint: Checkpoint) -> None:
        self._name = name
        self._decide = decide
        self._then = then
        self._checkpoint = checkpoint
        self._writing: deque[asyncio.Task[None]] = deque()
        self.on_failure: Callable[[], object] = lambda: None

    async def take(self, key: str, message: Message, before: Place | None, after: Place | None) -> None:
        """Begin to write the message, which leads from place `before` to `after` (None: to no new place)."""
        work = await handled(self._decide, message)
        while self._writing and (len(self._writing) >= MOST or self._writing[0].done()):
            await self._first()
        task = asyncio.create_task(self._write(key, message, work, before, after))
        self._writing.append(task)
        await asyncio.sleep(0)  # the task hands its work over now: the database keeps the order

    async def written(self) -> None:
        """Until all is on disk. Raises the first failure."""
        while self._writing:
            await self._first()

    async def _first(self) -> None:
        try:
            await asyncio.shield(self._writing[0])
        except Exception as error:
            self._writing.clear()
            raise HandlerFailed(error) from error
        self._writing.popleft()

    async def _write(
        self, key: str, message: Message, work: Work | None, before: Place | None, after: Place | None
    ) -> None:
        try:
            fresh = await self._checkpoint.enter(self._name, key, before, after, work)
        except Exception:
            self.on_failure()
            raise
        if fresh:
            self._then(message)
