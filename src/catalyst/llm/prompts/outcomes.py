"""How each prompt version fared, read from the ledger's rows: which variant answers, and at what price."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from catalyst.llm.store import HubStore

_SQL = """
    SELECT variant, sum(cache_kind = ''), sum(cache_kind = '' AND outcome = 'ok'), sum(cache_kind != ''),
        sum(outcome = 'invalid'), sum(cost), sum(tokens_in), sum(tokens_out), sum(latency_ms * (cache_kind = ''))
    FROM attempts WHERE variant != '' AND (? = '' OR variant LIKE ? || '@%' ESCAPE '\\') GROUP BY variant
"""


async def fared(ledgers: Sequence[Path], prompt_id: str = "") -> list[dict[str, Any]]:
    """One row for each template in the ledgers, by name. Raises StorageError."""
    sums: dict[str, list[float]] = {}
    for path in ledgers:
        store = HubStore(path)
        try:
            rows = await store.read(lambda connection: _rows(connection, prompt_id))
        finally:
            store.close()
        for template, *values in rows:
            known = sums.setdefault(template, [0.0] * len(values))
            sums[template] = [one + other for one, other in zip(known, values, strict=True)]
    return [_described(template, sums[template]) for template in sorted(sums)]


def _rows(connection: sqlite3.Connection, prompt_id: str) -> list[tuple[Any, ...]]:
    escaped = prompt_id.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
    return connection.execute(_SQL, (prompt_id, escaped)).fetchall()


def _described(template: str, sums: Sequence[float]) -> dict[str, Any]:
    calls, answered, cached, invalid, cost, tokens_in, tokens_out, latency = sums
    return {
        "template": template,
        "calls": int(calls),
        "answered_share": answered / calls if calls else 0.0,
        "invalid": int(invalid),
        "cached": int(cached),
        "usd_per_call": cost / 1e9 / calls if calls else 0.0,
        "tokens_in": int(tokens_in),
        "tokens_out": int(tokens_out),
        "latency_ms": latency / calls if calls else 0.0,
    }
