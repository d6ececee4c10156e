"""What the hub's tests share: a hub over the fake vendors, and a fake model table with plain prices."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from catalyst.clock import Clock, SystemClock
from catalyst.http import Http
from catalyst.llm.assembly import assemble
from catalyst.llm.service import LLMService
from catalyst.llm.settings import HubSettings

TABLE = """
[models.cheap]
provider = "openai"
id = "gpt-4o-mini"
context = 20000
tier = "simple"
price = { input = 1, output = 2, cached = 0.5 }

[models.dear]
provider = "anthropic"
id = "claude-sonnet-4-5"
context = 50000
tier = "complex"
price = { input = 10, output = 20, cached = 1 }

[models.third]
provider = "deepseek"
id = "deepseek-chat"
context = 20000
price = { input = 3, output = 4, cached = 3 }

[routes]
simple = { cheap = 60, third = 40 }
medium = { cheap = 60, third = 40 }
complex = { dear = 100 }
critical = { dear = 100 }
last = "dear"
"""


def settings_of(wire: Any, folder: Path, **names: str) -> HubSettings:
    """Settings over the fake vendors; `names` are environment names, over ours."""
    table = folder / "models.toml"
    table.write_text(TABLE)
    values = {
        "LLM_MODELS_FILE": str(table),
        "LLM_RETRY_DELAY": "0.01",
        "OPENAI_API_KEY": wire.openai.key,
        "OPENAI_BASE_URL": wire.openai.url,
        "ANTHROPIC_API_KEY": wire.anthropic.key,
        "ANTHROPIC_BASE_URL": wire.anthropic.url,
        "DEEPSEEK_API_KEY": wire.deepseek.key,
        "DEEPSEEK_BASE_URL": wire.deepseek.url,
        "LLM_DAILY_QUOTAS": "gemini=0",
    }
    return HubSettings.from_env({name: value for name, value in (values | names).items() if value})


@contextlib.asynccontextmanager
async def hub_of(
    settings: HubSettings, folder: Path, clock: Clock | None = None, **options: Any
) -> AsyncIterator[LLMService]:
    """A started hub; closed afterwards."""
    clock = clock or SystemClock()
    async with Http(clock) as http, LLMService(assemble(settings, http, clock, folder, **options)) as hub:
        yield hub


def rows(folder: Path, columns: str = "provider, model, outcome, cost") -> list[tuple[Any, ...]]:
    """The ledger's rows, in order."""
    import sqlite3

    with contextlib.closing(sqlite3.connect(folder / "hub.db")) as connection:
        return connection.execute(f"SELECT {columns} FROM attempts ORDER BY id").fetchall()


def money(folder: Path) -> dict[str, tuple[int, int]]:
    """Scope to (settled, reserved), nano-dollars."""
    import sqlite3

    with contextlib.closing(sqlite3.connect(folder / "hub.db")) as connection:
        found = connection.execute("SELECT scope, settled, reserved FROM budget").fetchall()
        assert connection.execute("SELECT count(*) FROM reservations").fetchone() == (0,)
        return {scope: (settled, reserved) for scope, settled, reserved in found}


async def clean(hub: LLMService) -> None:
    """No reservation, slot, queue place or half-open probe is left."""
    parts = hub._parts
    for _ in range(200):
        sums = await hub.spent()
        if all(value.reserved == 0 for value in sums.values()):
            break
        await asyncio.sleep(0.01)
    assert all(value.reserved == 0 for value in sums.values())
    assert (parts.gate.free, parts.gate.waiting) == (parts.gate.size, 0)
    assert all((gate.free, gate.waiting) == (gate.size, 0) for gate in parts.attempts.gates.values())
    assert parts.limits.waiting == 0
