"""`catalyst serve` in several processes on one Redis: one watches, all serve, another goes on when it dies."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.app.processes import free_port, run, started
from tests.fakes.redis import RedisServer
from tests.fakes.redis import redis_server as redis_server

DAY = ("serve", "--source", "sample", "--start", "06:00")


def asked(port: int, path: str) -> Any:
    """The answer as JSON, or None while there is none."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return json.load(answer)
    except (OSError, urllib.error.HTTPError):
        return None


def until(holds: Callable[[], Any], seconds: float = 60.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)
    return found


def state(port: int) -> str:
    found = asked(port, "/api/status")
    return str(found["edgar"]["state"]) if found else ""


@pytest.mark.slow
def test_one_watches_all_serve_and_the_other_goes_on_when_it_is_killed(redis_server: RedisServer, tmp_path: Path):
    one, two = free_port(), free_port()
    common = {"REDIS_URL": redis_server.url, "FEATURE_UNIFIED_LLM_SERVICE": "0"}
    arguments = (*DAY, "--speed", "60", "--data", str(tmp_path / "data"))
    with started(*arguments, "--port", str(one), cwd=tmp_path, log=tmp_path / "one.log", **common) as first:
        until(lambda: (asked(one, "/api/filings/recent") or {}).get("count", 0) >= 2)
        with started(*arguments, "--port", str(two), cwd=tmp_path, log=tmp_path / "two.log", **common) as second:
            until(lambda: state(two) == "standby")
            assert asked(two, "/health/ready") == {"status": "ok", "problems": []}
            before = asked(one, "/api/filings/recent?limit=50")["filings"]
            shown = {filing["filing_id"] for filing in asked(two, "/api/filings/recent?limit=50")["filings"]}
            assert {filing["filing_id"] for filing in before} <= shown
            first.kill()
            until(lambda: state(two) not in ("", "standby"))
            until(lambda: (asked(two, "/api/filings/recent?limit=50") or {}).get("count") == 25)
            redis_server.stop()
            until(lambda: asked(two, "/health/ready") is None and asked(two, "/health/live"))
            redis_server.start()
            until(lambda: asked(two, "/health/ready"))
            assert second.poll() is None
            until(lambda: ((asked(two, "/api/status") or {}).get("filings") or {}).get("final") == 25)
            counts = asked(two, "/api/status")["filings"]
            assert (counts["seen"], counts["final"], counts["pending"]) == (25, 25, 0)
            histories = [asked(two, f"/api/filings/by-id/{f['filing_id']}")["messages"] for f in before]
            assert max(Counter(m["version"] for m in told).most_common(1)[0][1] for told in histories) == 1
    assert (tmp_path / "data" / "sample-2" / "journal.db").exists(), "a second process on one folder takes its own"


def test_a_process_that_only_serves_needs_something_to_serve(tmp_path: Path):
    done = run("serve", "--role", "web", "--source", "sample", cwd=tmp_path)
    assert done.returncode == 2
    assert "set REDIS_URL" in done.stderr
    done = run("serve", "--role", "king", "--source", "sample", cwd=tmp_path, REDIS_URL="redis://127.0.0.1:1")
    assert (done.returncode, "use auto or web" in done.stderr) == (2, True)
