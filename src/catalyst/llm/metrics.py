"""The hub's Prometheus metrics: one list, few labels, children looked up once.

Pass the process's registry; without one the metrics live in a registry of their own.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class HubMetrics:
    """Every figure of the hub. `observe` is one attempt; the rest say what they count."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        registry = registry or CollectorRegistry()
        self.registry = registry
        of_model = ("provider", "model")
        self._calls = Counter("catalyst_llm_calls", "Attempts by outcome", (*of_model, "outcome"), registry=registry)
        self._latency = Histogram(
            "catalyst_llm_latency_seconds", "Latency of attempts", of_model, buckets=SECONDS, registry=registry
        )
        self._tokens = Counter("catalyst_llm_tokens", "Tokens", (*of_model, "kind"), registry=registry)
        self._cost = Counter("catalyst_llm_cost_usd", "Cost of attempts", of_model, registry=registry)
        self.cache_hits = Counter("catalyst_llm_cache_hits", "Answers from the cache", ("kind",), registry=registry)
        self.retries = Counter("catalyst_llm_retries", "Attempts after the first at a target", registry=registry)
        self.fallbacks = Counter("catalyst_llm_fallbacks", "Requests that left a target", registry=registry)
        self.skipped = Counter("catalyst_llm_skipped", "Targets skipped", ("provider",), registry=registry)
        self.breaker = Gauge("catalyst_llm_breaker_state", "0 closed, 1 half-open, 2 open", of_model, registry=registry)
        self.breaker_opened = Counter("catalyst_llm_breaker_opened", "Circuits opened", of_model, registry=registry)
        self.breaker_closed = Counter("catalyst_llm_breaker_closed", "Circuits closed", of_model, registry=registry)
        self.quota_wait = Histogram(
            "catalyst_llm_quota_wait_seconds", "Waits for a tenant's turn", buckets=SECONDS, registry=registry
        )
        self.quota_refused = Counter("catalyst_llm_quota_refusals", "Requests refused by limits", registry=registry)
        self.budget_refused = Counter("catalyst_llm_budget_refusals", "Requests refused for money", registry=registry)
        self.budget = Gauge(
            "catalyst_llm_budget_usd", "This month's money: settled, reserved, remaining", ("state",), registry=registry
        )
        self.alerts = Counter("catalyst_llm_budget_alerts", "Soft limits passed", ("kind",), registry=registry)
        self.queue = Gauge("catalyst_llm_queue_depth", "Requests waiting", ("queue",), registry=registry)
        self._children: dict[tuple[str, str, str], _Attempt] = {}

    def observe(
        self, provider: str, model: str, outcome: str, seconds: float, tokens_in: int, tokens_out: int, cost: float
    ) -> None:
        """One attempt; `cost` in USD."""
        child = self._children.get((provider, model, outcome))
        if child is None:
            child = self._children[provider, model, outcome] = _Attempt(
                self._calls.labels(provider, model, outcome),
                self._latency.labels(provider, model),
                self._tokens.labels(provider, model, "input"),
                self._tokens.labels(provider, model, "output"),
                self._cost.labels(provider, model),
            )
        child.calls.inc()
        child.latency.observe(seconds)
        if tokens_in or tokens_out:
            child.tokens_in.inc(tokens_in)
            child.tokens_out.inc(tokens_out)
        if cost:
            child.cost.inc(cost)

    def turned(self, target: str, state: int) -> None:
        """A circuit changed; `target` is provider/model."""
        provider, _, model = target.partition("/")
        self.breaker.labels(provider, model).set(state)
        if state == 2:
            self.breaker_opened.labels(provider, model).inc()
        elif state == 0:
            self.breaker_closed.labels(provider, model).inc()


class _Attempt:
    __slots__ = ("calls", "cost", "latency", "tokens_in", "tokens_out")

    def __init__(
        self, calls: Counter, latency: Histogram, tokens_in: Counter, tokens_out: Counter, cost: Counter
    ) -> None:
        self.calls = calls
        self.latency = latency
        self.tokens_in = tokens_in
        self.tokens_out = tokens_out
        self.cost = cost
