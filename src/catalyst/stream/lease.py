"""Exactly one process watches: a lease in Redis that must be renewed, and a token that makes a stale holder harmless.

The lease alone proves nothing: a process that was stopped for a minute believes that it holds it still. So each taking
of it draws a higher token, every write carries it (`redis_link.Fence`), and Redis refuses a lower one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from catalyst.clock import Clock, SystemClock
from catalyst.errors import Behind, Unavailable
from catalyst.stream.redis_link import Fence, Link

TTL_SECONDS = 6.0
"""A holder that died is replaced after so long; one that cannot renew stops before."""

TAKE = """
local lease, meta = ARGV[1] .. ':lease', ARGV[1] .. ':meta'
local holder = redis.call('GET', lease)
if holder and holder ~= ARGV[2] then return {0, 0, holder} end
local now = redis.call('TIME')
-- By the clock, so that a token is not drawn twice where Redis lost its newest one.
local token = math.max(tonumber(redis.call('HGET', meta, 'fence') or 0) + 1, now[1] * 1000000 + now[2])
redis.call('SET', lease, ARGV[2], 'PX', ARGV[3])
redis.call('HSET', meta, 'fence', string.format('%.0f', token))
return {token, tonumber(redis.call('HGET', meta, 'writes') or 0), ''}
"""

RENEW = """
local lease, meta = ARGV[1] .. ':lease', ARGV[1] .. ':meta'
if redis.call('GET', lease) ~= ARGV[2] or redis.call('HGET', meta, 'fence') ~= ARGV[3] then return 0 end
return redis.call('PEXPIRE', lease, ARGV[4])
"""

RELEASE = """
local lease = ARGV[1] .. ':lease'
if redis.call('GET', lease) == ARGV[2] then return redis.call('DEL', lease) end
return 0
"""

log = structlog.get_logger()


class Lease:
    """The right to watch. `owner` is the same after a restart of the same process, so that it need not wait for itself.

    Nobody else may run under that name: the lock of the data folder sees to it.
    """

    def __init__(
        self, link: Link, fence: Fence, owner: str, *, ttl: float = TTL_SECONDS, clock: Clock | None = None
    ) -> None:
        """`clock` must be a real one: the lease runs on Redis' clock."""
        self._link = link
        self._fence = fence
        self._owner = owner
        self._ttl = ttl
        self._clock = clock or SystemClock()
        self.held = False
        self.problem = ""
        """Why nobody here watches, in words, where that is not simply because another process does."""

    async def hold(self, work: Callable[[], Awaitable[None]]) -> None:
        """Until cancelled: take the lease when it is free, do `work` while it is held, and again.

        What `work` raises ends this, but for Unavailable and its kinds: then the lease is taken anew.
        """
        while True:
            again = False
            try:
                if await self._take():
                    again = await self._while_held(work)
            except (Unavailable, TimeoutError) as error:
                self._trouble(error)
            finally:
                self.held = False
            if not again:
                await self._clock.sleep(self._ttl / 6)

    async def release(self) -> None:
        """Let the next one in at once. Never raises for a Redis that is away."""
        with contextlib.suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(1.0):
                await self._link.run(RELEASE, self._owner)

    async def _take(self) -> bool:
        async with asyncio.timeout(self._ttl):
            token, writes, _ = await self._link.run(TAKE, self._owner, int(self._ttl * 1000))
        if not token:
            self.problem = ""
            return False
        self._fence.token, self._fence.writes = int(token), int(writes)
        self.held, self.problem = True, ""
        log.info("lease.taken", token=int(token))
        return True

    async def _while_held(self, work: Callable[[], Awaitable[None]]) -> bool:
        """True when it is to be taken again at once: Redis lost writes, and the next turn puts them back."""
        working = asyncio.ensure_future(work())
        renewing = asyncio.create_task(self._renew())
        try:
            await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (working, renewing):
                task.cancel()
            await asyncio.gather(working, renewing, return_exceptions=True)
        if working.cancelled() or (error := working.exception()) is None:
            return False
        plain = _plain(error)
        if not isinstance(plain, Unavailable):
            raise plain
        self._trouble(plain)
        return isinstance(plain, Behind)

    async def _renew(self) -> None:
        """Return when the lease is lost, or might be."""
        sure_until = self._clock.monotonic() + self._ttl
        while True:
            await self._clock.sleep(self._ttl / 3)
            asked = self._clock.monotonic()
            try:
                async with asyncio.timeout(max(0.05, sure_until - asked)):
                    renewed = await self._link.run(RENEW, self._owner, self._fence.token, int(self._ttl * 1000))
            except (Unavailable, TimeoutError) as error:
                if self._clock.monotonic() >= sure_until:
                    log.warning("lease.not_renewed", error=str(error))
                    return
                continue
            if not renewed:
                log.warning("lease.lost")
                return
            sure_until = asked + self._ttl

    def _trouble(self, error: Exception) -> None:
        text = str(error) or "Redis does not answer in time"
        if self.problem != text:
            log.warning("lease.trouble", error=text)
        self.problem = text


def _plain(error: BaseException) -> BaseException:
    """The first failure inside task groups: one that means waiting before one that ends everything only if alone."""
    while isinstance(error, BaseExceptionGroup):
        inner = list(error.exceptions)
        error = next((one for one in inner if not isinstance(one, Unavailable)), inner[0])
    return error
