"""The gateway under load: requests a second and a core, what it adds, hits, streams, memory and start.

Upstream and load client are those of ../shared/bench/gateway (`--kit`); peers in the same run are LiteLLM's proxy
(`--peer-python`, a Python that has litellm[proxy]) and the kit's floor, the least that Python can do. Auth, limits,
budget, ledger, metrics and the exact cache are on; `--unique` prompts make every request a miss.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from bench.common import ROOT, catalyst, free_port, percentile, report, say, wait_ready
from bench.hub import environ, upstream

KIT = ROOT.parent / "shared" / "bench" / "gateway"
RUNS = 8
MASTER = "sk-bench-7f3c9ad1e5b24c6e8f0a91d2c3b4a5e6"


def load(kit: Path, url: str, key: str, pid: int, *arguments: str) -> dict[str, Any]:
    """One run of the kit's load client against a gateway: its JSON line."""
    command = [sys.executable, str(kit / "loadgen.py"), "--url", f"{url}/v1/chat/completions", "--key", key]
    done = subprocess.run(
        [*command, "--pid", str(pid), *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if found["bad"]:
        say(f"not answered with 200: {found['bad']}")
    return found


def settled(row: dict[str, Any]) -> str:
    return f"{row['rps']} requests/s, {row['gw_cpu_ms_per_req']} ms CPU, p50 {row['p50_ms']} p99 {row['p99_ms']} ms"


@contextlib.contextmanager
def ours(base: str, folder: Path, **more: str) -> Iterator[tuple[str, list[str], int, float]]:
    """Our gateway: address, keys, process and the seconds until it was ready.

    The load client counts its prompts from 1 in each run; a tenant of its own keeps a run's misses misses.
    """
    port = free_port()
    settings = environ(base) | {"CATALYST_DATA_DIR": str(folder)} | more
    for number in range(RUNS):
        with catalyst("keys", "add", f"bench-{number}", "--json", log=folder / "keys.jsonl", **settings) as making:
            making.wait()
    keys = [json.loads(line)["key"] for line in (folder / "keys.jsonl").read_text().splitlines() if line[:1] == "{"]
    began = time.monotonic()
    with catalyst("gateway", "--port", str(port), log=folder / "gateway.log", **settings) as process:
        wait_ready(f"http://127.0.0.1:{port}/health/ready", process)
        yield f"http://127.0.0.1:{port}", keys, process.pid, round(time.monotonic() - began, 2)


@contextlib.contextmanager
def served(command: list[str], url: str, seconds: float, **more: str) -> Iterator[int]:
    """Another gateway as a process."""
    process = subprocess.Popen(
        command, env=os.environ | more, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(url, timeout=2).close()
                break
            time.sleep(0.2)
        yield process.pid
    except urllib.error.HTTPError:
        yield process.pid
    finally:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait()


def floor(kit: Path, base: str, seconds: str) -> dict[str, Any]:
    """The kit's bare ASGI application."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", "floor_gateway:app", "--app-dir", str(kit), "--port", str(port)]
    with served(
        [*command, "--log-level", "error", "--no-access-log"], url, 1.5, UP=f"{base}/v1/chat/completions"
    ) as pid:
        rows = {c: load(kit, url, MASTER, pid, "-c", str(c), "-d", seconds, "--unique") for c in (1, 32)}
    say(f"floor c=32: {settled(rows[32])}")
    return {
        "rps": rows[32]["rps"], "cpu_ms": rows[32]["gw_cpu_ms_per_req"], "c1_p50_ms": rows[1]["p50_ms"],
        "rss_mb": rows[32]["gw_rss_mb"],
    }  # fmt: skip


def litellm(kit: Path, python: str, base: str, folder: Path, seconds: str) -> dict[str, Any] | None:
    """LiteLLM's proxy, one worker; None where that Python has none."""
    program = Path(python).with_name("litellm")
    if not program.exists():
        say("no litellm[proxy] there: no ratio (--peer-python)")
        return None
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    config = folder / "litellm.yaml"
    config.write_text((kit / "litellm_config.yaml").read_text().replace("http://127.0.0.1:9100", base))
    command = [str(program), "--config", str(config), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
    began = time.monotonic()
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    with served(command, f"{url}/health/liveliness", 90, **quiet) as pid:
        ready = round(time.monotonic() - began, 1)
        row = load(kit, url, MASTER, pid, "-c", "32", "-d", seconds, "--unique")
    say(f"litellm c=32: {settled(row)}")
    if not row["rps"]:
        say("litellm answered nothing: no ratio")
        return None
    return {"rps": row["rps"], "cpu_ms": row["gw_cpu_ms_per_req"], "rss_mb": row["gw_rss_mb"], "ready_s": ready}


async def first_token(url: str, key: str, count: int) -> list[float]:
    """Milliseconds to the first event of a streamed answer, each."""
    import aiohttp

    body = {"model": "gpt-4o-mini", "stream": True, "max_tokens": 64}
    found = []
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session:
        for number in range(count):
            turns = [{"role": "user", "content": f"Say hello in one short sentence. #s{number}"}]
            began = time.perf_counter()
            async with session.post(f"{url}/v1/chat/completions", json=body | {"messages": turns}) as answer:
                await answer.content.readline()
                found.append((time.perf_counter() - began) * 1000)
                await answer.read()
    return found


def streaming(base: str, url: str, key: str, count: int) -> float:
    """Milliseconds by which the gateway delays the first token: the medians of turns taken one after the other."""
    through, straight = [], []
    for _ in range(4):
        straight += asyncio.run(first_token(base, "sk-bench", count // 4))
        through += asyncio.run(first_token(url, key, count // 4))
    return round((percentile(through, 0.5) or 0) - (percentile(straight, 0.5) or 0), 3)


def flat(kit: Path, url: str, key: str, pid: int, requests: int, rate: float) -> dict[str, float]:
    """RSS after a tenth and after all of `requests`."""
    seconds = requests / max(rate, 1)
    early = load(kit, url, key, pid, "-c", "32", "-d", f"{seconds / 10:.1f}", "--unique")
    late = load(kit, url, key, pid, "-c", "32", "-d", f"{seconds * 0.9:.1f}", "--unique")
    say(f"memory: {early['gw_rss_mb']} MB after {early['ok']}, {late['gw_rss_mb']} MB after {early['ok'] + late['ok']}")
    return {"rss_mb": late["gw_rss_mb"], "rss_early_mb": early["gw_rss_mb"], "requests": early["ok"] + late["ok"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="shorter runs")
    parser.add_argument("--kit", type=Path, default=KIT, help="the folder of fake_server.py and loadgen.py")
    parser.add_argument("--peer-python", default="/tmp/litellmvenv/bin/python", help="a Python that has litellm[proxy]")
    parser.add_argument("--requests", type=int, default=100_000, help="for the flatness of memory")
    options = parser.parse_args()
    seconds, kit = ("3" if options.quick else "8"), options.kit
    peers: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, upstream(kit / "fake_server.py") as base:
        folder = Path(name)
        peers["floor"] = floor(kit, base, seconds)
        direct = load(kit, base, "sk-bench", os.getpid(), "-c", "1", "-d", seconds, "--unique")
        with ours(base, folder) as (url, keys, pid, ready):
            one = load(kit, url, keys[0], pid, "-c", "1", "-d", seconds, "--unique")
            runs = [load(kit, url, key, pid, "-c", "32", "-d", seconds, "--unique") for key in keys[1:4]]
            best = max(runs, key=lambda row: row["rps"])
            say(f"ours c=32: {settled(best)}")
            rate = f"{best['rps'] / 2:.0f}"
            half = load(kit, url, keys[4], pid, "--rate", rate, "-d", seconds, "--unique")
            hits = load(kit, url, keys[5], pid, "-c", "32", "-d", seconds)
            say(f"hits: {settled(hits)}")
            delayed = streaming(base, url, keys[6], 200)
            memory = flat(kit, url, keys[7], pid, options.requests // (10 if options.quick else 1), best["rps"])
        theirs = litellm(kit, options.peer_python, base, folder, seconds)
    figures = {
        "rps_per_core": round(best["rps"] / max(best["gw_cores"], 1e-9), 1),
        "rps": best["rps"],
        "cpu_ms": best["gw_cpu_ms_per_req"],
        "added_p50_ms": round(one["p50_ms"] - direct["p50_ms"], 3),
        "added_p99_ms_half_peak": round(half["p99_ms"] - direct["p99_ms"], 3),
        "hit_rps": hits["rps"],
        "hit_cpu_ms": hits["gw_cpu_ms_per_req"],
        "first_token_delay_ms": delayed,
        "ready_s": ready,
        **memory,
    }
    if theirs is not None:
        peers["litellm"] = theirs
        figures["ratio_litellm"] = round(best["rps"] / theirs["rps"], 2)
    report("gateway", figures, peers=peers, settings={"seconds": seconds, "c": 32, "kit": kit})


if __name__ == "__main__":
    main()
