"""In which order a request tries its targets: retries with backoff, fallbacks, and waiting for one to come back."""

from __future__ import annotations

from collections import deque

import structlog

from catalyst.clock import Clock
from catalyst.errors import BudgetExceeded, LLMRateLimitError, LLMServiceError, ProviderError, QuotaExceeded
from catalyst.llm.breaker import Breaker
from catalyst.llm.metrics import HubMetrics
from catalyst.llm.quotas import FreeQuotas
from catalyst.llm.retry import Backoff
from catalyst.llm.router import Route, Router, Target
from catalyst.llm.trail import CircuitBusy, Trail, outcome_of
from catalyst.llm.types import Attempt, Outcome

LEAST_SECONDS = 0.05
"""With less than this left, no further attempt begins."""

PATIENCE = 2.0
"""Seconds that a retry may wait at one target while another one is free."""

log = structlog.get_logger()


class Walk:
    """`next` says where to try; `failed` says how that went. One per request."""

    def __init__(
        self,
        trail: Trail,
        *,
        router: Router,
        breaker: Breaker,
        quotas: FreeQuotas,
        metrics: HubMetrics,
        clock: Clock,
        backoff: Backoff,
    ) -> None:
        self._trail = trail
        self._router = router
        self._breaker = breaker
        self._quotas = quotas
        self._metrics = metrics
        self._clock = clock
        self._backoff = backoff
        self._queue: deque[Target] = deque()
        self._route: Route | None = None
        self._seen: set[str] = set()
        self._current: Target | None = None
        self._retry = 0

    async def next(self) -> Target | None:
        """The target to try now; None when there is none left, or no time."""
        if self._left() < LEAST_SECONDS:
            return None
        if self._current is not None and self._current.name not in self._trail.left:
            self._retry += 1
            if not self._breaker.of(self._current.name).blocked():
                return self._current
            self._trail.left.add(self._current.name)
        self._retry = 0
        self._current = await self._another()
        return self._current

    async def failed(self, error: LLMServiceError) -> None:
        """The current target failed: wait for its retry, or leave it."""
        target = self._current
        assert target is not None
        if isinstance(error, CircuitBusy):
            self._current = None
            return
        self._trail.errors.append(error)
        if isinstance(error, BudgetExceeded | QuotaExceeded):
            self._skipped(target, str(error)[:300])
        else:
            outcome = outcome_of(error).value
            log.info(
                "provider.failed", request=self._trail.job.id, target=target.name, outcome=outcome, retry=self._retry
            )
        wait = self._backoff.wait(self._retry, error) if isinstance(error, ProviderError) and error.retryable else None
        if isinstance(error, LLMRateLimitError):
            asked = error.after if error.after is not None else wait
            self._breaker.of(target.name).cool(asked if asked is not None else self._backoff.delay)
        if wait is None or not self._worth(target, wait):
            self._trail.left.add(target.name)
            self._metrics.fallbacks.inc()
            return
        self._metrics.retries.inc()
        await self._clock.sleep(wait)

    async def _another(self) -> Target | None:
        while True:
            while self._queue:
                target = self._queue.popleft()
                if target.name not in self._trail.left and not self._breaker.of(target.name).blocked():
                    return target
            if self._route is not None and not await self._came_back(self._route):
                return None
            await self._quotas.sync()
            self._route = route = self._router.route(self._trail.job, self._clock.now())
            if not self._trail.route:
                self._trail.route = route.reason
                self._router.decided(route, self._trail.job.id)
            for target, reason in route.skipped:
                if target.name not in self._trail.left:
                    self._skipped(target, reason)
            fresh = [target for target in route.targets if target.name not in self._trail.left]
            self._queue.extend(fresh if self._trail.job.request.fallback_on_error else fresh[:1])

    async def _came_back(self, route: Route) -> bool:
        """Wait for a target that was skipped or rate limited and may be free in time; False where there is none."""
        if self._trail.left and not self._trail.job.request.fallback_on_error:
            return False
        waits = [
            self._router.skip(self._trail.job, target, self._clock.now())[1]
            for target in (*route.targets, *(target for target, _ in route.skipped))
            if target.name not in self._trail.left
        ]
        wait = min(waits, default=float("inf"))
        if wait + LEAST_SECONDS >= self._left():
            return False
        await self._clock.sleep(wait + 0.001)
        return True

    def _skipped(self, target: Target, reason: str) -> None:
        if target.name in self._seen:
            return
        self._seen.add(target.name)
        self._metrics.skipped.labels(target.model.provider).inc()
        self._trail.records.append(Attempt(target.model.provider, target.model.name, Outcome.SKIPPED, detail=reason))

    def _worth(self, target: Target, wait: float) -> bool:
        """Whether waiting for this target beats going on to another one."""
        if self._retry >= self._trail.job.retries or wait + LEAST_SECONDS >= self._left():
            return False
        if wait <= PATIENCE or not self._trail.job.request.fallback_on_error:
            return True
        return all(other.name in self._trail.left or other is target for other in self._queue)

    def _left(self) -> float:
        return self._trail.job.deadline - self._clock.monotonic()
