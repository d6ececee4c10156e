"""The connection to a shared Redis: scripts and commands that wait out a hiccup, and failures in our words.

`Fence` is what every write carries: the lease's token, and how many writes this process knows to have happened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any

from catalyst.errors import Behind, Fenced, SettingsError, Unavailable

CONNECTIONS = 16
COMMAND_SECONDS = 5.0
"""The longest that one command may take."""

CONNECT_SECONDS = 2.0


@dataclass(slots=True)
class Fence:
    """The right to write. Token 0, without any lease ever taken, is the right of whoever runs alone."""

    token: int = 0
    writes: int = 0
    """Guarded writes known to have happened; a server that counts fewer has lost some."""

    def heard(self, writes: int) -> None:
        self.writes = max(self.writes, writes)


class Link:
    """One Redis database, and the prefix of our keys in it. `retries` is how often a broken command is tried again."""

    def __init__(self, url: str, prefix: str, *, retries: int = 6, command_seconds: float = COMMAND_SECONDS) -> None:
        from redis.asyncio import BlockingConnectionPool, Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import ExponentialBackoff
        from redis.exceptions import BusyLoadingError, ConnectionError, TimeoutError

        self.prefix = prefix
        try:
            # A burst waits for a connection instead of being refused.
            pool = BlockingConnectionPool.from_url(
                url,
                max_connections=CONNECTIONS,
                protocol=2,
                timeout=COMMAND_SECONDS,
                socket_timeout=command_seconds,
                socket_connect_timeout=CONNECT_SECONDS,
                retry=Retry(ExponentialBackoff(cap=0.5, base=0.01), retries),
                retry_on_error=[ConnectionError, TimeoutError, BusyLoadingError],
            )
        except ValueError as error:
            raise SettingsError(f"REDIS_URL: {error}") from None
        self._redis: Any = Redis.from_pool(pool)
        self._scripts: dict[str, Any] = {}

    async def call(self, *command: str | bytes | float) -> Any:
        """One command. Raises Unavailable."""
        return await _told(self._redis.execute_command(*command))

    async def calls(self, commands: Sequence[Sequence[str | bytes | float]]) -> list[Any]:
        """Several commands in one round trip. Raises Unavailable."""
        pipe = self._redis.pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(*command)
        return list(await _told(pipe.execute()))

    async def run(self, script: str, *arguments: str | bytes | float) -> Any:
        """A script over our prefix: ARGV[1] is the prefix, KEYS[1] the meta key. Raises Unavailable, Fenced, Behind."""
        held = self._scripts.get(script) or self._scripts.setdefault(script, self._redis.register_script(script))
        return await _told(held(keys=[f"{self.prefix}:meta"], args=[self.prefix, *arguments]))

    async def write(self, script: str, fence: Fence, *arguments: str | bytes | float) -> Any:
        """A guarded script: it carries the fence, and what it returns begins with the writes counted by then."""
        found = await self.run(script, fence.token, fence.writes, *arguments)
        fence.heard(int(found[0]))
        return found

    async def close(self) -> None:
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()


async def _told(asked: Awaitable[Any]) -> Any:
    """The answer, or its failure in our words."""
    from redis.exceptions import RedisError

    failure: Exception | None = None
    found = None
    try:
        found = await asked
    except (RedisError, OSError) as error:
        failure = _plain(error)
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        # The client library sometimes takes a cancellation for a broken connection, and goes on.
        raise asyncio.CancelledError
    if failure is not None:
        raise failure
    return found


def _plain(error: Exception) -> Exception:
    from redis.exceptions import AuthenticationError, OutOfMemoryError, ResponseError

    text = str(error)
    if isinstance(error, AuthenticationError):
        return SettingsError("Redis refuses us: REDIS_URL needs the right user and password")
    if isinstance(error, ResponseError) and "FENCED" in text:
        return Fenced("another process holds the lease: nothing was written here")
    if isinstance(error, ResponseError) and "BEHIND" in text:
        return Behind("Redis came back without its last writes: they are put back before anything else is written")
    if isinstance(error, OutOfMemoryError):
        return Unavailable("Redis has no memory left: raise maxmemory; nothing was written in part, and we go on then")
    kind = f"{type(error).__name__}: {text}"[:200]
    return Unavailable(f"Redis does not answer as it should ({kind}): check it; we go on as soon as it does")
