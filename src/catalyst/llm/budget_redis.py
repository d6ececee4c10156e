"""The purse of several machines: sums and open reservations in Redis, changed by one Lua script.

Operations that arrive together go in one call. A reservation holds a lease by the server's clock; when it ends, what
was marked sent is charged in full and the rest is released. Without Redis no money is spent: `reserve` refuses.
Amounts are nano-dollars: Lua's doubles are exact up to 9 million dollars.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from catalyst.errors import BudgetExceeded, StorageError
from catalyst.llm.budget import Alert, Claim, Reservation, Spent, Thresholds, refusal
from catalyst.llm.group import Group

if TYPE_CHECKING:
    from redis.asyncio import Redis

# KEYS: settled (hash), reserved (hash), open reservations (hash), leases (sorted set), alerts told (set)
# ARGV[1]: operations as JSON; [kind, id, ...] each. The reply is JSON: {results, sums, alerts}.
APPLY = """
local settled, reserved, open, leases, told = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local touched = {}
local function sum(hash, key) return tonumber(redis.call('HGET', hash, key) or '0') end
local function add(hash, key, amount)
  touched[key] = true
  redis.call('HINCRBY', hash, key, string.format('%.0f', amount))
end
local function finish(id, entry, cost)
  for _, key in ipairs(entry.scopes) do
    add(reserved, key, -entry.amount)
    add(settled, key, cost)
  end
  redis.call('HDEL', open, id)
  redis.call('ZREM', leases, id)
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now)) do
  local text = redis.call('HGET', open, id)
  if text then
    local entry = cjson.decode(text)
    finish(id, entry, entry.sent and entry.amount or 0)
  else
    redis.call('ZREM', leases, id)
  end
end
local results = {}
for i, op in ipairs(cjson.decode(ARGV[1])) do
  local kind, id = op[1], op[2]
  if kind == 'reserve' then
    local amount, at_least, seconds, scopes, limits = op[3], op[4], op[5], op[6], op[7]
    local blocking = 0
    for place, key in ipairs(scopes) do
      touched[key] = true
      local short = op[8][place] - sum(settled, key)
      if short > 0 then add(settled, key, short) end
      if limits[place] >= 0 then
        local left = limits[place] - sum(settled, key) - sum(reserved, key)
        if left < at_least then blocking = place break end
        amount = math.min(amount, left)
      end
    end
    if blocking == 0 then
      for _, key in ipairs(scopes) do add(reserved, key, amount) end
      redis.call('HSET', open, id, cjson.encode({amount = amount, sent = false, scopes = scopes}))
      redis.call('ZADD', leases, now + seconds, id)
      results[i] = {1, amount}
    else
      results[i] = {0, blocking, sum(settled, scopes[blocking]), sum(reserved, scopes[blocking])}
    end
  else
    local text = redis.call('HGET', open, id)
    local entry = text and cjson.decode(text)
    if kind == 'sent' then
      if entry then
        entry.sent = true
        redis.call('HSET', open, id, cjson.encode(entry))
      end
      results[i] = {entry and 1 or 0}
    else
      if entry then finish(id, entry, op[3]) end
      results[i] = {entry and 1 or 0}
    end
  end
end
local sums, alerts = {}, {}
for key in pairs(touched) do
  sums[#sums + 1] = {key, sum(settled, key), sum(reserved, key)}
  for _, rule in ipairs({{'day/', 'daily', tonumber(ARGV[2])}, {'month/', 'monthly', tonumber(ARGV[3])}}) do
    if rule[3] > 0 and string.sub(key, 1, #rule[1]) == rule[1] and sum(settled, key) >= rule[3] then
      if redis.call('SADD', told, rule[2] .. ' ' .. key) == 1 then alerts[#alerts + 1] = {key, rule[2], rule[3]} end
    end
  end
end
local reply = {}
for _, row in ipairs(sums) do
  reply[#reply + 1] = string.format('s\\t%s\\t%.0f\\t%.0f', row[1], row[2], row[3])
end
for _, row in ipairs(alerts) do reply[#reply + 1] = string.format('a\\t%s\\t%s\\t%.0f', row[1], row[2], row[3]) end
for _, row in ipairs(results) do
  local parts = {}
  for place, value in ipairs(row) do parts[place] = string.format('%.0f', value) end
  reply[#reply + 1] = 'r\\t' .. table.concat(parts, '\\t')
end
return reply
"""


@dataclass(frozen=True, slots=True)
class _Op:
    kind: str
    id: str
    claim: Claim | None = None
    cost: int = 0

    def wire(self, last: Mapping[str, Spent]) -> list[Any]:
        """As the script takes it, with what we know was settled: a Redis that lost its data learns it again."""
        if self.claim is None:
            return [self.kind, self.id, self.cost]
        claim = self.claim
        return [
            self.kind,
            self.id,
            claim.amount,
            claim.at_least,
            claim.seconds,
            [scope.key for scope in claim.scopes],
            [scope.limit for scope in claim.scopes],
            [last[scope.key].settled if scope.key in last else 0 for scope in claim.scopes],
        ]


class RedisBudget:
    """See `budget.Budget`."""

    def __init__(self, redis: Redis, thresholds: Thresholds, prefix: str = "catalyst:{hub}:budget") -> None:
        self._redis = redis
        self._script: Any = redis.register_script(APPLY)
        self._thresholds = thresholds
        self._keys = [f"{prefix}:{name}" for name in ("settled", "reserved", "open", "leases", "told")]
        self._owner = uuid.uuid4().hex
        self._numbers = itertools.count(1)
        self._group: Group[_Op] = Group(self._apply, self._undo, name="budget")
        self.last: dict[str, Spent] = {}
        """Sums as the last script left them, for metrics and health."""

    async def start(self) -> None:
        """Settle ended leases. Raises StorageError."""
        await self._apply([])

    async def reserve(self, claim: Claim) -> Reservation:
        op = _Op("reserve", f"{self._owner}:{next(self._numbers)}", claim)
        answer = await self._called(op)
        if answer[0] == 1:
            return Reservation(op.id, answer[1], claim.scopes)
        scope = claim.scopes[answer[1] - 1]
        raise refusal(scope, Spent(answer[2], answer[3]), claim.at_least)

    async def sent(self, reservation: Reservation) -> None:
        answer = await self._called(_Op("sent", reservation.id))
        if answer[0] != 1:
            reservation.open = False
            raise BudgetExceeded("the reservation's lease ended before the call went out: try again")

    def settle(self, reservation: Reservation, cost: int) -> None:
        if reservation.open:
            reservation.open = False
            self._group.post(_Op("settle", reservation.id, cost=cost))

    async def spent(self, keys: Sequence[str]) -> Mapping[str, Spent]:
        await self._group.flush()
        await self._apply([])
        if not keys:
            return {}
        from redis.exceptions import RedisError

        try:
            settled = await self._redis.hmget(self._keys[0], list(keys))
            reserved = await self._redis.hmget(self._keys[1], list(keys))
        except (RedisError, OSError) as error:
            raise StorageError(f"the budget's Redis does not answer: {error}") from error
        return {key: Spent(int(one or 0), int(two or 0)) for key, one, two in zip(keys, settled, reserved, strict=True)}

    async def close(self) -> None:
        await self._group.close()

    async def _called(self, op: _Op) -> list[int]:
        try:
            answer: list[int] = await self._group.call(op)
        except StorageError as error:
            raise BudgetExceeded(
                f"the budget cannot be read, so no money is spent ({error}); start Redis, then try again"
            ) from error
        return answer

    def _undo(self, op: _Op, result: Any) -> None:
        if op.kind == "reserve" and result is not None and result[0] == 1:
            self._group.post(_Op("settle", op.id))

    async def _apply(self, ops: Sequence[_Op]) -> Sequence[list[int]]:
        from redis.exceptions import RedisError

        arguments = [orjson.dumps([op.wire(self.last) for op in ops]), self._thresholds.daily, self._thresholds.monthly]
        try:
            reply = await self._script(keys=self._keys, args=arguments)
        except (RedisError, OSError) as error:
            raise StorageError(f"the budget's Redis does not answer: {error}") from error
        results = []
        for line in reply:
            kind, *fields = line.decode().split("\t")
            if kind == "s":
                before = self.last.get(fields[0])
                known = before.settled if before is not None else 0
                self.last[fields[0]] = Spent(max(known, int(fields[1])), int(fields[2]))
            elif kind == "r":
                results.append([int(field) for field in fields])
            else:
                daily = fields[1] == "daily"
                alert = Alert(fields[0], "daily" if daily else "monthly", int(fields[2]))
                self._thresholds.tell(alert, self.last[alert.key].settled)
        return results
