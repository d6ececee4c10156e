"""The ledger that several machines share: every row in one Redis stream, its sums in one hash a day.

Each machine also keeps its own rows in SQLite; what Redis did not take yet is sent with the next group.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from catalyst.errors import StorageError
from catalyst.llm.ledger import Row
from catalyst.llm.usage import By, UsageLine, line_of, ordered

if TYPE_CHECKING:
    from redis.asyncio import Redis

KEPT_ROWS = 1_000_000
"""Rows that the stream keeps, about; the sums stay."""

MOST_WAITING = 20_000
_SUMS = ("calls", "in", "out", "cached", "cost", "saved", "wasted", "retries", "ms")

_PLACES = {"in": 4, "out": 5, "cost": 6, "cached": 7, "saved": 8, "wasted": 9, "retries": 10, "ms": 11}

log = structlog.get_logger()


class SharedLedger:
    """Rows and sums of every machine on this Redis."""

    def __init__(self, redis: Redis, day: Callable[[float], str], prefix: str = "catalyst:{hub}:ledger") -> None:
        self._redis: Any = redis
        self._day = day
        self._prefix = prefix
        self._waiting: deque[Row] = deque(maxlen=MOST_WAITING)

    async def add(self, rows: Sequence[Row]) -> None:
        """Send rows in one round trip; those that Redis does not take wait for the next call. Never raises."""
        from redis.exceptions import RedisError

        self._waiting.extend(rows)
        sending = list(self._waiting)
        pipe = self._redis.pipeline(transaction=True)
        for row in sending:
            self._queue(pipe, row)
        try:
            await pipe.execute()
        except (RedisError, OSError) as error:
            log.warning("ledger.shared.failed", error=type(error).__name__, waiting=len(sending))
            return
        for _ in sending:
            self._waiting.popleft()

    async def calls_today(self, provider: str, day: str) -> int:
        """Calls of a provider on its quota day, of all machines. Raises StorageError."""
        found = await self._asked(self._redis.hget(f"{self._prefix}:quota", f"{provider} {day}"))
        return int(found or 0)

    async def report(self, by: By, since: str = "", until: str = "9999", tenant: str = "") -> list[UsageLine]:
        """See `usage.report`. Raises StorageError."""
        place = ("day", "provider", "model", "feature", "tenant")
        lines: dict[str, list[float]] = {}
        for name in sorted(await self._asked(self._redis.smembers(f"{self._prefix}:days"))):
            day = name.decode()
            if not since <= day <= until:
                continue
            for field, value in (await self._asked(self._redis.hgetall(f"{self._prefix}:day:{day}"))).items():
                *key, kind = orjson.loads(field)
                named = dict(zip((*place[1:], "outcome", "cache"), key, strict=True)) | {"day": day}
                if tenant and named["tenant"] != tenant:
                    continue
                named["day and model"] = f"{day} {named['provider']}/{named['model']}"
                line = f"{named['provider']}/{named['model']}" if by == "model" else named[by]
                _count(lines.setdefault(line, [0.0] * 12), named, kind, float(value))
        return ordered(by, [line_of(key, sums) for key, sums in lines.items()])

    def _queue(self, pipe: Any, row: Row) -> None:
        day = self._day(row.at)
        pipe.xadd(f"{self._prefix}:rows", {"row": orjson.dumps(asdict(row))}, maxlen=KEPT_ROWS, approximate=True)
        pipe.sadd(f"{self._prefix}:days", day)
        key = (row.provider, row.model, row.feature, row.tenant, row.outcome, row.cache_kind)
        for name, value in _values(row).items():
            if value:
                pipe.hincrby(f"{self._prefix}:day:{day}", orjson.dumps((*key, name)), value)
        if row.quota_day:
            pipe.hincrby(f"{self._prefix}:quota", f"{row.provider} {row.quota_day}", 1)

    async def _asked(self, answer: Any) -> Any:
        from redis.exceptions import RedisError

        try:
            return await answer
        except (RedisError, OSError) as error:
            raise StorageError(f"the ledger's Redis does not answer: {error}") from error


def _values(row: Row) -> dict[str, int]:
    wasted = 0 if row.outcome == "ok" else row.cost
    sums = (1, row.tokens_in, row.tokens_out, row.tokens_cached, row.cost, row.saved, wasted, row.retry > 0)
    return dict(zip(_SUMS, (*map(int, sums), round(row.latency_ms)), strict=True))


def _count(sums: list[float], named: Mapping[str, str], kind: str, value: float) -> None:
    """Add one sum to a line: calls, answered, failed, hits, in, out, cost, cached, saved, wasted, retries, latency."""
    if kind != "calls":
        sums[_PLACES[kind]] += value
        return
    hit, well = bool(named["cache"]), named["outcome"] == "ok"
    sums[0] += 0 if hit else value
    sums[1] += value if well and not hit else 0
    sums[2] += 0 if well else value
    sums[3] += value if hit else 0
