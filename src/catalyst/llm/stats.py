"""What `get_stats` shows: calls, tokens, money and latency by provider, since the start or the last reset."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from catalyst.llm.trail import Trail
from catalyst.llm.types import Outcome

if TYPE_CHECKING:
    from catalyst.llm.assembly import Parts

RECENT = 1_000
"""Latencies that the percentiles are taken from."""


@dataclass(slots=True)
class _Sums:
    calls: int = 0
    failed: int = 0
    tokens_input: int = 0
    tokens_output: int = 0
    cost: Decimal = Decimal(0)

    def shown(self, latencies: deque[float]) -> dict[str, Any]:
        ordered = sorted(latencies)
        return {
            "calls": self.calls,
            "failed": self.failed,
            "tokens_input": self.tokens_input,
            "tokens_output": self.tokens_output,
            "cost_usd": self.cost,
            "p50_ms": ordered[len(ordered) // 2] if ordered else None,
            "p95_ms": ordered[int(len(ordered) * 0.95)] if ordered else None,
        }


class Stats:
    """Sums over attempts; `note` once per request."""

    def __init__(self, now: datetime) -> None:
        self.reset(now)

    def reset(self, now: datetime) -> None:
        self._since = now
        self._requests = 0
        self._retries = 0
        self._providers: dict[str, _Sums] = {}
        self._latencies: dict[str, deque[float]] = {}

    def note(self, trail: Trail) -> None:
        self._requests += 1
        self._retries += trail.retries
        for record in trail.records:
            if record.outcome is Outcome.SKIPPED:
                continue
            sums = self._providers.get(record.provider)
            if sums is None:
                sums = self._providers[record.provider] = _Sums()
                self._latencies[record.provider] = deque(maxlen=RECENT)
            sums.calls += 1
            sums.failed += record.outcome is not Outcome.OK
            sums.tokens_input += record.usage.input
            sums.tokens_output += record.usage.output
            sums.cost += record.cost_usd
            self._latencies[record.provider].append(record.latency_ms)

    def snapshot(self, parts: Parts) -> dict[str, Any]:
        by_provider = {name: sums.shown(self._latencies[name]) for name, sums in self._providers.items()}
        last = getattr(parts.attempts.budget, "last", {})
        now, periods = parts.clock.now(), parts.periods
        return {
            "monitor": {
                "by_provider": by_provider,
                "totals": {
                    "since": self._since,
                    "requests": self._requests,
                    "retries": self._retries,
                    "calls": sum(sums.calls for sums in self._providers.values()),
                    "cost_usd": sum((sums.cost for sums in self._providers.values()), Decimal(0)),
                },
                "periods": {key: last[key] for key in (periods.day(now), periods.month(now)) if key in last},
            },
            "cache": parts.cache.snapshot() if parts.cache is not None else None,
            "router": {"decisions": dict(parts.router.decisions), "circuits": parts.attempts.breaker.states()},
        }
