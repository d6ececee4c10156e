"""Put the hub together from its settings, and start and stop what it is made of. Only `LLMService` reads this."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from catalyst.clock import Clock
from catalyst.errors import StorageError, TransportError
from catalyst.http import Http
from catalyst.llm.attempts import Attempts
from catalyst.llm.breaker import Breaker, BreakerRules
from catalyst.llm.budget import Budget, Periods, Thresholds
from catalyst.llm.gate import Gate
from catalyst.llm.ledger import DAY, Ledger
from catalyst.llm.limits import Limits, LocalWindows
from catalyst.llm.local import LocalTier
from catalyst.llm.metrics import HubMetrics
from catalyst.llm.models import Catalog, Model, load_catalog
from catalyst.llm.prices import Prices, usd
from catalyst.llm.providers import PROVIDERS, make_provider
from catalyst.llm.quotas import FreeQuotas
from catalyst.llm.retry import Backoff
from catalyst.llm.router import Router
from catalyst.llm.settings import HubSettings
from catalyst.llm.stats import Stats
from catalyst.llm.store import HubStore
from catalyst.llm.types import Provider
from catalyst.tracing import NO_TRACER, Tracer

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from catalyst.llm.cache_seam import AnswerCache

LOCAL = "local"
"""The local model's name in the catalog."""

LOCAL_CONTEXT = 8_192

REDIS_CONNECTIONS = 16
REDIS_SECONDS = 5.0
"""The longest that Redis may take; after it, this process goes on alone."""

log = structlog.get_logger()


@dataclass(slots=True)
class Parts:
    """Everything a hub is made of."""

    settings: HubSettings
    http: Http
    clock: Clock
    catalog: Catalog
    store: HubStore
    periods: Periods
    prices: Prices
    providers: Mapping[str, Provider]
    router: Router
    limits: Limits
    windows: LocalWindows
    gate: Gate
    metrics: HubMetrics
    attempts: Attempts
    stats: Stats
    local: LocalTier | None
    cache: AnswerCache | None
    redis: Any = None
    tracer: Tracer = NO_TRACER

    async def start(self) -> None:
        """A database that cannot be opened is logged; the hub tries again with the first request."""
        await asyncio.get_running_loop().run_in_executor(None, self.prices.load)
        try:
            await self.attempts.budget.start()
            await self.attempts.quotas.sync()
            since = self.clock.now().timestamp() - DAY
            rows = await self.attempts.ledger.admissions(since)
            self.windows.load(rows, self.limits.size)
        except StorageError as error:
            log.error("hub.store.failed", error=str(error))

    async def pause(self) -> None:
        """Write what is left and let go of the event loop."""
        await self.attempts.ledger.flush()
        await self.attempts.budget.spent([])
        if self.cache is not None:
            await self.cache.pause()
        await self.http.close()
        if self.redis is not None:
            await self.redis.aclose()

    async def close(self) -> None:
        if self.cache is not None:
            await self.cache.close()
        await self.attempts.budget.close()
        await self.attempts.ledger.close()
        self.store.close()
        if self.redis is not None:
            await self.redis.aclose()

    async def health(self) -> dict[str, Any]:
        now = self.clock.now()
        keys = [self.periods.day(now), self.periods.month(now)]
        money: dict[str, Any] = {}
        try:
            sums = await self.attempts.budget.spent(keys)
            day, month = (sums[key] for key in keys)
            money = {
                "today_usd": usd(day.settled),
                "month_usd": usd(month.settled),
                "reserved_usd": usd(month.reserved),
                "left_usd": usd(self.periods.hard_month - month.settled - month.reserved),
            }
        except StorageError as error:
            money = {"error": str(error)}
        return {
            "available": self.router.has_targets,
            "circuits": self.attempts.breaker.states(),
            "budget": money,
            "free_quota_left": self.attempts.quotas.left(),
            "ledger_rows_waiting": self.attempts.ledger.waiting,
            "queue": {"hub": self.gate.waiting, "tenants": self.limits.waiting},
            "local": await self._local_health(),
        }

    async def _local_health(self) -> dict[str, Any] | None:
        if self.local is None:
            return None
        resident = [model.name for model in await self.local.resident()]
        return {"model": self.local.model, "warm": self.local.warm, "resident": resident}


def assemble(
    settings: HubSettings,
    http: Http,
    clock: Clock,
    data_dir: Path,
    *,
    registry: CollectorRegistry | None = None,
    cache: AnswerCache | None = None,
    breaker_rules: BreakerRules | None = None,
    rng: random.Random | None = None,
    tracer: Tracer = NO_TRACER,
) -> Parts:
    """The hub's parts; nothing is opened or sent yet."""
    rng = rng or random.Random()
    metrics = HubMetrics(registry)
    catalog = _catalog(settings)
    providers = _providers(settings, http)
    store = HubStore(data_dir / "hub.db")
    windows = LocalWindows(clock)
    ledger = Ledger(store, clock, settings.zone, log_path=settings.usage_log, admissions=windows.drain)
    quotas = {name: quota for name, quota in catalog.quotas.items() if settings.daily_quotas.get(name) != 0}
    free = FreeQuotas(quotas, clock, ledger)
    prices = Prices(
        allow_unpriced=settings.allow_unpriced, free=frozenset(name for name, row in PROVIDERS.items() if row.local)
    )
    breaker = Breaker(clock.monotonic, breaker_rules, metrics.turned)
    local = _local(settings, http, clock)
    router = Router(
        catalog,
        providers,
        prices,
        breaker,
        free,
        strategy=settings.strategy,
        random=rng.random,
        local=(LOCAL, settings.local_max_length) if local is not None else None,
    )
    tell = _Teller(settings.alert_webhook, http, metrics)
    redis, budget, shared = _backends(settings, store, data_dir, Thresholds.of(settings, tell), windows, clock)
    if redis is not None:
        from catalyst.llm.ledger_redis import SharedLedger

        ledger.shared = SharedLedger(redis, ledger.day)
    limits = Limits(shared, clock, settings.limits, settings.tenant_limits)
    gate = Gate(settings.max_concurrent_requests, clock)
    attempts = Attempts(
        router=router,
        prices=prices,
        budget=budget,
        ledger=ledger,
        breaker=breaker,
        quotas=free,
        gates={name: Gate(settings.max_concurrent, clock, name) for name in providers},
        metrics=metrics,
        clock=clock,
        backoff=Backoff(settings.retry_delay, rng.uniform),
        vendors=settings.vendors,
        ended=_Watch(local),
        tracer=tracer,
    )
    _watch_gauges(metrics, gate, limits, budget, Periods.of(settings), clock)
    return Parts(
        settings, http, clock, catalog, store, Periods.of(settings), prices, providers, router, limits, windows, gate,
        metrics, attempts, Stats(clock.now()), local, cache, redis, tracer,
    )  # fmt: skip


def _catalog(settings: HubSettings) -> Catalog:
    defaults = {
        alias: _under(vendor, settings.vendors[vendor].model)
        for alias, vendor in (("flash", "gemini"), ("sonnet", "anthropic"), ("deepseek", "deepseek"))
        if vendor in settings.vendors
    }
    local = Model(LOCAL, "ollama", settings.local_model, LOCAL_CONTEXT, "simple")
    return load_catalog(settings.models_file, defaults=defaults, extra=(local,), providers=PROVIDERS)


def _under(vendor: str, model: str) -> str:
    """The operator's model as `provider/model`, so that one we don't list works too."""
    return model if not model or "/" in model else f"{vendor}/{model}"


def _providers(settings: HubSettings, http: Http) -> dict[str, Provider]:
    """Those that have what they need: a key, or an address of their own."""
    found: dict[str, Provider] = {}
    for name, row in PROVIDERS.items():
        key = next((settings.keys[stem] for env in row.key_env if (stem := _stem(env)) in settings.keys), "")
        address = next(
            (settings.base_urls[stem] for env in row.base_url_env if (stem := _stem(env)) in settings.base_urls), ""
        )
        if name == "ollama" and settings.local_enabled:
            address = address or settings.local_url or row.base_url
        if key if row.needs_key else address:
            found[name] = make_provider(row, http, key, address or None)
    return found


def _stem(env: str) -> str:
    return env.removesuffix("_API_KEY").removesuffix("_BASE_URL").lower()


def _local(settings: HubSettings, http: Http, clock: Clock) -> LocalTier | None:
    if not settings.local_enabled:
        return None
    row = PROVIDERS["ollama"]
    base = row.base(settings.base_urls.get("ollama") or settings.local_url or None)
    root = base.with_path(base.path.removesuffix("/v1").rstrip("/") or "/")
    return LocalTier(http, clock, root, settings.local_model, cleanup_seconds=settings.gpu_cleanup_seconds)


def _backends(
    settings: HubSettings, store: HubStore, data_dir: Path, thresholds: Thresholds, windows: LocalWindows, clock: Clock
) -> tuple[Any, Budget, Any]:
    """Redis where it is set, else SQLite for money and this process for windows."""
    if not settings.redis_url:
        from catalyst.llm.budget_sqlite import SqliteBudget

        return None, SqliteBudget(store, data_dir / "owners", thresholds), windows
    from redis.asyncio import BlockingConnectionPool, Redis

    from catalyst.llm.budget_redis import RedisBudget
    from catalyst.llm.redis_windows import RedisWindows

    # A burst waits for a connection; a pool that refuses one would make each process count alone.
    pool = BlockingConnectionPool.from_url(
        settings.redis_url,
        max_connections=REDIS_CONNECTIONS,
        timeout=REDIS_SECONDS,
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=2.0,
    )
    redis = Redis.from_pool(pool)
    return redis, RedisBudget(redis, thresholds), RedisWindows(redis, windows)


class _Watch:
    """Hears how attempts end; lets the local server go after repeated failures."""

    def __init__(self, local: LocalTier | None) -> None:
        self._local = local
        self._tasks: set[asyncio.Task[bool]] = set()

    def __call__(self, provider: str, well: bool) -> None:
        if self._local is None or provider != "ollama":
            return
        self._local.clean()
        why = "repeated failure" if self._local.ended(well) else "memory pressure" if self._local.pressed() else ""
        if why:
            task = asyncio.get_running_loop().create_task(self._local.release(why))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


class _Teller:
    """Tells of a passed soft limit: log, metric, webhook."""

    def __init__(self, webhook: str, http: Http, metrics: HubMetrics) -> None:
        self._webhook = webhook
        self._http = http
        self._metrics = metrics
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, kind: str, period: str, spent: Decimal) -> None:
        log.warning("budget.alert", kind=kind, period=period, spent_usd=f"{spent:.2f}")
        self._metrics.alerts.labels(kind).inc()
        if self._webhook:
            task = asyncio.get_running_loop().create_task(self._post(kind, period, spent))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _post(self, kind: str, period: str, spent: Decimal) -> None:
        body = orjson.dumps({"alert": f"llm_cost_{kind}", "period": period, "spent_usd": str(spent)})
        try:
            await self._http.request(
                "POST", self._webhook, headers={"Content-Type": "application/json"}, body=body, timeout_seconds=10
            )
        except TransportError as error:
            log.error("budget.alert.undelivered", error=str(error))


def _watch_gauges(
    metrics: HubMetrics, gate: Gate, limits: Limits, budget: Budget, periods: Periods, clock: Clock
) -> None:
    """Gauges read when they are scraped, so that they cost a query nothing."""

    def money(state: str) -> float:
        spent = getattr(budget, "last", {}).get(periods.month(clock.now()))
        settled, reserved = (spent.settled, spent.reserved) if spent is not None else (0, 0)
        return {"settled": settled, "reserved": reserved, "remaining": periods.hard_month - settled - reserved}[
            state
        ] / 1e9

    metrics.queue.labels("hub").set_function(lambda: gate.waiting)
    metrics.queue.labels("tenants").set_function(lambda: limits.waiting)
    for state in ("settled", "reserved", "remaining"):
        metrics.budget.labels(state).set_function(lambda state=state: money(state))  # type: ignore[misc]
