"""120 tenants, each far over its limit: exact windows, true `retry_after`, fair waits, in one process and in four.

    python -m bench.tenants [--quick] [--tenants 120] [--window 4] [--limit 5]

Whole hubs over an upstream on loopback that logs each arrival. Even tenants queue (up to 2.2 windows), odd ones are
refused at once; every twelfth floods with four times as much as its neighbours. Tenants' requests are spread over all
processes, which share Redis. After a refusal one process asks again just before the moment it was told (must be
refused) and just after it (must be admitted). The windows are short, to roll often; the long form ends with a run of
real minutes. Admissions are read from the hub's own store and checked against the upstream's arrivals one by one.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench.budget_race import flush, redis
from bench.common import ROOT, free_port, get_json, percentile, report, say
from bench.hub import ANSWER, child_environ, environ
from catalyst.llm.settings import TenantLimits

PATIENCE = 2.2
"""Windows that a queueing request waits."""

CYCLE = 3.6
"""Windows from one burst of a queueing tenant to the next: all that was told lies in between."""

BEFORE, AFTER = 0.3, 0.03
"""Seconds from the told moment to the two probes."""

OVERTAKEN = 0.3
"""A request sent this much later must not arrive earlier."""

GRACE = 15.0
"""Seconds of a request beyond its patience."""


@dataclass(frozen=True)
class Plan:
    """One run. `start` is a POSIX time that all processes share."""

    base: str
    folder: str
    redis_url: str
    processes: int
    tenants: int
    limit: int
    window: float
    cycles: int
    start: float = 0.0

    def queues(self, tenant: int) -> bool:
        return tenant % 2 == 0

    def burst(self, tenant: int) -> int:
        """Requests of one tenant in one burst, over all processes."""
        return self.limit * (16 if tenant % 12 < 2 else 4)


@dataclass(frozen=True, slots=True)
class Short(TenantLimits):
    """A limit over `seconds` instead of a minute; the hour's makes the stores remember every admission."""

    seconds: float = 60.0

    @property
    def windows(self) -> tuple[tuple[int, float], ...]:
        return ((self.minute, self.seconds), (self.hour, 3_600.0))


@dataclass(slots=True)
class Sent:
    """One request's end, as its caller saw it."""

    id: str
    tenant: int
    at: float
    outcome: str
    told: float = 0.0
    """The moment to come back, of a refused one."""
    probe: str = ""
    """`before` or `after` the moment `expected`."""
    expected: float = 0.0


class Process:
    """One process's tenants over one hub."""

    def __init__(self, plan: Plan, number: int, hub: Any) -> None:
        self._plan = plan
        self._number = number
        self._hub = hub
        self._count = 0
        self.sent: list[Sent] = []

    async def run(self) -> None:
        await asyncio.gather(*[self._tenant(tenant) for tenant in range(self._plan.tenants)])

    async def _tenant(self, tenant: int) -> None:
        plan, rng = self._plan, random.Random(tenant)
        begin = plan.start + rng.random() * plan.window
        step = CYCLE if plan.queues(tenant) else 1.4
        for cycle in range(max(1, round(plan.cycles * CYCLE / step))):
            await _until(begin + cycle * step * plan.window)
            share = range(self._number, plan.burst(tenant), plan.processes)
            asked = [asyncio.create_task(self._spread(tenant, place)) for place in share]
            # The burst goes out within 0.4 s; who is refused knows it by then. Who queues is not waited for.
            await asyncio.sleep(0.6)
            refused = [task.result() for task in asked if task.done() and task.result().outcome == "refused"]
            if refused and (tenant + cycle) % plan.processes == self._number:
                await self._probe(tenant, refused[-1].told)
            await asyncio.gather(*asked)

    async def _spread(self, tenant: int, place: int) -> Sent:
        await asyncio.sleep(0.4 * place / self._plan.burst(tenant))
        return await self._ask(tenant, PATIENCE * self._plan.window if self._plan.queues(tenant) else 0.0)

    async def _probe(self, tenant: int, told: float) -> None:
        for probe, moment in (("before", told - BEFORE), ("after", told + AFTER)):
            await _until(moment)
            await self._ask(tenant, 0.0, probe, told)

    async def _ask(self, tenant: int, patience: float, probe: str = "", expected: float = 0.0) -> Sent:
        from catalyst.errors import QuotaExceeded
        from catalyst.llm import LLMRequest, LLMServiceError

        self._count += 1
        one = Sent(f"{self._number}.{self._count}", tenant, time.time(), "answered", 0.0, probe, expected)
        self.sent.append(one)
        # Who is not to queue has too little time left to wait until the window frees a place.
        request = LLMRequest(
            prompt=f"{tenant} {one.id}",
            model="gpt-4o-mini",
            max_tokens=16,
            tenant=f"t{tenant}",
            timeout_seconds=patience + GRACE if patience else 0.7 if probe == "before" else 2.0,
            max_retries=0,
            enable_cache=False,
        )
        try:
            await self._hub.query(request)
        except QuotaExceeded as refusal:
            one.outcome, one.told = "refused", time.time() + refusal.retry_after
        except LLMServiceError as error:
            one.outcome = f"lost: {error}"[:200]
        return one


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.time()))


async def drive(plan: Plan, number: int) -> None:
    """One process's part of a run; what it sent stands in its folder's `sent.json`."""
    from catalyst.clock import SystemClock
    from catalyst.http import Http
    from catalyst.llm import HubSettings, LLMService

    folder = Path(plan.folder) / str(number)
    folder.mkdir()
    more = {"REDIS_URL": plan.redis_url} if plan.redis_url else {}
    settings = replace(
        HubSettings.from_env(environ(plan.base, LLM_QUEUE_SECONDS=str(PATIENCE * plan.window), **more)),
        limits=Short(plan.limit, 1_000, 0, plan.window),
    )
    clock = SystemClock()
    async with (
        Http(clock, connections=256, per_host=256) as http,
        LLMService.from_settings(settings, http, clock, folder) as hub,
    ):
        process = Process(plan, number, hub)
        await process.run()
    (folder / "sent.json").write_text(json.dumps([asdict(one) for one in process.sent]))


async def serve(port: int) -> None:
    """Answers in OpenAI's format after 5 ms; `/log` tells when each prompt arrived, by the machine's clock."""
    from aiohttp import web

    arrivals: list[tuple[float, str]] = []

    async def answer(request: web.Request) -> web.Response:
        now = time.time()
        arrivals.append((now, json.loads(await request.read())["messages"][-1]["content"]))
        await asyncio.sleep(0.005)
        return web.Response(body=ANSWER, content_type="application/json")

    async def told(_: web.Request) -> web.Response:
        taken = arrivals.copy()
        arrivals.clear()
        return web.json_response(taken)

    app = web.Application()
    app.router.add_get("/log", told)
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


def admissions(plan: Plan) -> dict[int, list[float]]:
    """When the hub admitted each tenant's requests: Redis' lists, or the process's ledger."""
    found: dict[int, list[float]] = defaultdict(list)
    if plan.redis_url:
        from redis import Redis

        with Redis.from_url(plan.redis_url) as client:
            for tenant in range(plan.tenants):
                raw: Any = client.lrange(f"catalyst:{{hub}}:tenant:t{tenant}", 0, -1)
                found[tenant] = sorted(map(float, raw))
        return found
    import sqlite3

    with contextlib.closing(sqlite3.connect(Path(plan.folder) / "0" / "hub.db")) as connection:
        for tenant, at in connection.execute("SELECT tenant, at FROM admissions ORDER BY at"):
            found[int(tenant[1:])].append(at)
    return found


def crowded(moments: list[float], limit: int, span: float) -> int:
    """Moments by which a window of `span` seconds held more than `limit`."""
    return sum(later - earlier < span for earlier, later in zip(moments, moments[limit:], strict=False))


def verdict(plan: Plan, sent: list[Sent], log: list[tuple[float, str]]) -> dict[str, Any]:
    """The figures of one run."""
    arrived: dict[int, list[float]] = defaultdict(list)
    at: dict[str, list[float]] = defaultdict(list)
    for moment, prompt in log:
        tenant, ident = prompt.split()
        arrived[int(tenant)].append(moment)
        at[ident].append(moment)
    let_in = admissions(plan)
    lags = [
        late - early
        for tenant in range(plan.tenants)
        for early, late in zip(let_in[tenant], sorted(arrived[tenant]), strict=False)
    ]
    slack = max(lags, default=0.0)
    answered = [one for one in sent if one.outcome == "answered"]
    outside = sum(len(let_in[tenant]) != len(arrived[tenant]) for tenant in range(plan.tenants))
    waits = mean_waits(plan, answered, at)
    return {
        "sent": len(sent),
        "answered": len(answered),
        "refused": sum(one.outcome == "refused" for one in sent),
        "lost": sum(one.outcome.startswith("lost") for one in sent),
        "unmatched": outside + sum(len(at[one.id]) != 1 for one in answered) + abs(len(log) - len(answered)),
        "over_limit": sum(
            crowded(let_in[tenant], plan.limit, plan.window - 0.001)
            + crowded(sorted(arrived[tenant]), plan.limit, plan.window - slack - 0.001)
            for tenant in range(plan.tenants)
        ),
        "arrival_lag_ms": round(slack * 1000, 1),
        "arrival_lag_p99_ms": percentile([lag * 1000 for lag in lags], 0.99),
        "probes": sum(bool(one.probe) for one in sent),
        "false_retry_after": sum(false(one, at) for one in sent),
        "overtaken": sum(overtaken(plan, tenant, answered, at) for tenant in range(plan.tenants)),
        "wait_ratio": round(max(waits) / min(waits), 3),
        "mean_wait_s": round(sum(waits) / len(waits), 3),
        "example": next((one.outcome for one in sent if one.outcome.startswith("lost")), ""),
    }


def false(one: Sent, at: dict[str, list[float]]) -> bool:
    """Whether a probe shows that its tenant was told a wrong moment. One that the machine sent late shows nothing."""
    if one.probe == "before":
        return one.outcome == "answered" and min(at[one.id]) < one.expected
    return one.probe == "after" and one.outcome != "answered"


def mean_waits(plan: Plan, answered: list[Sent], at: dict[str, list[float]]) -> list[float]:
    """Each queueing tenant's mean seconds from asking to arrival."""
    waits: dict[int, list[float]] = defaultdict(list)
    for one in answered:
        if plan.queues(one.tenant) and not one.probe:
            waits[one.tenant].append(min(at[one.id]) - one.at)
    return [sum(found) / len(found) for found in waits.values()]


def overtaken(plan: Plan, tenant: int, answered: list[Sent], at: dict[str, list[float]]) -> int:
    """Requests of a queueing tenant that one sent clearly later was served before."""
    mine = sorted((one.at, min(at[one.id])) for one in answered if one.tenant == tenant and not one.probe)
    count, earliest = 0, float("inf")
    later = len(mine) - 1
    for sent, came in reversed(mine):
        while later >= 0 and mine[later][0] > sent + OVERTAKEN:
            earliest = min(earliest, mine[later][1])
            later -= 1
        count += came > earliest + OVERTAKEN / 2
    return count if plan.queues(tenant) else 0


@contextlib.contextmanager
def upstream() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.tenants", "--child", "serve", str(port)], cwd=ROOT, env=child_environ()
    )
    time.sleep(1.5)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def run(plan: Plan) -> dict[str, Any]:
    """One run over all its processes."""
    with tempfile.TemporaryDirectory() as folder:
        plan = replace(plan, folder=folder, start=time.time() + 2.0 + plan.processes / 2)
        words = [[sys.executable, "-m", "bench.tenants", "--child", "drive", json.dumps(asdict(plan)), str(number)]
                 for number in range(plan.processes)]  # fmt: skip
        running = [subprocess.Popen(word, cwd=ROOT, env=child_environ()) for word in words]
        for process in running:
            process.wait()
        books = [Path(folder) / str(number) / "sent.json" for number in range(plan.processes)]
        sent = [Sent(**one) for book in books for one in json.loads(book.read_text())]
        return verdict(plan, sent, get_json(f"{plan.base}/log"))


def child(words: list[str]) -> None:
    import structlog
    import uvloop

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30), cache_logger_on_first_use=True)
    if words[0] == "serve":
        uvloop.run(serve(int(words[1])))
    else:
        uvloop.run(drive(Plan(**json.loads(words[1])), int(words[2])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one cycle of bursts, no minutes")
    parser.add_argument("--tenants", type=int, default=120)
    parser.add_argument("--limit", type=int, default=5, help="requests in a window")
    parser.add_argument("--window", type=float, default=4.0, help="seconds")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child)
        return
    cycles = 1 if options.quick else 3
    runs: dict[str, Any] = {}
    with upstream() as base, redis() as redis_url:
        plan = Plan(base, "", "", 1, options.tenants, options.limit, options.window, cycles)
        plans = {"one": plan}
        if redis_url:
            plans["four_redis"] = replace(plan, redis_url=redis_url, processes=4)
        if redis_url and not options.quick:
            plans["four_redis_minutes"] = replace(plans["four_redis"], window=60.0, cycles=1)
        for label, each in plans.items():
            flush(each.redis_url)
            runs[label] = run(each)
            say(f"{label} {runs[label]}")
    figures: dict[str, Any] = {"tenants": options.tenants, "processes": max(each.processes for each in plans.values())}
    for name in ("sent", "answered", "refused", "lost", "unmatched", "over_limit", "false_retry_after", "overtaken"):
        figures[name] = sum(found[name] for found in runs.values())
    figures["wait_ratio"] = max(found["wait_ratio"] for found in runs.values())
    report("tenants", figures | {"runs": runs}, settings={"limit": options.limit, "window_s": options.window})


if __name__ == "__main__":
    main()
