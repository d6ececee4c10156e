"""Several processes and one Redis: one call for all, and a server that forgets or goes away is a cold cache."""

from __future__ import annotations

import asyncio
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from catalyst.llm.cache.redis import RedisCache
from tests.fakes.redis import RedisServer
from tests.fakes.redis import redis_server as redis_server
from tests.llm.cache.cached import cached_hub, warm
from tests.llm.cache.test_ladder import Q2, Q3_AGAIN, always, question

SCRIPT = textwrap.dedent("""
    import asyncio, json, os, sys
    from pathlib import Path
    import catalyst.app.build.cache
    from catalyst.app.build.cache import answer_cache
    from catalyst.clock import SystemClock
    from catalyst.llm.settings import HubSettings
    from tests.llm.cache.test_ladder import question
    from tests.llm.hub import hub_of

    catalyst.app.build.cache.REDIS_SECONDS = 20.0  # a loaded machine is no fault of Redis

    async def main():
        clock, folder = SystemClock(), Path(sys.argv[1])
        settings = HubSettings.from_env(json.loads(sys.argv[2]))
        cache = answer_cache(settings, clock, folder, nearest=False)
        async with hub_of(settings, folder, clock, cache=cache) as hub:
            await hub.start()
            print("ready", flush=True)
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
            found = await asyncio.gather(*(hub.query(question(timeout_seconds=60)) for _ in range(25)))
            print("cached", sum(one.cached for one in found), flush=True)

    asyncio.run(main())
""")


def redis_store(server: RedisServer) -> RedisCache:
    from redis.asyncio import Redis

    return RedisCache(Redis.from_url(server.url, socket_timeout=0.5, socket_connect_timeout=0.5))


async def _told(process: asyncio.subprocess.Process, word: str) -> str:
    assert process.stdout is not None
    while line := (await process.stdout.readline()).decode():
        if line.startswith(word):
            return line.removeprefix(word).strip()
    raise AssertionError(f"a process ended with {await process.wait()} before it said {word}")


@pytest.mark.slow
async def test_a_hundred_same_questions_in_four_processes_are_one_call(wire, tmp_path, redis_server):
    import json

    table = tmp_path / "models.toml"
    from tests.llm.hub import TABLE

    table.write_text(TABLE)
    names = {
        "LLM_MODELS_FILE": str(table), "OPENAI_API_KEY": wire.openai.key, "OPENAI_BASE_URL": wire.openai.url,
        "REDIS_URL": redis_server.url,
    }  # fmt: skip
    wire.openai.says("once for all", delay=0.5)
    processes = []
    for number in range(4):
        (tmp_path / str(number)).mkdir()
        processes.append(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                SCRIPT,
                str(tmp_path / str(number)),
                json.dumps(names),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                cwd=Path(__file__).parents[3],
            )
        )
    await asyncio.gather(*(_told(process, "ready") for process in processes))
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
    cached = [int(await _told(process, "cached")) for process in processes]
    for process in processes:
        await process.wait()
    assert sum(cached) == 99
    assert len(wire.openai.requests) == 1


async def test_a_leader_that_died_is_not_waited_for_longer_than_patience(wire, tmp_path, redis_server):
    async with cached_hub(wire, tmp_path, store=redis_store(redis_server), load=None) as (hub, cache):
        job = hub.prepare(question())
        visit: Any = await cache.visit(job)
        await cache._store.release(visit._seat.key, visit._seat.token)
        visit.leave()
        assert await cache._store.lease(visit._seat.key, 60) is not None  # a process that never comes back
        assert not (await hub.query(question(timeout_seconds=1.5))).cached


async def test_redis_flushed_in_between_is_a_cold_cache(wire, tmp_path, redis_server):
    from redis.asyncio import Redis

    async with cached_hub(
        wire, tmp_path, store=redis_store(redis_server), judge=always("serve"), floor=0.5
    ) as (hub, cache):  # fmt: skip
        await warm(cache)
        await hub.query(question())
        await cache.settled()
        assert (await hub.query(question(Q2))).cached
        async with Redis.from_url(redis_server.url) as redis:
            await redis.flushall()
        assert not (await hub.query(question(Q2))).cached
        assert (await hub.query(question(Q2))).cached
        await cache.settled()
        assert (await hub.query(question(Q3_AGAIN))).cached
        assert hub.get_stats()["cache"]["error"] == 0


async def test_redis_gone_is_a_miss_and_is_left_alone_for_a_while(wire, tmp_path, redis_server):
    async with cached_hub(wire, tmp_path, store=redis_store(redis_server), load=None) as (hub, _):
        await hub.query(question())
        redis_server.stop()
        for _ in range(3):
            assert not (await hub.query(question())).cached
        assert hub.get_stats()["cache"]["error"] <= 2


async def test_two_processes_see_each_others_vectors_through_the_stream(wire, tmp_path, redis_server):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    options: Any = {"judge": always("serve"), "floor": 0.5}
    async with (
        cached_hub(wire, folders[0], store=redis_store(redis_server), **options) as (one, first),
        cached_hub(wire, folders[1], store=redis_store(redis_server), **options) as (two, second),
    ):
        await warm(first)
        await warm(second)
        await one.query(question())
        await first.settled()
        await second._near._catch_up()
        assert (await two.query(question(Q2))).cache_kind == "semantic"
