"""A disk that is slower than the requests costs them time, and no memory without end."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3

from catalyst.llm import LLMRequest
from catalyst.llm.cache import ladder
from tests.llm.cache.cached import cached_hub


async def test_answers_behind_a_locked_store_are_bounded_and_all_kept_in_the_end(wire, tmp_path, monkeypatch):
    monkeypatch.setattr(ladder, "MOST_KEEPING", 8)
    asked = [LLMRequest(prompt=f"Question {number} about nothing", complexity="simple") for number in range(24)]
    async with cached_hub(wire, tmp_path) as (hub, cache):
        await hub.query(LLMRequest(prompt="the store is open", complexity="simple"))
        await cache.settled()
        with contextlib.closing(sqlite3.connect(tmp_path / "cache.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            running = [asyncio.create_task(hub.query(request)) for request in asked]
            async with asyncio.timeout(20):
                while sum(task.done() for task in running) < 8 or len(cache._keeping) < len(asked):
                    await asyncio.sleep(0.01)
            assert sum(task.done() for task in running) == 8, "the others wait for the disk"
            other.execute("ROLLBACK")
        await asyncio.gather(*running)
        await cache.settled()
        assert all([(await hub.query(request)).cached for request in asked])
