"""Money for a few calls, many fired at once, in one process and in four, and with kill -9 in the middle.

    python -m bench.budget_race [--quick] [--upstream FILE] [-n 200] [-k 5] [--cycles 8]

The hard limit holds exactly `k` calls. After the race, calls go one by one until twenty in a row are refused:
`reached_upstream` is the most that the upstream saw of both together, in any run, and `stranded_calls` how many of the
`k` never reached it though nobody else may use them any more. Processes share SQLite, then Redis where there is a
redis-server. A killed process's lease is waited for.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.common import ROOT, free_port, get_json, report, say
from bench.hub import PROMPT, SYSTEM, UPSTREAM, child_environ, environ, upstream

TABLE = '[models."gpt-4o-mini"]\nprovider = "openai"\nprice = { input = 0, output = 0.6 }\n'
TOKENS = 15
"""The upstream answers 15 tokens. With input free and max_tokens 15 a call's bound is what it costs: the money holds
exactly `k` calls."""

SECONDS = 2.0
LEASE_SECONDS = SECONDS + 16.0
"""The request's deadline and the grace of a lease."""


async def fire(base: str, folder: Path, redis_url: str, limit: str, count: int, one_by_one: bool) -> dict[str, Any]:
    """Fire `count` calls, at once or one by one until twenty in a row are refused."""
    from catalyst.clock import SystemClock
    from catalyst.errors import BudgetExceeded
    from catalyst.http import Http
    from catalyst.llm import HubSettings, LLMRequest, LLMService

    values = environ(base, LLM_COST_HARD_LIMIT_MONTHLY=limit, LLM_COST_TRACKING="0", REDIS_URL=redis_url)
    table = folder / "models.toml"
    table.write_text(TABLE)
    values["LLM_MODELS_FILE"] = str(table)
    clock = SystemClock()
    settings = HubSettings.from_env({name: value for name, value in values.items() if value})
    request = LLMRequest(
        prompt=PROMPT,
        system_prompt=SYSTEM,
        model="gpt-4o-mini",
        max_tokens=TOKENS,
        timeout_seconds=SECONDS,
        max_retries=0,
    )
    async with (
        Http(clock, connections=256, per_host=256) as http,
        LLMService.from_settings(settings, http, clock, folder) as hub,
    ):
        bound = hub.bound(request)
        print("ready", flush=True)
        if not one_by_one:
            found = await asyncio.gather(*[hub.query(request) for _ in range(count)], return_exceptions=True)
        else:
            found = []
            while sum(isinstance(one, BudgetExceeded) for one in found[-20:]) < 20:
                found += await asyncio.gather(hub.query(request), return_exceptions=True)
        month = next(value for key, value in (await hub.spent()).items() if key.startswith("month/"))
    refused = sum(isinstance(one, BudgetExceeded) for one in found)
    failed = [repr(one) for one in found if isinstance(one, BaseException) and not isinstance(one, BudgetExceeded)]
    return {
        "answered": len(found) - refused - len(failed),
        "refused": refused,
        "failed": failed[:2],
        "settled": month.settled,
        "reserved": month.reserved,
        "bound": bound,
    }


def start(base: str, folder: Path, redis_url: str, limit: Decimal, count: int, mode: str) -> subprocess.Popen[bytes]:
    words = [base, str(folder), redis_url or "-", f"{limit:f}", str(count), mode]
    command = [sys.executable, "-m", "bench.budget_race", "--child", *words]
    return subprocess.Popen(command, cwd=ROOT, env=child_environ(), stdout=subprocess.PIPE)


def ended(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    out, _ = process.communicate(timeout=120)
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """A redis-server of our own; an empty address where there is none."""
    if shutil.which("redis-server") is None:
        yield ""
        return
    port = free_port()
    words = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


def posts(base: str) -> int:
    served: int = get_json(f"{base}/stats")["posts"]
    return served


def race(base: str, redis_url: str, processes: int, count: int, limit: Decimal) -> dict[str, Any]:
    """`count` calls at once over `processes`, then one by one until nothing more goes."""
    with tempfile.TemporaryDirectory() as name:
        folder, before = Path(name), posts(base)
        running = [start(base, folder, redis_url, limit, count // processes, "at-once") for _ in range(processes)]
        found = [ended(process) for process in running]
        at_once = posts(base) - before
        rest = ended(start(base, folder, redis_url, limit, 0, "one-by-one"))
        return _verdict(at_once, posts(base) - before, rest, limit, [one["failed"] for one in found])


def killed(base: str, redis_url: str, count: int, limit: Decimal, seconds: float) -> dict[str, Any]:
    """Kill -9 a process `seconds` after it fired; once its lease ended, use up what is left."""
    with tempfile.TemporaryDirectory() as name:
        folder, before = Path(name), posts(base)
        process = start(base, folder, redis_url, limit, count, "at-once")
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        time.sleep(LEASE_SECONDS if redis_url else 0.3)
        at_once = posts(base) - before
        rest = ended(start(base, folder, redis_url, limit, 0, "one-by-one"))
        return _verdict(at_once, posts(base) - before, rest, limit, [])


def _verdict(at_once: int, total: int, rest: dict[str, Any], limit: Decimal, failed: list[Any]) -> dict[str, Any]:
    affordable = int(limit * 10**9) // rest["bound"]
    return {
        "at_once": at_once,
        "total": total,
        "stranded_calls": affordable - total,
        "settled": rest["settled"],
        "failed": [one for one in failed if one],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two kills instead of `cycles`")
    parser.add_argument("--upstream", type=Path, default=UPSTREAM, help="a script that serves --port N --delay-ms N")
    parser.add_argument("-n", type=int, default=200, help="calls fired at once")
    parser.add_argument("-k", type=int, default=5, help="reservations that the money holds")
    parser.add_argument("--cycles", type=int, default=8, help="kills")
    parser.add_argument("--child", nargs=6, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        base, folder, redis_url, limit, count, mode = options.child
        url = "" if redis_url == "-" else redis_url
        print(json.dumps(asyncio.run(fire(base, Path(folder), url, limit, int(count), mode == "one-by-one"))))
        return
    with upstream(options.upstream, "--delay-ms", "50") as base, redis() as redis_url:
        with tempfile.TemporaryDirectory() as name:
            bound = ended(start(base, Path(name), "", Decimal(0), 1, "at-once"))["bound"]
        limit = options.k * Decimal(bound).scaleb(-9)
        runs: dict[str, Any] = {"one": race(base, "", 1, options.n, limit)}
        say(f"one process {runs['one']}")
        for label, url in (("four_sqlite", ""), ("four_redis", redis_url)):
            if url or label == "four_sqlite":
                flush(url)
                runs[label] = race(base, url, 4, options.n, limit)
                say(f"{label} {runs[label]}")
        rng = random.Random(11)
        for cycle in range(2 if options.quick else options.cycles):
            url = redis_url if cycle % 4 == 3 or (options.quick and cycle) else ""
            flush(url)
            label = f"killed_{cycle}_{'redis' if url else 'sqlite'}"
            runs[label] = killed(base, url, options.n, limit, rng.uniform(0.0, 0.09))
            say(f"{label} {runs[label]}")
    figures = {
        "affordable": options.k,
        "reached_upstream": max(run["total"] for run in runs.values()),
        "stranded_calls": max(run["stranded_calls"] for run in runs.values()),
    }
    report("budget_race", figures | {"runs": runs}, settings={"n": options.n, "k": options.k, "redis": bool(redis_url)})


def flush(url: str) -> None:
    """Forget what an earlier race left in Redis."""
    if url:
        from redis import Redis

        with Redis.from_url(url) as client:
            client.flushall()


if __name__ == "__main__":
    main()
