"""The Redis log keeps the same contract as SQLite's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.log import ArchiveContract
from tests.fakes.redis import RedisServer
from tests.fakes.redis import redis_server as redis_server
from tests.stream.redis_logs import RedisLogs


@pytest.fixture
async def logs(redis_server: RedisServer, tmp_path: Path):
    made = RedisLogs(redis_server, tmp_path)
    yield made
    await made.close()


class TestRedisLog(ArchiveContract):
    """One line joins the contract."""
