"""`/api/usage`: what models were used for and what that cost, from the hub's ledger. Who may see whose stands here.

A key sees its own tenant; one with the right `admin`, or a service that asks for no key, sees all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel

from catalyst.clock import Clock
from catalyst.llm import LLMService
from catalyst.llm.usage import By, UsageLine
from catalyst.web.auth import Keys, presented

MOST_DAYS = 366
MOST_LINES = 1000
"""Of each list; the dearest stay."""


class DayModel(BaseModel):
    """What one model cost on one day."""

    day: str
    model: str
    calls: int
    cost_usd: Decimal


class Money(BaseModel):
    """Where the operator's month stands. US dollars."""

    today_usd: Decimal | None = None
    month_usd: Decimal | None = None
    reserved_usd: Decimal | None = None
    """Held for calls under way."""
    left_usd: Decimal | None = None
    """Of the hard limit."""
    daily_alert_usd: Decimal
    monthly_alert_usd: Decimal
    monthly_limit_usd: Decimal
    """Nothing is asked beyond it."""


class Usage(BaseModel):
    """Sums of the days from `since` to `until`, both inclusive, in the operator's time zone."""

    since: date
    until: date
    tenant: str
    """Whose usage this is; empty for everybody's."""
    available: bool
    """False where no model is configured: then every list is empty."""
    cut: bool
    """Whether a list was longer than what is shown."""
    days: list[UsageLine]
    models: list[UsageLine]
    features: list[UsageLine]
    tenants: list[UsageLine]
    providers: list[UsageLine]
    cache_kinds: list[UsageLine]
    """`exact`, `semantic`, and an empty key for what a model answered."""
    spend: list[DayModel]
    money: Money | None
    """Null for who sees one tenant only."""
    cache: dict[str, Any] | None
    """Hits by level since the process began, and the measured share of wrong ones; null without a cache."""


Days = Annotated[int, Query(ge=1, le=MOST_DAYS, description="So many days, today the last.")]
Until = Annotated[date | None, Query(description="The last day, instead of today.")]
Tenant = Annotated[str, Query(max_length=64, description="Only this tenant; empty: all that the key may see.")]
_GROUPS: Mapping[str, By] = {
    "days": "day",
    "models": "model",
    "features": "feature",
    "tenants": "tenant",
    "providers": "provider",
    "cache_kinds": "cache",
}


@dataclass(frozen=True, slots=True)
class _Asked:
    since: date
    until: date
    tenant: str


def usage_router(hub: LLMService | None, keys: Keys, clock: Clock) -> APIRouter:
    """The route; whoever mounts it checks that the caller may read."""
    router = APIRouter(tags=["usage"])

    @router.get("/api/usage")
    async def usage(request: Request, days: Days = 30, until: Until = None, tenant: Tenant = "") -> Usage:
        """Spend by day, model, feature and tenant, with what the cache saved and failed attempts wasted."""
        seen = visible(keys, request, tenant)
        last = until or _today(hub, clock)
        asked = _Asked(date.fromordinal(max(1, last.toordinal() - days + 1)), last, seen)
        return await _report(hub, asked)

    return router


def visible(keys: Keys, request: Request, tenant: str) -> str:
    """Whose usage the caller gets: what was asked for, or its own. Raises HTTPException 403 for another's."""
    key = keys.find(presented(request.headers)) if keys.needed else None
    if key is None or "admin" in key.scopes:
        return tenant
    if tenant not in ("", key.tenant):
        raise HTTPException(403, f"this API key sees the usage of {key.tenant!r} only: the right `admin` sees all")
    return key.tenant


async def _report(hub: LLMService | None, asked: _Asked) -> Usage:
    found: dict[str, Any] = {name: [] for name in (*_GROUPS, "spend")} | {"money": None, "cache": None}
    lines: list[UsageLine] = []
    if hub is not None:
        since, until = asked.since.isoformat(), asked.until.isoformat()
        for name, by in _GROUPS.items():
            found[name] = await hub.usage(by, since, until, asked.tenant)
        lines = await hub.usage("day and model", since, until, asked.tenant)
        found["spend"] = [_day_model(line) for line in lines]
        found["cache"] = hub.cache.snapshot() if hub.cache is not None else None
        found["money"] = await _money(hub) if not asked.tenant else None
    cut = any(isinstance(held, list) and len(held) > MOST_LINES for held in found.values())
    kept = {name: held[:MOST_LINES] if isinstance(held, list) else held for name, held in found.items()}
    return Usage(since=asked.since, until=asked.until, tenant=asked.tenant, available=hub is not None, cut=cut, **kept)


def _day_model(line: UsageLine) -> DayModel:
    day, _, model = line.key.partition(" ")
    return DayModel(day=day, model=model, calls=line.calls, cost_usd=line.cost_usd)


async def _money(hub: LLMService) -> Money:
    held = (await hub.health())["budget"]
    limits = hub.settings
    return Money(
        **{name: value for name, value in held.items() if name in Money.model_fields},
        daily_alert_usd=limits.alert_daily,
        monthly_alert_usd=limits.alert_monthly,
        monthly_limit_usd=limits.hard_limit_monthly,
    )


def _today(hub: LLMService | None, clock: Clock) -> date:
    return clock.now().astimezone(hub.settings.zone if hub is not None else UTC).date()
