"""Tenants' windows in Redis, exact across processes: one list of admission times per tenant, read and added by Lua.

The server's own clock counts, so machines whose clocks differ agree; it never runs back within a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from catalyst.llm.limits import LocalWindows, Spans

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = structlog.get_logger()

TAKE = """
local now = redis.call('TIME')
local t = tonumber(now[1]) + tonumber(now[2]) / 1000000
local size = redis.call('LLEN', KEYS[1])
if size > 0 then t = math.max(t, tonumber(redis.call('LINDEX', KEYS[1], -1))) end
local ahead, moments, longest, most_kept = tonumber(ARGV[1]), {}, 0, 0
for place = 0, ahead do
  local moment = t
  if place > 0 then moment = math.max(t, moments[place]) end
  for i = 2, #ARGV, 2 do
    local most, span = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
    longest, most_kept = math.max(longest, span), math.max(most_kept, most)
    local before = false
    if place < most then
      if size >= most - place then before = tonumber(redis.call('LINDEX', KEYS[1], -(most - place))) end
    else
      before = moments[place - most + 1]
    end
    if before then moment = math.max(moment, before + span) end
  end
  moments[place + 1] = moment
end
local wait = moments[ahead + 1] - t
if wait > 0 or ahead > 0 then return string.format('%.6f', math.max(wait, 0.000001)) end
redis.call('RPUSH', KEYS[1], string.format('%.6f', t))
redis.call('LTRIM', KEYS[1], -most_kept, -1)
redis.call('EXPIRE', KEYS[1], math.ceil(longest) + 1)
return '0'
"""


class RedisWindows:
    """Moving windows shared by every process that uses this Redis; while it is away, this process counts alone."""

    def __init__(self, redis: Redis, alone: LocalWindows, prefix: str = "catalyst:{hub}") -> None:
        self._take: Any = redis.register_script(TAKE)
        self._alone = alone
        self._prefix = prefix

    async def take(self, tenant: str, spans: Spans, ahead: int) -> float:
        """See `Windows`."""
        from redis.exceptions import RedisError

        arguments: list[float] = [ahead, *(value for span in spans for value in span)]
        try:
            wait = float(await self._take(keys=[f"{self._prefix}:tenant:{tenant}"], args=arguments))
        except (RedisError, OSError) as error:
            log.warning("limits.alone", error=type(error).__name__)
            return await self._alone.take(tenant, spans, ahead)
        if wait <= 0 and not ahead:
            self._alone.note(tenant, spans)
        return wait
