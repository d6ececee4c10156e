"""Both stores keep the same promises; what only one of them can do."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from catalyst.errors import StorageError
from catalyst.llm.cache.redis import RedisCache
from catalyst.llm.cache.sqlite import SqliteCache
from tests.contracts.cache import MOST, NOW, CacheContract, entry, key
from tests.fakes.redis import RedisServer
from tests.fakes.redis import redis_server as redis_server


class TestSqlite(CacheContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[SqliteCache]:
        store = SqliteCache(tmp_path / "cache.db", most=MOST)
        await store.open()
        yield store
        await store.close()

    async def test_two_processes_share_a_file(self, store: SqliteCache, tmp_path: Path) -> None:
        other = SqliteCache(tmp_path / "cache.db")
        await store.keep(entry())
        assert await other.by_key(key(1)) is not None
        await other.reject(key(1), NOW, NOW + 10)
        assert await store.by_key(key(1)) is None
        await other.close()

    async def test_a_file_that_is_no_database_is_set_aside(self, tmp_path: Path) -> None:
        path = tmp_path / "broken.db"
        path.write_bytes(b"no database at all" * 1000)
        store = SqliteCache(path)
        await store.open()
        assert await store.keep(entry()) is not None
        await store.close()
        assert path.with_name("broken.db.broken").exists()

    async def test_a_file_of_a_newer_catalyst_is_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "newer.db"
        first = SqliteCache(path)
        await first.open()
        await first.close()
        with sqlite3.connect(path) as db:
            db.execute("UPDATE migrations SET version = 99")
        with pytest.raises(StorageError, match="newer"):
            await SqliteCache(path).open()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    import shutil

    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server: apt-get install redis-server")
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


class TestRedis(CacheContract):
    @pytest.fixture
    async def store(self, server: RedisServer) -> AsyncIterator[RedisCache]:
        from redis.asyncio import Redis

        redis = Redis.from_url(server.url)
        await redis.flushall()
        store = RedisCache(redis, most=MOST)
        yield store
        await store.close()

    async def test_a_lease_is_one_holders_until_it_is_released(self, store: RedisCache) -> None:
        token = await store.lease(key(1), 30)
        assert token is not None
        assert await store.lease(key(1), 30) is None
        await store.release(key(1), "another's token")
        assert await store.lease(key(1), 30) is None
        await store.release(key(1), token)
        assert await store.lease(key(1), 30) is not None

    async def test_a_server_that_is_away_is_a_storage_error(self, tmp_path: Path) -> None:
        from redis.asyncio import Redis

        away = RedisCache(Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.2))
        with pytest.raises(StorageError, match="Redis"):
            await away.by_key(key(1))
        await away.close()
