"""What `/usage` says: the service's `/api/usage` in a few lines. Pure; a service of another version is no error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from catalyst.bot.embeds import clip, plain

_MODELS = 5


def told_usage(found: Mapping[str, Any]) -> str:
    """Today and this month against the limit, then the dearest models and what the cache saved."""
    models = _lines(found.get("models"))
    money = found.get("money")
    if not found.get("available", False):
        return "The service tells nothing of money: no model is configured."
    said = _month(money) if isinstance(money, Mapping) else []
    said.append(_sum(models, str(found.get("since", "")), str(found.get("until", ""))))
    said += [_model(line) for line in models[:_MODELS]]
    if len(models) > _MODELS:
        said.append(f"· {len(models) - _MODELS} more")
    return "\n".join(said)


def _month(money: Mapping[str, Any]) -> list[str]:
    today, month, limit = (_dollars(money.get(name)) for name in ("today_usd", "month_usd", "monthly_limit_usd"))
    if not today or not month:
        return ["The service does not know just now what was spent."]
    left = _dollars(money.get("left_usd"))
    bounded = f" of {limit}" if limit else ""
    return [f"**{today} today, {month}{bounded} this month**{f'; {left} left' if left else ''}"]


def _sum(lines: Sequence[Mapping[str, Any]], since: str, until: str) -> str:
    cost = sum((_amount(line.get("cost_usd")) or Decimal(0) for line in lines), Decimal(0))
    saved = sum((_amount(line.get("saved_usd")) or Decimal(0) for line in lines), Decimal(0))
    calls, hits = (sum(_count(line.get(name)) for line in lines) for name in ("calls", "cache_hits"))
    kept = f"; the cache saved {_dollars(saved)} ({hits:,} answers)" if hits else ""
    return f"{plain(since)[:10]} to {plain(until)[:10]}: {calls:,} calls, {_dollars(cost)}{kept}"


def _model(line: Mapping[str, Any]) -> str:
    failed = _count(line.get("failed"))
    name = clip(plain(str(line.get("key", ""))) or "answered from the cache", 60)
    wrong = f", {failed:,} failed" if failed else ""
    return f"· {name}: {_dollars(line.get('cost_usd')) or 'unknown'}, {_count(line.get('calls')):,} calls{wrong}"


def _lines(found: Any) -> list[Mapping[str, Any]]:
    return [line for line in found if isinstance(line, Mapping)] if isinstance(found, list) else []


def _count(found: Any) -> int:
    return found if isinstance(found, int) else 0


def _amount(found: Any) -> Decimal | None:
    try:
        value = Decimal(str(found))
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value) < 10**12 else None


def _dollars(found: Any) -> str:
    """`$12.34`, four digits where a cent says too little; empty for what is no amount."""
    value = _amount(found)
    if value is None:
        return ""
    return f"${value:,.2f}" if value == 0 or abs(value) >= 1 else f"${value:.4f}"
