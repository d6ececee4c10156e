from __future__ import annotations

from tests.fakes.redis import redis_server as redis_server
