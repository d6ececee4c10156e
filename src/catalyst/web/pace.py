"""`/api/metrics/latency`: from EDGAR's acceptance to the alert, and alerts by the minute, as the log itself tells.

Read from the log and not counted in memory: it holds over restarts, and in every process that serves one log.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import Counter, deque
from datetime import UTC, datetime

import orjson
from fastapi import APIRouter
from pydantic import BaseModel

from catalyst.stream.log import Archive
from catalyst.stream.types import AlertType, Record

MOST = 2048
"""Alerts looked at, the newest ones."""
BACK = 8192
"""Messages read for them at most."""
CHUNK = 512
MINUTES = 120
EDGES = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
"""Upper edges in seconds; what is above the last was held over night or found late."""


class Bucket(BaseModel):
    """Alerts that took at most `le_s` seconds and more than the bucket before; null: more than any."""

    le_s: float | None
    count: int


class Minute(BaseModel):
    """Alerts of one minute (UTC), by when the filing was told of."""

    minute: datetime
    alerts: int


class Pace(BaseModel):
    """Of the newest alerts."""

    count: int
    p50_s: float | None
    p95_s: float | None
    buckets: list[Bucket]
    minutes: list[Minute]
    """The last two hours that had alerts, oldest first; a minute without any is left out."""


class PaceBook:
    """Follows the log when it is asked, a chunk at a time."""

    def __init__(self, log: Archive) -> None:
        self._log = log
        self._epoch = ""
        self._pos = 0
        self._told: deque[tuple[datetime, float]] = deque(maxlen=MOST)
        self._turn = asyncio.Lock()

    async def shown(self) -> Pace:
        async with self._turn:
            await self._catch_up()
        delays = sorted(delay for _, delay in self._told)
        counts = Counter(bisect_left(EDGES, delay) for delay in delays)
        return Pace(
            count=len(delays),
            p50_s=_share(delays, 0.50),
            p95_s=_share(delays, 0.95),
            buckets=[Bucket(le_s=edge, count=counts[place]) for place, edge in enumerate((*EDGES, None))],
            minutes=self._minutes(),
        )

    async def _catch_up(self) -> None:
        oldest, head = await self._log.bounds()
        if self._log.epoch != self._epoch or head < self._pos:
            self._epoch, self._pos = self._log.epoch, 0
            self._told.clear()
        self._pos = max(self._pos, oldest - 1, head - BACK)
        while self._pos < head:
            records = await self._log.read(self._pos, CHUNK)
            if not records:
                return
            self._told.extend(told for told in map(_told, records) if told is not None)
            self._pos = records[-1].offset
            await asyncio.sleep(0)

    def _minutes(self) -> list[Minute]:
        counts = Counter(moment.replace(second=0, microsecond=0) for moment, _ in self._told)
        return [Minute(minute=minute, alerts=counts[minute]) for minute in sorted(counts)[-MINUTES:]]


def pace_router(log: Archive) -> APIRouter:
    """The route; keys are checked by whoever mounts it."""
    router, book = APIRouter(tags=["status"]), PaceBook(log)

    @router.get("/api/metrics/latency")
    async def latency() -> Pace:
        """Acceptance to alert: histogram, median and 95th percentile; alerts by the minute."""
        return await book.shown()

    return router


def _told(record: Record) -> tuple[datetime, float] | None:
    """When a filing was first told of and how long after its acceptance; None for updates and headlines."""
    if record.alert_type is not AlertType.FILING_ALERT:
        return None
    body = orjson.loads(record.body)
    if not body["accepted_at"]:
        return None
    made = datetime.fromisoformat(body["timestamp"]).astimezone(UTC)
    delay = (made - datetime.fromisoformat(body["accepted_at"])).total_seconds()
    return made, max(0.0, delay)


def _share(ordered: list[float], share: float) -> float | None:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3) if ordered else None
