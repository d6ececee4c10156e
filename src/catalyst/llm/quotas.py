"""Free quotas of providers: requests a day, counted in the ledger so that they survive a restart, and a minute."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from catalyst.clock import Clock
from catalyst.errors import StorageError
from catalyst.llm.ledger import Ledger
from catalyst.llm.limits import Times
from catalyst.llm.models import Quota

SYNC_SECONDS = 30.0
"""How often the count of other processes is read."""


class FreeQuotas:
    """Ask `blocked` before a call and `count` each one."""

    def __init__(self, quotas: Mapping[str, Quota], clock: Clock, ledger: Ledger) -> None:
        self._quotas = {name: quota for name, quota in quotas.items() if quota.daily or quota.per_minute}
        self._zones = {name: ZoneInfo(quota.timezone) for name, quota in self._quotas.items()}
        self._clock = clock
        self._ledger = ledger
        self._day: dict[str, str] = {}
        self._used: dict[str, int] = {}
        self._minute = {name: Times(quota.per_minute) for name, quota in self._quotas.items() if quota.per_minute}
        self._read_at: dict[str, float] = {}

    def day(self, provider: str, now: datetime) -> str:
        """The provider's own day; empty where it has no daily quota."""
        quota = self._quotas.get(provider)
        return f"{now.astimezone(self._zones[provider]):%Y-%m-%d}" if quota is not None and quota.daily else ""

    def blocked(self, provider: str) -> str:
        """Why the quota allows no call just now; empty when it does."""
        quota = self._quotas.get(provider)
        if quota is None:
            return ""
        wait = self.ready_in(provider)
        if wait > 0:
            return f"{quota.per_minute} requests in this minute, free in {wait:.1f} s"
        left = quota.daily - self._used_today(provider)
        if quota.daily and left < quota.spare:
            paid = f"LLM_DAILY_QUOTAS={provider}=0 for a paid key"
            return f"{max(left, 0)} of {quota.daily} free requests left today ({paid})"
        return ""

    def ready_in(self, provider: str) -> float:
        """Seconds until the minute's window has room; 0 when it has."""
        times = self._minute.get(provider)
        oldest = times.back(times.size) if times is not None else None
        return max(0.0, oldest + 60.0 - self._clock.monotonic()) if oldest is not None else 0.0

    def count(self, provider: str) -> str:
        """Count one call; returns the quota day it belongs to, for its ledger row."""
        if provider not in self._quotas:
            return ""
        if provider in self._minute:
            self._minute[provider].add(self._clock.monotonic())
        self._used[provider] = self._used_today(provider) + 1
        return self._day[provider]

    async def sync(self) -> None:
        """Read what the ledger counted, other processes included; at most every half minute."""
        now = self._clock.monotonic()
        for provider in self._quotas:
            if now - self._read_at.get(provider, float("-inf")) < SYNC_SECONDS:
                continue
            self._read_at[provider] = now
            day = self.day(provider, self._clock.now())
            try:
                written = await self._ledger.calls_today(provider, day)
            except StorageError:
                continue
            self._used[provider] = max(self._used_today(provider), written)

    def left(self) -> dict[str, int]:
        """Requests left today, by provider."""
        daily = {name: quota.daily for name, quota in self._quotas.items() if quota.daily}
        return {name: max(0, most - self._used_today(name)) for name, most in daily.items()}

    def _used_today(self, provider: str) -> int:
        day = self.day(provider, self._clock.now())
        if self._day.get(provider) != day:
            self._day[provider], self._used[provider] = day, 0
            self._read_at.pop(provider, None)
        return self._used[provider]
