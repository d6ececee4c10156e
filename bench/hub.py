"""What one `query` costs in CPU beside litellm, and whether four targets of mixed health answer everything.

    python -m bench.hub [--quick] [--upstream FILE] [--peer-python PYTHON] [-c 64] [-n 4000]

`--upstream` is any script that serves OpenAI's chat format on `--port N`. The hub runs with ledger, budget, tenant
limits and metrics on and no cache; litellm runs `acompletion` against the same upstream. CPU is user + system of the
client process, best of three.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from bench.common import ROOT, free_port, percentile, report, say

UPSTREAM = ROOT.parent / "shared" / "bench" / "gateway" / "fake_server.py"
SYSTEM, PROMPT = "You are helpful.", "Say hello in one short sentence."
Call = Callable[[], Awaitable[object]]


def environ(base: str, **more: str) -> dict[str, str]:
    """Settings with everything on and nothing in the way: the tenant's limit is counted but never reached."""
    plenty = "100000000"
    return {
        "OPENAI_API_KEY": "sk-bench",
        "OPENAI_BASE_URL": f"{base}/v1",
        "LLM_MAX_CONCURRENT": "256",
        "LLM_MAX_CONCURRENT_REQUESTS": "256",
        "LLM_REQUESTS_PER_MINUTE": "1000000",
        "LLM_REQUESTS_PER_HOUR": "1000000",
        "LLM_REQUESTS_PER_DAY": "1000000",
        "LLM_COST_HARD_LIMIT_MONTHLY": plenty,
    } | more


async def hub_call(base: str, stack: contextlib.AsyncExitStack) -> Call:
    from catalyst.clock import SystemClock
    from catalyst.http import Http
    from catalyst.llm import HubSettings, LLMRequest, LLMService

    clock = SystemClock()
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    http = await stack.enter_async_context(Http(clock, connections=256, per_host=256))
    settings = HubSettings.from_env(environ(base))
    hub = await stack.enter_async_context(LLMService.from_settings(settings, http, clock, folder))

    async def call() -> object:
        request = LLMRequest(
            prompt=PROMPT, system_prompt=SYSTEM, model="gpt-4o-mini", max_tokens=64, tenant="acme", enable_cache=False
        )
        answer = await hub.query(request)
        return answer.text, answer.tokens_output

    return call


async def litellm_call(base: str, stack: contextlib.AsyncExitStack) -> Call:
    import litellm  # type: ignore[import-not-found,unused-ignore]

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    turns = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": PROMPT}]

    async def call() -> object:
        answer = await litellm.acompletion(
            model="openai/gpt-4o-mini",
            messages=turns,
            max_tokens=64,
            api_key="sk-bench",
            api_base=f"{base}/v1",
            num_retries=0,
        )
        return answer.choices[0].message.content, answer.usage.total_tokens

    return call


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def loaded(call: Call, concurrency: int, count: int) -> tuple[float, float]:
    """CPU milliseconds a call and calls a second."""
    numbers = iter(range(count))

    async def work() -> None:
        for _ in numbers:
            await call()

    began, cpu = time.perf_counter(), cpu_seconds()
    await asyncio.gather(*[work() for _ in range(concurrency)])
    return (cpu_seconds() - cpu) * 1000 / count, count / (time.perf_counter() - began)


async def measure(kind: str, base: str, concurrency: int, count: int) -> dict[str, Any]:
    """One client process's figures."""
    async with contextlib.AsyncExitStack() as stack:
        call = await {"hub": hub_call, "litellm": litellm_call}[kind](base, stack)
        await loaded(call, concurrency, concurrency * 4)
        runs = [await loaded(call, concurrency, count) for _ in range(3)]
    cpu, rate = min(runs)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "cpu_ms": round(cpu, 4),
        "rate": round(rate),
        "all": [round(one, 4) for one, _ in runs],
        "rss_mb": round(rss, 1),
    }


def child(python: str, *arguments: str) -> dict[str, Any]:
    """Run this file in another process (or another Python) and read its JSON."""
    command = [python, "-m", "bench.hub", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=child_environ(), stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def child_environ() -> dict[str, str]:
    import os

    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LLM_", "OPENAI_"))}
    return kept | {
        "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOG": "ERROR",
    }


def import_seconds() -> float:
    """CPU of importing the hub whole, not only its lazy front; best of five."""
    code = (
        "import time; t = time.process_time(); from catalyst.llm import LLMService, LLMRequest; "
        "import catalyst.llm.assembly; print(time.process_time() - t)"
    )
    runs = [subprocess.run([sys.executable, "-c", code], env=child_environ(), capture_output=True) for _ in range(5)]
    return round(min(float(run.stdout) for run in runs), 3)


@contextlib.contextmanager
def upstream(script: Path, *arguments: str) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, str(script), "--port", str(port), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    time.sleep(1.0)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


ANSWER = json.dumps(
    {
        "id": "c", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 3, "total_tokens": 23},
    }
).encode()  # fmt: skip

MIXED = """
[models.flaky]
provider = "openai"
[models.down]
provider = "openrouter"
[models.limited]
provider = "deepseek"
[models.slow]
provider = "custom"
[routes]
simple = { flaky = 25, down = 25, limited = 25, slow = 25 }
last = "slow"
"""
MIXED = MIXED.replace('"\n[', '"\nprice = { input = 1, output = 2 }\n[', 4)


async def serve_mixed(flaky: int, limited: int, slow: int) -> None:
    """Three servers: one fails 30 %, one takes 20 requests a second, one needs 0.4 s."""
    from aiohttp import web

    recent: list[float] = []
    rng = random.Random(7)

    async def answer(request: web.Request) -> web.Response:
        port = request.url.port
        now = time.monotonic()
        if port == flaky and rng.random() < 0.3:
            return web.Response(status=500, body=b'{"error": {"message": "failed"}}')
        if port == limited:
            recent[:] = [moment for moment in recent if moment > now - 1.0]
            if len(recent) >= 20:
                wait = max(0.0, recent[0] + 1.0 - now)
                return web.Response(status=429, headers={"Retry-After": f"{wait:.3f}"}, body=b"{}")
            recent.append(now)
        await asyncio.sleep(0.4 if port == slow else 0.1)
        return web.Response(body=ANSWER, content_type="application/json")

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    for port in (flaky, limited, slow):
        await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


async def mixed(count: int, rate: float, ports: list[int]) -> dict[str, Any]:
    """`count` high-priority requests at `rate` a second, each with 10 s; open loop."""
    from catalyst.clock import SystemClock
    from catalyst.http import Http
    from catalyst.llm import HubSettings, LLMRequest, LLMService, LLMServiceError

    flaky, down, limited, slow = (f"http://127.0.0.1:{port}/v1" for port in ports)
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as name:
        table = Path(name) / "models.toml"
        table.write_text(MIXED)
        values = environ("", OPENAI_BASE_URL=flaky, OPENROUTER_BASE_URL=down, DEEPSEEK_BASE_URL=limited)
        values |= {"CUSTOM_BASE_URL": slow, "OPENROUTER_API_KEY": "k", "DEEPSEEK_API_KEY": "k"}
        values |= {"LLM_MODELS_FILE": str(table), "LLM_ROUTING_STRATEGY": "balanced", "LLM_RETRY_DELAY": "0.5"}
        answered, attempts, latencies = 0, 0, []

        async def ask(hub: LLMService) -> None:
            nonlocal answered, attempts
            request = LLMRequest(prompt=PROMPT, priority="high", timeout_seconds=10, tenant="acme", complexity="simple")
            began = time.monotonic()
            try:
                answer = await hub.query(request)
            except LLMServiceError as error:
                say(f"unanswered: {error}")
                attempts += sum(record.outcome != "skipped" for record in getattr(error, "attempts", ()))
                return
            answered += time.monotonic() - began <= 10.0
            attempts += answer.retries + 1
            latencies.append((time.monotonic() - began) * 1000)

        settings = HubSettings.from_env(values)
        async with (
            Http(clock, per_host=256) as http,
            LLMService.from_settings(settings, http, clock, Path(name)) as hub,
        ):
            began = time.monotonic()
            async with asyncio.TaskGroup() as group:
                for number in range(count):
                    await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
                    group.create_task(ask(hub))
            circuits = (await hub.health())["circuits"]
            opened = hub.counted("catalyst_llm_breaker_opened_total")
    return {
        "answered_share": answered / count,
        "attempts_per_request": round(attempts / count, 3),
        "p50_ms": percentile(latencies, 0.5),
        "p99_ms": percentile(latencies, 0.99),
        "circuits": circuits,
        "opened": opened,
    }


def run_mixed(count: int, rate: float) -> dict[str, Any]:
    ports = [free_port() for _ in range(4)]
    serving = [ports[0], ports[2], ports[3]]
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.hub", "--child", "serve", *map(str, serving)], cwd=ROOT, env=child_environ()
    )
    try:
        time.sleep(1.5)
        return child(sys.executable, "--child", "mixed", str(count), str(rate), *map(str, ports))
    finally:
        server.kill()
        server.wait()


async def ledger(count: int) -> dict[str, Any]:
    """Write `count` rows of two days in groups, as the service does, then ask for each report."""
    from functools import partial
    from zoneinfo import ZoneInfo

    from catalyst.clock import SystemClock
    from catalyst.llm.ledger import GROUP_ROWS, Ledger, Row
    from catalyst.llm.store import HubStore
    from catalyst.llm.usage import GROUPS, report

    with tempfile.TemporaryDirectory() as name:
        store = HubStore(Path(name) / "hub.db")
        book = Ledger(store, SystemClock(), ZoneInfo("UTC"))
        cpu, now = cpu_seconds(), time.time()
        for start in range(0, count, GROUP_ROWS):
            rows = [
                Row(
                    now - 172_800 * number / count, f"r{number}", f"t{number % 120}", f"f{number // 120 % 4}", "openai",
                    f"m{number // 480 % 5}", "ok" if number % 9 else "timeout", 1000, 100, 0, 1_000, "v", 800.0,
                )
                for number in range(start, start + GROUP_ROWS)
            ]  # fmt: skip
            await store.write(partial(book._insert, rows=rows, admitted=[]))
        insert = (cpu_seconds() - cpu) * 1000 / count
        took = []
        for by in GROUPS:
            began = time.perf_counter()
            await report(store, by)
            took.append(time.perf_counter() - began)
        store.close()
    return {"ledger_row_ms": round(insert, 4), "usage_report_s": round(max(took), 3)}


def run_child(words: list[str]) -> None:
    import uvloop

    kind, *rest = words
    if kind != "litellm":  # log as the service does; the peer's Python has no structlog
        import structlog

        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30), cache_logger_on_first_use=True)
    if kind == "serve":
        uvloop.run(serve_mixed(*map(int, rest)))
    elif kind == "ledger":
        print(json.dumps(uvloop.run(ledger(int(rest[0])))))
    elif kind == "mixed":
        print(json.dumps(uvloop.run(mixed(int(rest[0]), float(rest[1]), list(map(int, rest[2:]))))))
    else:
        print(json.dumps(uvloop.run(measure(kind, rest[0], int(rest[1]), int(rest[2])))))


def has_litellm(python: str) -> bool:
    return subprocess.run([python, "-c", "import litellm"], capture_output=True).returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the calls")
    parser.add_argument("--upstream", type=Path, default=UPSTREAM, help="a script that serves --port N")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has litellm")
    parser.add_argument("-c", type=int, default=64, help="calls in flight")
    parser.add_argument("-n", type=int, default=4000, help="calls a run")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        run_child(options.child)
        return
    count = options.n // 10 if options.quick else options.n
    figures: dict[str, Any] = {"import_s": import_seconds()}
    say(f"import {figures['import_s']} s")
    peers: dict[str, Any] = {}
    with upstream(options.upstream) as base:
        ours = child(sys.executable, "--child", "hub", base, str(options.c), str(count))
        say(f"hub {ours}")
        figures |= {"cpu_ms_per_call": ours["cpu_ms"], "rss_mb": ours["rss_mb"]}
        if has_litellm(options.peer_python):
            theirs = child(options.peer_python, "--child", "litellm", base, str(options.c), str(max(count // 4, 200)))
            say(f"litellm {theirs}")
            peers["litellm"] = theirs
            figures["ratio_litellm"] = round(theirs["cpu_ms"] / ours["cpu_ms"], 2)
        else:
            say("litellm is not installed: no ratio (requirements/bench.txt)")
    figures |= child(sys.executable, "--child", "ledger", "100000" if options.quick else "1000000")
    say(f"ledger {figures['ledger_row_ms']} ms a row, report {figures['usage_report_s']} s")
    outcome = run_mixed(500 if options.quick else 5000, 60.0)
    say(f"four targets {outcome}")
    figures |= {
        name: outcome[name] for name in ("answered_share", "attempts_per_request", "p50_ms", "p99_ms", "opened")
    }
    report("hub", figures, peers=peers, settings={"c": options.c, "n": count, "upstream": options.upstream})


if __name__ == "__main__":
    main()
