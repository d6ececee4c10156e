"""Tenants' windows in Redis, exact across processes: admission times and one line of waiters per tenant, held by Lua.

The server's own clock counts, so machines whose clocks differ agree; it never runs back within a list. A waiter's
place names its owner, when it came and when it gives up; an owner that does not ask for `LEASE` seconds has died, and
its places are dropped.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import structlog

from catalyst.llm.limits import LocalWindows, Spans

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = structlog.get_logger()

LEASE = 5.0
"""Seconds without a question after which a process' places in all lines are dropped."""

POLL = 1.0
"""Seconds between the questions of a process' first waiter of a tenant."""

TAKE = """
local times, line, owners = KEYS[1], KEYS[2], KEYS[3]
local owner, place, mine, patience, lease = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local now = redis.call('TIME')
local real = tonumber(now[1]) + tonumber(now[2]) / 1000000
local size, t = redis.call('LLEN', times), real
if size > 0 then t = math.max(t, tonumber(redis.call('LINDEX', times, -1))) end

local ahead, since = 0, math.huge
if mine ~= '' then since = tonumber(string.match(mine, '^%x+:%d+:([%d.]+):')) end
if redis.call('EXISTS', line) == 1 then
  redis.call('ZADD', owners, real + lease, owner)
  local alive = {}
  for _, other in ipairs(redis.call('ZRANGE', line, 0, -1)) do
    local whose, came, till = string.match(other, '^(%x+):%d+:([%d.]+):([%d.]+)$')
    if alive[whose] == nil then alive[whose] = tonumber(redis.call('ZSCORE', owners, whose) or 0) >= real end
    if other == mine or tonumber(came) > since then break end
    if alive[whose] and tonumber(till) >= real then ahead = ahead + 1 else redis.call('ZREM', line, other) end
  end
end

local moments, longest, most_kept = {}, 0, 0
for number = 0, ahead do
  local moment = t
  if number > 0 then moment = math.max(t, moments[number]) end
  for i = 6, #ARGV, 2 do
    local most, span = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
    longest, most_kept = math.max(longest, span), math.max(most_kept, most)
    local before = false
    if number < most then
      if size >= most - number then before = tonumber(redis.call('LINDEX', times, -(most - number))) end
    else
      before = moments[number - most + 1]
    end
    if before then moment = math.max(moment, before + span) end
  end
  moments[number + 1] = moment
end
local wait = moments[ahead + 1] - t
if wait > 0 then
  if wait <= patience then
    if mine == '' then mine = string.format('%s:%s:%.6f:%.6f', owner, place, real, real + patience + 1) end
    redis.call('ZADD', line, string.match(mine, '^%x+:%d+:([%d.]+):'), mine)
    redis.call('ZADD', owners, real + lease, owner)
    redis.call('ZREMRANGEBYSCORE', owners, '-inf', real - 60)
    redis.call('EXPIRE', line, math.ceil(patience + 400))
    redis.call('EXPIRE', owners, 400)
  end
  return {string.format('%.6f', math.max(wait, 0.000001)), mine}
end
if mine ~= '' then redis.call('ZREM', line, mine) end
redis.call('RPUSH', times, string.format('%.6f', t))
redis.call('LTRIM', times, -most_kept, -1)
redis.call('EXPIRE', times, math.ceil(longest) + 1)
return {'0', ''}
"""


class RedisWindows:
    """Moving windows shared by every process that uses this Redis; while it is away, this process counts alone."""

    poll = POLL

    def __init__(self, redis: Redis, alone: LocalWindows, prefix: str = "catalyst:{hub}") -> None:
        self._redis: Any = redis
        self._take: Any = redis.register_script(TAKE)
        self._alone = alone
        self._prefix = prefix
        self._owner = uuid.uuid4().hex
        self._held: dict[int, str] = {}
        """What Redis calls the places of ours in its lines."""
        self._leaving: set[asyncio.Task[None]] = set()

    async def take(self, tenant: str, spans: Spans, ahead: int, place: int = 0, patience: float = -1.0) -> float:
        """See `Windows`. Who is ahead is read from the line that all processes share."""
        from redis.exceptions import RedisError

        keys = [f"{self._prefix}:tenant:{tenant}", self._line(tenant), f"{self._prefix}:owners"]
        arguments: list[float | str] = [self._owner, place, self._held.get(place, ""), patience, LEASE]
        arguments += [value for span in spans for value in span]
        try:
            found, held = await self._take(keys=keys, args=arguments)
        except (RedisError, OSError) as error:
            log.warning("limits.alone", error=type(error).__name__)
            return await self._alone.take(tenant, spans, ahead)
        wait = float(found)
        if wait <= 0:
            self._held.pop(place, None)
            self._alone.note(tenant, spans)
        elif held:
            self._held[place] = held.decode()
        return wait

    def leave(self, tenant: str, place: int) -> None:
        """Take a place out of the line; should Redis not hear it, it ends by itself with the waiter's patience."""
        held = self._held.pop(place, None)
        if held is not None:
            task = asyncio.get_running_loop().create_task(self._forget(self._line(tenant), held))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    def _line(self, tenant: str) -> str:
        return f"{self._prefix}:line:{tenant}"

    async def _forget(self, line: str, held: str) -> None:
        from redis.exceptions import RedisError

        try:
            await self._redis.zrem(line, held)
        except (RedisError, OSError) as error:
            log.warning("limits.place.kept", error=type(error).__name__)
