"""How fast and how small the answer cache's index is: `python -m bench.cache_index [--quick] [--entries N]`.

Fills one tenant's scope with questions of one kind (companies x metrics x periods, made here), then measures, in one
process: L0 and L1 lookups through the whole cache over SQLite and Redis, the nearest of all vectors, the whole of L2
with embedding, loading at start, and memory above the same process with an empty cache. Peers on the same vectors:
numpy over all in floats, usearch over all in 8 bits. `*_cpu_ms` is processor time for one lookup: the wall clock of a
shared machine also shows the others.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from bench.common import percentile, report, say

TARGETS = {"l1_p99_ms": 1.0, "index_p99_ms": 5.0, "l2_p99_ms": 20.0, "rss_delta_mb": 100.0, "load_s": 2.0}
EMBEDDED = 5_000
"""Questions that are really embedded when filling; each further vector lies between two of theirs (embedding 100,000
takes minutes of processor time, and where they come from changes nothing about finding them)."""

METRICS = ["revenue", "net income", "diluted EPS", "free cash flow", "gross margin", "total assets", "capital spending"]
FIRST = ("Al", "Bo", "Ce", "Du", "El", "Fa", "Gi", "Ho")
SECOND = ("mara", "nuvo", "retti", "stal", "quin", "vex", "zor", "lane")
TRADES = ("Foods", "Energy", "Bank", "Labs", "Steel", "Air", "Media", "Chips", "Homes", "Pharma")


def questions(count: int) -> list[str]:
    """Distinct questions of one kind, seeded."""
    rng = random.Random(4)
    names = [f"{first}{second} {trade}" for first in FIRST for second in SECOND for trade in TRADES]
    found: dict[str, None] = {}
    while len(found) < count:
        period = f"Q{rng.randint(1, 4)} {rng.randint(1995, 2024)}"
        found[f"What was the {rng.choice(METRICS)} of {rng.choice(names)} in {period}?"] = None
    return list(found)


def timed(work: Callable[[int], Any], times: int) -> tuple[list[float], float]:
    """Milliseconds of each call, and CPU milliseconds a call."""
    found, cpu = [], time.process_time()
    for number in range(times):
        began = time.perf_counter()
        work(number)
        found.append((time.perf_counter() - began) * 1000)
    return found, (time.process_time() - cpu) * 1000 / times


async def awaited(work: Callable[[int], Awaitable[Any]], times: int) -> tuple[list[float], float]:
    found, cpu = [], time.process_time()
    for number in range(times):
        began = time.perf_counter()
        await work(number)
        found.append((time.perf_counter() - began) * 1000)
    return found, (time.process_time() - cpu) * 1000 / times


def job_of(text: str) -> Any:
    from catalyst.llm.job import Job, folded
    from catalyst.llm.types import LLMRequest

    request = LLMRequest(prompt=text, tenant="acme", complexity="simple")
    now = datetime.now(UTC)
    return Job(request, "1", folded(request), None, 1, 1, 1, "simple", "", now, time.monotonic() + 30, 0, ())


def cache_in(folder: Path, redis_url: str = "") -> Any:
    from catalyst.app.build.cache import answer_cache
    from catalyst.clock import SystemClock
    from catalyst.llm.settings import HubSettings

    settings = HubSettings.from_env({"REDIS_URL": redis_url} if redis_url else {})
    return answer_cache(settings, SystemClock(), folder)


async def fill(folder: Path, count: int) -> None:
    """Write the answers and their vectors, as the cache would have over days, and let it save its graph."""
    from catalyst.llm.cache.index import stepped
    from catalyst.llm.cache.kept import Kept, Vector
    from catalyst.llm.cache.keys import plan
    from catalyst.llm.cache.sought import Sought

    cache = cache_in(folder)
    await cache._open()
    cache._near.wake()
    await cache.settled()
    embedder = cache._near._embedder
    now, answer = time.time(), json.dumps({"text": "94.8 billion USD, as the 10-Q says. " * 4}).encode()
    import numpy as np

    rng = np.random.default_rng(6)
    known: list[Any] = []
    kept, vectors = [], []
    for number, text in enumerate(questions(count)):
        job = job_of(text)
        found = plan(job, cache._settings.zone)
        assert found is not None
        sought = Sought(job, found, 86_400)
        await cache._readings.understand(sought)
        if sought.asked is None:
            continue
        kept.append(Kept(found.key, "acme", "", found.template, text, found.day.isoformat(), answer, 10**6, now,
                         now + 86_400, sought.canon, (), ))  # fmt: skip
        if len(known) < EMBEDDED:
            known.append(embedder.embed(sought.asked.canonical))
            vector = known[-1]
        else:
            one, two = rng.integers(0, EMBEDDED, 2)
            vector = known[one] * np.float32(0.8) + known[two] * np.float32(0.2)
        vectors.append((found.bucket(cache._readings.guard, embedder.version), stepped(vector).tobytes()))
        if number % 10_000 == 9_999:
            say(f"  {number + 1:,} read")
    store = cache._store
    for start in range(0, len(kept), 500):
        ids = await asyncio.gather(*(store.keep(entry) for entry in kept[start : start + 500]))
        await asyncio.gather(
            *(
                store.place(kept[start + at].key, Vector(number, *vectors[start + at]))
                for at, number in enumerate(ids)
                if number is not None
            )
        )
    await cache._near._catch_up()
    while await cache._near._worker.run(cache._near._index.grow, 2_000):
        pass
    cache._near._unsaved = 1
    await cache.close()


async def measure(folder: Path, count: int, lookups: int) -> dict[str, Any]:
    """Lookups over the cache in `folder`; only the memory where it is empty."""
    import numpy as np

    cache = cache_in(folder)
    await cache._open()
    cache._near.wake()
    await cache.settled()
    texts = questions(count)
    rng = random.Random(5)
    chosen = [rng.choice(texts) for _ in range(lookups)]
    worded = [text.replace("What was the", "Tell me the").replace("?", ", please") for text in chosen]
    jobs = [job_of(text) for text in chosen]
    again = [job_of(text) for text in worded]
    await cache._near.find(b"", "warm")
    (await cache.visit(jobs[0])).leave()
    if not len(cache._near):
        for job in (*jobs, *again):
            (await cache.visit(job)).leave()
        return {"rss_mb": psutil.Process().memory_info().rss / 2**20}
    l0, l0_cpu = await awaited(lambda number: cache.visit(jobs[number]), lookups)
    l1, l1_cpu = await awaited(lambda number: cache.visit(again[number]), lookups)
    hits = dict(cache._tally.hits)
    if hits.get("canonical", 0) < lookups * 0.95:
        raise SystemExit(
            f"only {hits} of {lookups} reworded questions were found: the lexicon changed since the filling"
        )
    index, worker = cache._near._index, cache._near._worker
    embedder = cache._near._embedder
    from catalyst.llm.cache.index import stepped

    canonical = [cache._readings._read(text, jobs[0].now.date(), cache_policy()).canonical for text in chosen]
    steps = [stepped(embedder.embed(text + " adjusted")) for text in canonical[:500]]
    bucket = next(iter(index._buckets))
    near, near_cpu = timed(lambda number: index.nearest(bucket, steps[number % 500], 8), min(2_000, lookups))
    l2, l2_cpu = await awaited(lambda number: l2_lookup(cache, bucket, canonical[number] + " adjusted"), lookups)
    rss = psutil.Process().memory_info().rss / 2**20
    rows, _ = await cache._store.vectors("", 10**6)
    matrix = np.array([np.frombuffer(row.steps, np.int8) for row in rows])
    best = 0
    for query in steps[:100]:
        exact = usearch_flat(matrix, query)
        best += rows[int(exact.keys[0])].id in {number for number, _ in index.nearest(bucket, query, 8)} or (
            index.nearest(bucket, query, 1)[0][1] >= 1 - float(exact.distances[0]) - 1e-3
        )
    flat8, flat8_cpu = timed(lambda number: usearch_flat(matrix, steps[number % 500]), 50)
    real = matrix.astype(np.float32)
    real /= np.linalg.norm(real, axis=1, keepdims=True)
    plain, plain_cpu = timed(lambda number: np.argmax(real @ steps[number % 500].astype(np.float32)), 50)
    figures = {
        "entries": len(rows), "l0_p99_ms": percentile(l0, 0.99), "l1_p99_ms": percentile(l1, 0.99),
        "l0_p50_ms": percentile(l0, 0.5), "l1_p50_ms": percentile(l1, 0.5), "l0_cpu_ms": round(l0_cpu, 3),
        "l1_cpu_ms": round(l1_cpu, 3), "index_p50_ms": percentile(near, 0.5), "index_p99_ms": percentile(near, 0.99),
        "index_cpu_ms": round(near_cpu, 3), "index_recall": best / min(100, len(steps)),
        "l2_p50_ms": percentile(l2, 0.5), "l2_p99_ms": percentile(l2, 0.99), "l2_cpu_ms": round(l2_cpu, 3),
        "rss_mb": rss, "load_s": round(cache._near.load_seconds, 3), "hits": hits,
    }  # fmt: skip
    peers = {
        "numpy_flat_p50_ms": percentile(plain, 0.5), "numpy_flat_p99_ms": percentile(plain, 0.99),
        "numpy_flat_cpu_ms": round(plain_cpu, 3), "usearch_flat_p50_ms": percentile(flat8, 0.5),
        "usearch_flat_p99_ms": percentile(flat8, 0.99), "usearch_flat_cpu_ms": round(flat8_cpu, 3),
    }  # fmt: skip
    cache._near._unsaved = 0
    await cache.close()
    assert worker is not None
    return {"figures": figures, "peers": peers}


def usearch_flat(matrix: Any, query: Any) -> Any:
    from usearch.index import search

    return search(matrix, query, 8, "cos", exact=True, threads=1, dtype="i8")


def cache_policy() -> Any:
    from catalyst.llm.cache.policy import Policy

    return Policy.SEMANTIC


async def l2_lookup(cache: Any, bucket: bytes, text: str) -> None:
    """What L2 does: embed, search, read the candidates, guard them."""
    from datetime import date

    from catalyst.llm.cache.meaning import compare

    asked = cache._readings._read(text, date(2025, 12, 12), cache_policy())
    _, found = await cache._near.find(bucket, text)
    kept = await cache._store.by_ids([number for number, similarity in found if similarity >= 0.85])
    for entry in kept.values():
        compare(asked, cache._readings.of(entry, cache_policy()))


async def over_redis(lookups: int) -> dict[str, Any]:
    """L0 and L1 over a Redis of our own; empty where there is no redis-server."""
    import shutil

    from tests.fakes.redis import RedisServer

    if shutil.which("redis-server") is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            cache = cache_in(Path(folder), server.url)
            texts = questions(1_000)
            from catalyst.llm.types import LLMResponse

            for text in texts:
                visit = await cache.visit(job_of(text))
                await visit.keep(LLMResponse(text="94.8 billion USD. " * 8))
                visit.leave()
            jobs = [job_of(texts[number % 1_000]) for number in range(lookups)]
            again = [job_of(f"Tell me {texts[number % 1_000][9:-1]}, please") for number in range(lookups)]
            l0, l0_cpu = await awaited(lambda number: cache.visit(jobs[number]), lookups)
            l1, l1_cpu = await awaited(lambda number: cache.visit(again[number]), lookups)
            await cache.close()
        finally:
            server.stop()
    return {
        "redis_l0_p99_ms": percentile(l0, 0.99), "redis_l1_p99_ms": percentile(l1, 0.99),
        "redis_l0_cpu_ms": round(l0_cpu, 3), "redis_l1_cpu_ms": round(l1_cpu, 3),
    }  # fmt: skip


def apart(folder: Path, count: int) -> dict[str, Any]:
    """`measure` in a process of its own."""
    command = [sys.executable, "-m", "bench.cache_index", "--measure", str(folder), "--entries", str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env={**os.environ})
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="5,000 entries")
    parser.add_argument("--entries", type=int, default=0, help="how many; 100,000")
    parser.add_argument(
        "--data", type=Path, help="where the filled cache lies or is made; else a folder that is removed"
    )
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    count = options.entries or (5_000 if options.quick else 100_000)
    lookups = 500 if options.quick else 2_000
    import structlog

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    if options.measure is not None:
        print(json.dumps(asyncio.run(measure(options.measure, count, lookups))))
        return
    with tempfile.TemporaryDirectory() as made:
        folder = options.data or Path(made)
        if not (folder / "full" / "cache.db").exists():
            say(f"filling {count:,} entries")
            asyncio.run(fill(folder / "full", count))
        say("measuring")
        empty = apart(folder / "empty", count)
        found = apart(folder / "full", count)
    figures = found["figures"] | asyncio.run(over_redis(lookups))
    figures["rss_delta_mb"] = round(figures.pop("rss_mb") - empty["rss_mb"], 1)
    for name, most in TARGETS.items():
        say(f"{name:<14} {figures[name]:>8}   target {most}")
    report("cache_index", figures, peers=found["peers"], settings={"entries": count, "lookups": lookups})


if __name__ == "__main__":
    main()
