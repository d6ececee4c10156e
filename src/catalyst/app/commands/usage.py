"""`catalyst usage`: what the hub was used for and what it cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from catalyst.llm.usage import By, UsageLine


def usage(
    by: Annotated[str, typer.Option(help="day, model, feature or tenant.")] = "day",
    since: Annotated[str, typer.Option(metavar="DATE|Nd", help="From this day on: 2025-12-01, or 7d.")] = "30d",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """What was spent, with what the cache saved and what failed attempts wasted.

    Days are those of CATALYST_TIMEZONE. Figures come from the ledger of every data folder under CATALYST_DATA_DIR, or,
    where REDIS_URL is set, from what all machines share.

    Examples: catalyst usage · catalyst usage --by model --since 7d · catalyst usage --by tenant --json
    """
    import asyncio

    from catalyst.app.settings import load
    from catalyst.errors import UsageError
    from catalyst.llm.usage import GROUPS

    if by not in GROUPS:
        raise UsageError(f"--by {by!r}: use {', '.join(GROUPS)}")
    settings = load()
    begin = _day(since, settings.hub.timezone)
    folder = settings.app.data_dir
    ledgers = sorted([*folder.glob("hub.db"), *folder.glob("*/hub.db")])
    redis = settings.hub.redis_url
    lines = asyncio.run(_shared(redis, by, begin) if redis else _lines(ledgers, by, begin))
    if as_json:
        _print_json(by, lines)
    else:
        _print_table(by, lines, begin)


async def _lines(ledgers: list[Path], by: By, since: str) -> list[UsageLine]:
    from catalyst.llm.store import HubStore
    from catalyst.llm.usage import merged, report

    found = []
    for path in ledgers:
        store = HubStore(path)
        try:
            found.append(await report(store, by, since))
        finally:
            store.close()
    return merged(by, found)


async def _shared(url: str, by: By, since: str) -> list[UsageLine]:
    from redis.asyncio import Redis

    from catalyst.llm.ledger_redis import SharedLedger

    async with Redis.from_url(url, socket_timeout=5.0, socket_connect_timeout=2.0) as redis:
        return await SharedLedger(redis, str).report(by, since)


def _day(text: str, zone: str) -> str:
    from datetime import UTC, date, datetime, timedelta
    from zoneinfo import ZoneInfo

    from catalyst.errors import UsageError

    try:
        if text.endswith("d") and text[:-1].isdigit():
            today = datetime.now(UTC).astimezone(ZoneInfo(zone)).date()
            return (today - timedelta(days=max(0, int(text[:-1]) - 1))).isoformat()
        return date.fromisoformat(text).isoformat()
    except (ValueError, OverflowError):
        raise UsageError(f"--since {text!r}: give a day as 2025-12-01, or a number of days as 7d") from None


def _print_json(by: str, lines: list[UsageLine]) -> None:
    from dataclasses import asdict

    import orjson

    for line in lines:
        entry = {by: line.key} | {name: value for name, value in asdict(line).items() if name != "key"}
        print(orjson.dumps(entry, default=str).decode())


def _print_table(by: str, lines: list[UsageLine], since: str) -> None:
    import sys

    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from catalyst.app.log import harmless

    if not lines:
        print(f"nothing was asked since {since}", file=sys.stderr)
        return
    table = Table(title=f"Usage by {by} since {since}", box=SIMPLE, title_justify="left")
    table.add_column(by, no_wrap=True)
    for name in ("calls", "failed", "cache hits", "tokens in", "tokens out", "cost USD", "saved", "wasted", "mean ms"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in lines:
        table.add_row(
            Text(harmless(line.key) or "-"), f"{line.calls:,}", f"{line.failed:,}", f"{line.cache_hits:,}",
            f"{line.tokens_input:,}", f"{line.tokens_output:,}", f"{line.cost_usd:.4f}",
            f"{line.saved_usd:.4f}", f"{line.wasted_usd:.4f}", f"{line.mean_latency_ms:,.0f}",
        )  # fmt: skip
    total = sum(line.cost_usd for line in lines)
    table.add_section()
    table.add_row("total", *[""] * 5, f"{total:.4f}", *[""] * 3)
    Console(width=max(Console().width, 120)).print(table)
