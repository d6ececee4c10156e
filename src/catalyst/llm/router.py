"""Choose where a request goes: complexity, then the row of the table, then the strategy; and say why.

Targets without a key are not targets. Those out of quota, too small, unpriced or open-circuited are skipped with a
reason; money is checked when it is reserved (`attempts`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from catalyst.errors import LLMModelError
from catalyst.llm.breaker import Breaker
from catalyst.llm.job import Job
from catalyst.llm.models import Catalog, Model
from catalyst.llm.prices import Prices
from catalyst.llm.quotas import FreeQuotas
from catalyst.llm.settings import Strategy
from catalyst.llm.structured import fields_of
from catalyst.llm.types import LLMRequest, Provider, Usage

log = structlog.get_logger()

_WORDS = re.compile(r"\b(analyze|extract|summarize|compare|evaluate|explain)\b", re.I)


@dataclass(frozen=True, slots=True)
class Target:
    """A model that a provider with a key serves."""

    model: Model
    provider: Provider

    @property
    def name(self) -> str:
        return f"{self.model.provider}/{self.model.name}"


@dataclass(frozen=True, slots=True)
class Route:
    """Targets in the order to try, the skipped ones with their reasons, and the decision in words."""

    targets: tuple[Target, ...]
    skipped: tuple[tuple[Target, str], ...]
    reason: str
    ready_in: float = 0.0
    """Where everything is skipped: seconds until the first target may be back (inf when none will)."""


def score(request: LLMRequest, schema: Mapping[str, object] | None, text: str, length: int) -> float:
    """How complex a request looks, 0 to 1. `text` is the question, `length` characters include the documents."""
    points = 0.4 if length > 2_000 else 0.2 if length > 500 else 0.0
    points += min(0.3, 0.1 * len({word.lower() for word in _WORDS.findall(text)}))
    points += 0.2 if fields_of(schema) > 5 else 0.0
    points += 0.1 if request.max_tokens > 2_048 else 0.0
    return round(points, 2)


def complexity_of(request: LLMRequest, points: float, threshold: float) -> str:
    """The tier of a request; one that was set explicitly stays."""
    if request.complexity != "auto":
        return request.complexity
    return "simple" if points < 0.3 else "medium" if points < threshold else "complex"


class Router:
    """`route` a job. `measured` feeds the performance strategy."""

    def __init__(
        self,
        catalog: Catalog,
        providers: Mapping[str, Provider],
        prices: Prices,
        breaker: Breaker,
        quotas: FreeQuotas,
        *,
        strategy: Strategy = "cost_optimized",
        random: Callable[[], float],
        local: tuple[str, int] | None = None,
    ) -> None:
        self._catalog = catalog
        self._providers = providers
        self._prices = prices
        self._breaker = breaker
        self._quotas = quotas
        self._strategy = strategy
        self._random = random
        self._local = local
        self._rows = {tier: self._row(names) for tier, names in catalog.routes.items()}
        self._latency: dict[str, float] = {}
        self._pins: dict[str, Target] = {}
        self.decisions: dict[str, int] = {}

    @property
    def has_targets(self) -> bool:
        return bool(self._providers)

    def measured(self, target: Target, seconds: float) -> None:
        """A call took this long; the mean forgets by a fifth."""
        before = self._latency.get(target.name, seconds)
        self._latency[target.name] = before + 0.2 * (seconds - before)

    def route(self, job: Job, now: datetime) -> Route:
        """Raises LLMModelError for a pinned model that is unknown, retired, or without a key."""
        if job.request.model:
            ordered, why = [self._pinned(job.request.model)], f"pinned to {job.request.model}"
        else:
            ordered, why = self._by_tier(job)
        return self._checked(job, ordered, why, now)

    def decided(self, route: Route, request: str) -> None:
        """Count the first route of the request of this id."""
        if route.targets:
            name = route.targets[0].name
            self.decisions[name] = self.decisions.get(name, 0) + 1
            log.debug("route.chosen", request=request, reason=route.reason)

    def _row(self, names: Sequence[tuple[str, int]]) -> tuple[tuple[Target, int], ...]:
        found = ((self._catalog.find(name), weight) for name, weight in names)
        return tuple((target, weight) for model, weight in found if (target := self._target(model)) is not None)

    def _target(self, model: Model) -> Target | None:
        provider = self._providers.get(model.provider)
        return None if provider is None else Target(model, provider)

    def _pinned(self, name: str) -> Target:
        held = self._pins.get(name)
        if held is not None:
            return held
        model = self._catalog.find(name)
        target = self._target(model)
        if target is None:
            raise LLMModelError(
                f"{name} is served by {model.provider}, which has no key: set {model.provider.upper()}_API_KEY",
                provider=model.provider,
                model=name,
            )
        if len(self._pins) < 1_000:
            self._pins[name] = target
        return target

    def _by_tier(self, job: Job) -> tuple[list[Target], str]:
        row = list(self._rows.get(job.complexity, ()))
        if not row:
            names = self._catalog.substitutes.get(job.complexity, ())
            row = [(target, 1) for name in names if (target := self._target(self._catalog.find(name))) is not None]
        why = f"{job.complexity} ({job.why}), {self._strategy}"
        last = self._target(self._catalog.find(self._catalog.last))
        if last is not None and all(target.model is not last.model for target, _ in row):
            row.append((last, 0))
        return self._with_local(job, row), why

    def _with_local(self, job: Job, row: list[tuple[Target, int]]) -> list[Target]:
        targets = [target for target, _ in row]
        if self._local is None or job.complexity not in ("simple", "medium") or job.length > self._local[1]:
            return self._ordered(job, row)
        local = self._target(self._catalog.find(self._local[0]))
        rest = self._ordered(job, row) if targets else []
        return [local, *rest] if local is not None else rest

    def _ordered(self, job: Job, row: list[tuple[Target, int]]) -> list[Target]:
        """The row with the strategy's choice first; a target without weight is last, whatever it costs."""
        rest = [target for target, weight in row if weight]
        last = [target for target, weight in row if not weight]
        ready = [target for target in rest if not self._breaker.of(target.name).blocked()] or rest
        if not ready:
            return last
        first = self._choice(job, ready, {target.name: weight for target, weight in row})
        return [first, *(target for target in rest if target is not first), *last]

    def _choice(self, job: Job, ready: list[Target], weights: Mapping[str, int]) -> Target:
        if self._strategy == "balanced":
            drawn = self._random() * sum(weights[target.name] for target in ready)
            for target in ready:
                drawn -= weights[target.name]
                if drawn < 0:
                    return target
            return ready[-1]
        if self._strategy == "performance":
            return min(ready, key=lambda target: self._latency.get(target.name, 0.0))
        return min(ready, key=lambda target: self._cost(job, target))

    def _cost(self, job: Job, target: Target) -> int:
        price = self._prices.find(target.model, job.now)
        usage = Usage(job.tokens, job.request.max_tokens)
        return price.cost(usage) if price is not None else 1 << 60

    def _checked(self, job: Job, ordered: list[Target], why: str, now: datetime) -> Route:
        targets, skipped, ready_in = [], [], float("inf")
        for target in ordered:
            reason, wait = self.skip(job, target, now)
            if reason:
                skipped.append((target, reason))
                ready_in = min(ready_in, wait)
            else:
                targets.append(target)
        if targets:
            why = f"{why}: {targets[0].name}"
        if skipped:
            why += "; skipped " + ", ".join(f"{target.name} ({reason})" for target, reason in skipped)
        return Route(tuple(targets), tuple(skipped), why, ready_in)

    def skip(self, job: Job, target: Target, now: datetime) -> tuple[str, float]:
        """Why a target cannot serve this job now (empty when it can), and in how many seconds it may."""
        model = target.model
        if job.tokens + job.request.max_tokens > model.context:
            return f"context {model.context} is too small for about {job.tokens} + {job.request.max_tokens}", float(
                "inf"
            )
        if job.request.tools and model.capabilities and "tools" not in model.capabilities:
            return "takes no tools", float("inf")
        try:
            self._prices.of(model, now)
        except LLMModelError:
            return "no known price", float("inf")
        quota = self._quotas.blocked(model.provider)
        if quota:
            return quota, self._quotas.ready_in(model.provider) or float("inf")
        circuit = self._breaker.of(target.name)
        wait = circuit.ready_in()
        return (circuit.blocked(), wait) if wait > 0 else ("", 0.0)
