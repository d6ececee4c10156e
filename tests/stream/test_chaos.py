"""The short form of `bench.chaos --redis`: 25 kills of service, redis-server and client, beside one that syncs."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest
from bench.chaos_redis import available, run


@pytest.mark.slow
def test_twenty_five_kills_lose_and_repeat_nothing(tmp_path: Path):
    if not available():
        pytest.skip("no redis-server: apt-get install redis-server")
    options = Namespace(filings=800, fsync="always", cycles=25, seed=2, between=(0.1, 0.4), patience=20.0)
    found = run(options, tmp_path)
    assert found["acknowledged"] == 1600
    assert [found[name] for name in ("lost", "holes", "repeated", "moved")] == [0, 0, 0, 0]
    assert found["redelivered"] <= found["kills_client"]
