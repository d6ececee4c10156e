"""What was used and what it cost, by day, model, feature or tenant, from the ledger's daily sums."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Literal

from catalyst.llm.prices import usd
from catalyst.llm.store import HubStore

By = Literal["day", "model", "feature", "tenant", "provider", "cache", "day and model"]
GROUPS: tuple[By, ...] = ("day", "model", "feature", "tenant")
"""What the command line reports by; `day and model` makes keys like `2025-12-01 google/flash`."""

_COLUMNS: dict[By, str] = {
    "day": "day",
    "model": "provider || '/' || model",
    "feature": "feature",
    "tenant": "tenant",
    "provider": "provider",
    "cache": "cache_kind",
    "day and model": "day || ' ' || provider || '/' || model",
}

IN_ORDER: tuple[By, ...] = ("day", "day and model")
"""Sorted by their key; the others dearest first."""


@dataclass(frozen=True, slots=True)
class UsageLine:
    """One line of the report. `saved_usd` is what cache hits did not cost, `wasted_usd` what failed attempts did."""

    key: str
    calls: int
    answered: int
    failed: int
    cache_hits: int
    tokens_input: int
    tokens_output: int
    tokens_cached: int
    cost_usd: Decimal
    saved_usd: Decimal
    wasted_usd: Decimal
    retries: int
    mean_latency_ms: float


async def report(store: HubStore, by: By, since: str = "", until: str = "9999", tenant: str = "") -> list[UsageLine]:
    """Usage of the operator's days from `since` to `until` (YYYY-MM-DD, inclusive); dearest first, days in order.

    With `tenant` only what that one used.
    """

    def ask(
        connection: sqlite3.Connection,
    ) -> Sequence[tuple[object, ...]]:
        return connection.execute(_sql(by), (since, until, tenant, tenant)).fetchall()

    return [_line(row) for row in await store.read(ask)]


def merged(by: By, reports: Sequence[Sequence[UsageLine]]) -> list[UsageLine]:
    """Several ledgers' reports as one."""
    lines: dict[str, UsageLine] = {}
    for line in (line for report in reports for line in report):
        held = lines.get(line.key)
        lines[line.key] = line if held is None else _added(held, line)
    return ordered(by, list(lines.values()))


def ordered(by: By, lines: list[UsageLine]) -> list[UsageLine]:
    """Dearest first, days in order."""
    if by in IN_ORDER:
        return sorted(lines, key=lambda line: line.key)
    return sorted(lines, key=lambda line: (-line.cost_usd, line.key))


def line_of(key: str, sums: Sequence[float]) -> UsageLine:
    """A line of its sums: calls, answered, failed, hits, in, out, cost, cached, saved, wasted, retries, ms."""
    mean = sums[11] / max(sums[0] + sums[3], 1)
    return _line((key, *map(int, sums[:11]), mean))


def _added(one: UsageLine, two: UsageLine) -> UsageLine:
    sums = {
        field.name: getattr(one, field.name) + getattr(two, field.name)
        for field in fields(UsageLine)
        if field.name not in ("key", "mean_latency_ms")
    }
    weights = one.calls + two.calls or 1
    mean = (one.mean_latency_ms * one.calls + two.mean_latency_ms * two.calls) / weights
    return UsageLine(key=one.key, mean_latency_ms=round(mean, 1), **sums)


def _sql(by: By) -> str:
    order = "1" if by in IN_ORDER else "8 DESC, 1"
    return (
        f"SELECT {_COLUMNS[by]}, "  # noqa: S608 (one of our constants)
        "sum(calls * (cache_kind = '')), sum(calls * (outcome = 'ok' AND cache_kind = '')), "
        "sum(calls * (outcome <> 'ok')), sum(calls * (cache_kind <> '')), "
        "sum(tokens_in), sum(tokens_out), sum(cost), sum(tokens_cached), sum(saved), sum(wasted), sum(retries), "
        "sum(latency_ms) / max(sum(calls), 1) "
        f"FROM usage_days WHERE day >= ? AND day <= ? AND (? = '' OR tenant = ?) GROUP BY 1 ORDER BY {order}"
    )


def _line(row: Sequence[object]) -> UsageLine:
    key, calls, answered, failed, hits, tokens_in, tokens_out, cost, cached, saved, wasted, retries, latency = row
    return UsageLine(
        key=str(key),
        calls=_int(calls),
        answered=_int(answered),
        failed=_int(failed),
        cache_hits=_int(hits),
        tokens_input=_int(tokens_in),
        tokens_output=_int(tokens_out),
        tokens_cached=_int(cached),
        cost_usd=usd(_int(cost)),
        saved_usd=usd(_int(saved)),
        wasted_usd=usd(_int(wasted)),
        retries=_int(retries),
        mean_latency_ms=round(float(str(latency or 0)), 1),
    )


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
