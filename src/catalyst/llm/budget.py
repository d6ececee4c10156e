"""Money: reserve the upper bound before a call, settle what it cost after it, atomically across processes.

A reservation is one attempt's. Its owner marks it `sent` just before the bytes leave; when the owner dies, what was
sent is charged in full (the provider may bill it) and what was not is released. So a crash neither spends more than
the limit nor strands money. Backends: `budget_sqlite` (one machine, any processes), `budget_redis` (several machines).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from catalyst.errors import BudgetExceeded
from catalyst.llm.prices import nano, usd
from catalyst.llm.settings import HubSettings

UNLIMITED = -1


@dataclass(frozen=True, slots=True)
class Scope:
    """A sum that is counted: a period of everything, of a tenant or of a feature. `limit` in nano-dollars, or -1."""

    key: str
    limit: int = UNLIMITED


@dataclass(frozen=True, slots=True)
class Alert:
    """A sum that should be told once per period when it is passed."""

    key: str
    """The scope's key, which names its period."""
    kind: Literal["daily", "monthly"]
    threshold: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What an attempt asks for: `amount` nano-dollars, or less but `at_least`, in every scope at once."""

    amount: int
    at_least: int
    scopes: tuple[Scope, ...]
    seconds: float = 330.0
    """The lease: how long the attempt can last at most."""


@dataclass(slots=True)
class Reservation:
    """Money held for one attempt. `settle` it exactly once."""

    id: str
    amount: int
    scopes: tuple[Scope, ...]
    slot: int = 0
    open: bool = True


@dataclass(slots=True)
class Spent:
    """One scope's sums, nano-dollars."""

    settled: int
    reserved: int


class Budget(Protocol):
    """A shared purse."""

    async def reserve(self, claim: Claim) -> Reservation:
        """Hold money. Raises BudgetExceeded when a limit does not allow it, or when no store can say."""
        ...

    async def sent(self, reservation: Reservation) -> None:
        """The call goes out now. Raises BudgetExceeded when the lease ended before."""
        ...

    def settle(self, reservation: Reservation, cost: int) -> None:
        """Give back what was not used; returns at once, the store follows."""
        ...

    async def spent(self, keys: Sequence[str]) -> Mapping[str, Spent]: ...

    async def start(self) -> None: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Periods:
    """Which scopes a request falls into: days and months begin at midnight in the operator's zone."""

    zone: ZoneInfo
    hard_month: int
    tenants: Mapping[str, int] = field(default_factory=dict)
    features: Mapping[str, int] = field(default_factory=dict)
    _known: dict[tuple[int, str | None, tuple[str, ...]], tuple[Scope, ...]] = field(default_factory=dict)
    """By the quarter of an hour, within which no zone changes its day."""

    @classmethod
    def of(cls, settings: HubSettings) -> Periods:
        return cls(
            settings.zone,
            nano(settings.hard_limit_monthly),
            {name: nano(limit) for name, limit in settings.tenant_budgets.items()},
            {name: nano(limit) for name, limit in settings.feature_budgets.items()},
        )

    def month(self, now: datetime) -> str:
        return f"month/{now.astimezone(self.zone):%Y-%m}"

    def day(self, now: datetime) -> str:
        return f"day/{now.astimezone(self.zone):%Y-%m-%d}"

    def scopes(self, now: datetime, tenant: str, feature: str) -> tuple[Scope, ...]:
        """Month, day, and the tenant's and the feature's month where they have a limit.

        What counts for `gateway` counts for `gateway.NAME` too: a client chooses the name.
        """
        key = (
            int(now.timestamp()) // 900,
            tenant if tenant in self.tenants else None,
            tuple(name for name in dict.fromkeys((feature.partition(".")[0], feature)) if name in self.features),
        )
        found = self._known.get(key)
        if found is None:
            if len(self._known) > 1_000:
                self._known.clear()
            found = self._known[key] = self._scopes(now, key[1], key[2])
        return found

    def _scopes(self, now: datetime, tenant: str | None, features: tuple[str, ...]) -> tuple[Scope, ...]:
        month = self.month(now).removeprefix("month/")
        found = [Scope(f"month/{month}", self.hard_month), Scope(self.day(now))]
        if tenant is not None:
            found.append(Scope(f"tenant/{tenant}/{month}", self.tenants[tenant]))
        found += [Scope(f"feature/{name}/{month}", self.features[name]) for name in features]
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The soft limits, and who is told when one is passed: `told(kind, period, spent)`."""

    daily: int
    monthly: int
    told: Callable[[str, str, Decimal], None] = lambda kind, period, spent: None

    @classmethod
    def of(cls, settings: HubSettings, told: Callable[[str, str, Decimal], None]) -> Thresholds:
        if not settings.cost_tracking:
            return cls(0, 0)
        return cls(nano(settings.alert_daily), nano(settings.alert_monthly), told)

    def passed(self, key: str, settled: int) -> Alert | None:
        """The alert that `settled` in the scope `key` is due, if any."""
        for prefix, kind, threshold in (("day/", "daily", self.daily), ("month/", "monthly", self.monthly)):
            if threshold and settled >= threshold and key.startswith(prefix):
                return Alert(key, "daily" if kind == "daily" else "monthly", threshold)
        return None

    def tell(self, alert: Alert, settled: int) -> None:
        self.told(alert.kind, alert.key.partition("/")[2], usd(settled))


def refusal(scope: Scope, spent: Spent, amount: int) -> BudgetExceeded:
    """The error of a claim that `scope` cannot hold."""
    name, _, rest = scope.key.partition("/")
    whose = "this month's budget" if name == "month" else f"the budget of {name} {rest}"
    return BudgetExceeded(
        f"{whose} of {usd(scope.limit):.2f} USD cannot hold this call: {usd(spent.settled):.4f} spent, "
        f"{usd(spent.reserved):.4f} held by calls in flight, {usd(amount):.6f} needed at most; wait for the next "
        "period, raise LLM_COST_HARD_LIMIT_MONTHLY (or the tenant's or feature's limit), or lower max_tokens"
    )


def granted(claim: Claim, sums: Mapping[str, Spent]) -> tuple[int, Scope | None]:
    """What the scopes can hold of `claim`, or 0 and the scope that cannot."""
    amount = claim.amount
    for scope in claim.scopes:
        if scope.limit == UNLIMITED:
            continue
        spent = sums[scope.key]
        left = scope.limit - spent.settled - spent.reserved
        if left < claim.at_least:
            return 0, scope
        amount = min(amount, left)
    return amount, None
