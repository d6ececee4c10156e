"""The hub's settings: one frozen class, read once from the environment's names (spec section 1).

`from_env` takes a mapping, never the process's environment itself. Keys never appear in `repr`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from catalyst.errors import SettingsError

Strategy = Literal["cost_optimized", "performance", "balanced"]
STRATEGIES: tuple[Strategy, ...] = ("cost_optimized", "performance", "balanced")
N = TypeVar("N", int, float, Decimal)
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


@dataclass(frozen=True, slots=True)
class TenantLimits:
    """Requests of one tenant in any minute, hour and 24 hours; 0 means no limit."""

    minute: int = 60
    hour: int = 1_000
    day: int = 10_000

    @property
    def windows(self) -> tuple[tuple[int, float], ...]:
        """(requests, seconds) of each window that is limited."""
        spans = ((self.minute, 60.0), (self.hour, 3_600.0), (self.day, 86_400.0))
        return tuple((most, span) for most, span in spans if most > 0)


@dataclass(frozen=True, slots=True)
class VendorDefaults:
    """What the operator sets for one vendor's calls that say nothing themselves."""

    model: str = ""
    temperature: float | None = None
    max_tokens: int | None = None
    timeout_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class HubSettings:
    """Everything an operator can set about the hub. Money in USD, times in seconds."""

    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Provider name to key, only where one is set."""
    base_urls: Mapping[str, str] = field(default_factory=dict)
    vendors: Mapping[str, VendorDefaults] = field(default_factory=dict)
    strategy: Strategy = "cost_optimized"
    complexity_threshold: float = 0.7
    models_file: Path | None = None
    """A TOML file whose models, prices and routes replace or extend ours."""
    prompts_dir: Path | None = None
    """A folder of `.prompt` files and a `prompts.toml` that add to ours."""
    max_retries: int | None = None
    retry_delay: float = 2.0
    timeout_seconds: float = 30.0
    max_concurrent: int = 5
    """Calls in flight per provider."""
    max_concurrent_requests: int = 10
    local_enabled: bool = False
    local_url: str = ""
    local_model: str = "mistral"
    local_max_length: int = 1_000
    gpu_cleanup_seconds: float = 300.0
    limits: TenantLimits = TenantLimits()
    tenant_limits: Mapping[str, TenantLimits] = field(default_factory=dict)
    queue_seconds: float = 30.0
    """Longest that a request over its tenant's limit waits for its turn; 0 refuses at once."""
    timezone: str = "UTC"
    cost_tracking: bool = True
    alert_daily: Decimal = Decimal(30)
    alert_monthly: Decimal = Decimal(800)
    hard_limit_monthly: Decimal = Decimal(1_000)
    tenant_budgets: Mapping[str, Decimal] = field(default_factory=dict)
    """Monthly hard limit of a tenant."""
    feature_budgets: Mapping[str, Decimal] = field(default_factory=dict)
    alert_webhook: str = ""
    allow_unpriced: bool = False
    usage_log: Path | None = None
    redis_url: str = field(default="", repr=False)
    cache_enabled: bool = True
    cache_ttl_seconds: float = 86_400.0
    """How long an answer is kept whose request says nothing itself."""
    cache_similarity: float = 0.85
    """Cosine below which no kept question is looked at; above it the guard decides."""
    cache_stale_seconds: float = 0.0
    """How long an expired answer is still served while a new one is fetched."""
    daily_quotas: Mapping[str, int] = field(default_factory=dict)
    """Provider to requests a day, over the catalog's; 0 means a paid key without a quota."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @classmethod
    def from_env(cls, values: Mapping[str, str]) -> HubSettings:
        """Read the names of spec section 1. One SettingsError lists everything that is malformed."""
        read = _Reader(values)
        settings = cls(
            keys=_named(values, "_API_KEY"),
            base_urls=_named(values, "_BASE_URL"),
            vendors=_vendors(read),
            strategy=read.strategy(),
            complexity_threshold=read.number("LLM_COMPLEXITY_THRESHOLD", float, 0.7, most=1),
            models_file=read.path("LLM_MODELS_FILE"),
            prompts_dir=read.path("PROMPTS_DIR"),
            max_retries=read.optional("LLM_MAX_RETRIES", int, most=5),
            retry_delay=read.number("LLM_RETRY_DELAY", float, 2.0),
            timeout_seconds=read.timeout(),
            max_concurrent=read.number("LLM_MAX_CONCURRENT", int, 5, least=1),
            max_concurrent_requests=read.number("LLM_MAX_CONCURRENT_REQUESTS", int, 10, least=1),
            local_enabled=read.flag("LLM_LOCAL_ENABLED", False),
            local_url=read.text("LLM_ENDPOINT_URL"),
            local_model=read.text("LLM_MODEL_NAME") or "mistral",
            local_max_length=read.number("LLM_LOCAL_MAX_LENGTH", int, 1_000),
            gpu_cleanup_seconds=read.number("GPU_CLEANUP_INTERVAL_SEC", float, 300.0),
            limits=_limits(read),
            tenant_limits=read.pairs("LLM_TENANT_LIMITS", _tenant_limits),
            queue_seconds=read.number("LLM_QUEUE_SECONDS", float, 30.0),
            timezone=read.timezone(),
            cost_tracking=read.flag("LLM_COST_TRACKING", True),
            alert_daily=read.number("LLM_COST_ALERT_DAILY", Decimal, Decimal(30)),
            alert_monthly=read.number("LLM_COST_ALERT_MONTHLY", Decimal, Decimal(800)),
            hard_limit_monthly=read.number("LLM_COST_HARD_LIMIT_MONTHLY", Decimal, Decimal(1_000)),
            tenant_budgets=read.pairs("LLM_TENANT_BUDGETS", _money),
            feature_budgets=read.pairs("LLM_FEATURE_BUDGETS", _money),
            alert_webhook=read.text("LLM_COST_ALERT_WEBHOOK"),
            allow_unpriced=read.flag("LLM_ALLOW_UNPRICED", False),
            usage_log=read.path("LLM_USAGE_LOG_PATH"),
            redis_url=read.text("REDIS_URL"),
            cache_enabled=read.flag("LLM_CACHE_ENABLED", True),
            cache_ttl_seconds=read.either("LLM_CACHE_TTL_SECONDS", "LLM_CACHE_TTL", 86_400.0),
            cache_similarity=read.either("LLM_CACHE_SIMILARITY_THRESHOLD", "LLM_CACHE_SIMILARITY", 0.85, most=1),
            cache_stale_seconds=read.number("LLM_CACHE_STALE_SECONDS", float, 0.0),
            daily_quotas=read.pairs("LLM_DAILY_QUOTAS", int),
        )
        if read.faults:
            raise SettingsError("; ".join(read.faults))
        return settings


V = TypeVar("V")


class _Reader:
    """Reads values and collects what is wrong with them."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.faults: list[str] = []

    def text(self, name: str) -> str:
        return self._values.get(name, "").strip()

    def path(self, name: str) -> Path | None:
        return Path(self.text(name)) if self.text(name) else None

    def flag(self, name: str, default: bool) -> bool:
        text = self.text(name).lower()
        if text and text not in _TRUE | _FALSE:
            self.faults.append(f"{name}={text!r} is neither on (1) nor off (0)")
        return text in _TRUE if text in _TRUE | _FALSE else default

    def optional(self, name: str, kind: type[N], *, least: float = 0, most: float | None = None) -> N | None:
        text = self.text(name)
        if not text:
            return None
        try:
            number = kind(text)
            if number < least or (most is not None and number > most) or not number < float("inf"):
                raise ValueError
        except (ValueError, InvalidOperation):
            bound = f"from {least:g}" + (f" to {most:g}" if most is not None else "")
            self.faults.append(f"{name}={text!r}: give a number {bound}")
            return None
        return number

    def number(self, name: str, kind: type[N], default: N, *, least: float = 0, most: float | None = None) -> N:
        found = self.optional(name, kind, least=least, most=most)
        return default if found is None else found

    def either(self, first: str, second: str, default: float, *, most: float | None = None) -> float:
        """A number under either of two names; the first wins."""
        return self.number(first, float, self.number(second, float, default, most=most), most=most)

    def timeout(self) -> float:
        second = self.number("LLM_REQUEST_TIMEOUT_SECONDS", float, 30.0, least=0.1, most=300)
        return self.number("LLM_TIMEOUT_SECS", float, second, least=0.1, most=300)

    def strategy(self) -> Strategy:
        text = self.text("LLM_ROUTING_STRATEGY").lower() or "cost_optimized"
        if text not in STRATEGIES:
            self.faults.append(f"LLM_ROUTING_STRATEGY={text!r}: use {', '.join(STRATEGIES)}")
            return "cost_optimized"
        return text

    def timezone(self) -> str:
        name = self.text("CATALYST_TIMEZONE") or "UTC"
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            self.faults.append(f"CATALYST_TIMEZONE={name!r} is not a zone: use a name such as America/New_York")
            return "UTC"
        return name

    def pairs(self, name: str, read: Callable[[str], V]) -> dict[str, V]:
        """`acme=5,globex=7.5` as a mapping."""
        found: dict[str, V] = {}
        for part in filter(None, map(str.strip, self.text(name).split(","))):
            key, _, value = part.partition("=")
            try:
                found[key.strip()] = read(value.strip())
            except (ValueError, InvalidOperation):
                self.faults.append(f"{name}: {part!r} is not NAME=VALUE")
        return found


def _named(values: Mapping[str, str], ending: str) -> dict[str, str]:
    """`GEMINI_API_KEY` as `gemini`; the providers' table decides which of them mean anything."""
    return {
        name.removesuffix(ending).lower(): value.strip()
        for name, value in values.items()
        if name.endswith(ending) and value.strip()
    }


def _vendors(read: _Reader) -> dict[str, VendorDefaults]:
    return {
        "deepseek": VendorDefaults(
            read.text("DEEPSEEK_MODEL"),
            read.optional("DEEPSEEK_TEMPERATURE", float, most=2),
            read.optional("DEEPSEEK_MAX_TOKENS", int, least=1),
            read.optional("DEEPSEEK_TIMEOUT", float, least=0.1, most=300),
        ),
        "gemini": VendorDefaults(read.text("GEMINI_MODEL_DEFAULT")),
        "anthropic": VendorDefaults(read.text("ANTHROPIC_MODEL_DEFAULT")),
    }


def _limits(read: _Reader) -> TenantLimits:
    return TenantLimits(
        read.number("LLM_REQUESTS_PER_MINUTE", int, 60),
        read.number("LLM_REQUESTS_PER_HOUR", int, 1_000),
        read.number("LLM_REQUESTS_PER_DAY", int, 10_000),
    )


def _tenant_limits(text: str) -> TenantLimits:
    """`60/1000/10000`: minute, hour, day."""
    minute, hour, day = (int(part) for part in text.split("/"))
    return TenantLimits(minute, hour, day)


def _money(text: str) -> Decimal:
    amount = Decimal(text)
    if not amount.is_finite() or amount < 0:
        raise ValueError(text)
    return amount
