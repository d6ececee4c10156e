"""A recorded day through the whole service: every accession alerted once, and how long each took.

    python -m bench.replay [--data DIR] [--speed 600] [--start 15:55 --until 16:35] [--volume 10] [--model] [--quick]

Latency is from the poll response that first showed a filing to its receipt on a WebSocket in another process. It is
meaningful at --speed 1 only; a faster replay measures completeness. With --until, nothing is released after it, and
`drain_s` is how long it then took to tell the rest (8 requests a second bound it). With --model, a fake vendor answers
each call after 300 to 1,500 ms: `update_mean_s`, `update_p95_s` are from the poll response to the model's last word.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import psutil
import websockets

from bench.common import CORPUS, catalyst, free_port, get_json, percentile, report, say, wait_ready
from catalyst.clock import NEW_YORK
from catalyst.emulator import Recording, sample_path

READING = {
    "label": "neutral",
    "sentiment": 0.0,
    "confidence": 0.5,
    "evidence": [],
    "summary": "The company filed a report.",
    "keywords": ["report"],
    "event_types": [],
    "facts": [],
    "risks": [],
}
"""What the fake model says of every filing."""


@contextlib.contextmanager
def slow_model(seed: int = 1, least: float = 0.3, most: float = 1.5) -> Iterator[dict[str, str]]:
    """A fake OpenAI on loopback, in a thread, that takes so many seconds; the environment that leads to it."""
    from tests.fakes.openai import OpenAI
    from tests.fakes.server import FakeServer

    draw, loop, server = random.Random(seed), asyncio.new_event_loop(), FakeServer(OpenAI())
    for _ in range(20_000):
        server.says(json.dumps(READING), delay=draw.uniform(least, most))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result()
    try:
        yield {"OPENAI_API_KEY": server.key, "OPENAI_BASE_URL": server.url}
    finally:
        asyncio.run_coroutine_threadsafe(server.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def cut(recording: Recording, start: datetime, until: datetime, folder: Path) -> Path:
    """A recording of the same texts, whose feed holds what was released from `start` to `until`."""
    rows: list[bytes] = []
    for one in recording.filings():
        if not one.copy and start.timestamp() <= one.released <= until.timestamp():
            rows += [row.entry for row in one.rows]
    pages = folder / "feeds" / "getcurrent"
    pages.mkdir(parents=True)
    head = b'<?xml version="1.0" encoding="ISO-8859-1" ?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
    (pages / "walk.xml").write_bytes(b"%b%b</feed>\n" % (head, b"\n".join(rows)))
    for name in ("filings", "metadata", "MANIFEST.csv"):
        if (recording.folder / name).exists():
            (folder / name).symlink_to(recording.folder.resolve() / name)
    return folder


class Tape:
    """Everything a client received, with when."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, dict[str, Any]]] = []

    @property
    def finals(self) -> int:
        return sum(message["final"] for _, message in self.messages)

    async def record(self, url: str) -> None:
        async with websockets.connect(url, max_size=None) as socket:
            hello = orjson.loads(await socket.recv())
            resume = {"epoch": hello["epoch"], "after": 0}  # from the first message, whenever we came
            await socket.send(orjson.dumps({"type": "subscribe", "resume": resume}).decode())
            async for frame in socket:
                message = orjson.loads(frame)
                if message["type"] in ("filing_alert", "filing_update"):
                    self.messages.append((time.time_ns(), message))


def latencies(tape: Tape, released: dict[str, float]) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds from seen to received (all; feed alerts alone) and seconds from the feed to seen.

    The simulated clock is a constant away from the real one at speed 1; messages carry both, so the closest pair
    gives the constant to within one commit.
    """
    offset = min(message["ts_ns"] - _ns(message["timestamp"]) for _, message in tape.messages)
    alerts = [(at, message) for at, message in tape.messages if message["version"] == 1]
    took = [(at - offset - _ns(message["seen_at"])) / 1e6 for at, message in alerts]
    early = [ms for ms, (_, message) in zip(took, alerts, strict=True) if message["analysis"]["source"] == "feed"]
    lags = [_ns(message["seen_at"]) / 1e9 - released[message["filing_id"]] for _, message in alerts]
    return took, early, lags


def updates(tape: Tape) -> tuple[list[float], int]:
    """Seconds from seen to the model's last word, and how many filings had another's."""
    last = [message for _, message in tape.messages if message["final"]]
    read = [message for message in last if message["analysis"]["source"] == "llm"]
    took = [(_ns(message["timestamp"]) - _ns(message["seen_at"])) / 1e9 for message in read]
    return took, len(last) - len(read)


def _ns(text: str) -> int:
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1e9)


async def follow(
    port: int, expected: int, until: datetime | None, process: psutil.Process, log: Path
) -> tuple[Tape, int]:
    """Record until every expected filing is final, or the simulated clock passes `until` and all is done."""
    tape, peak, last = Tape(), 0, 0.0
    recording = asyncio.create_task(tape.record(f"ws://127.0.0.1:{port}/ws/filings"))
    while True:
        await asyncio.sleep(0.5)
        peak = max(peak, process.memory_info().rss)
        status = await asyncio.to_thread(get_json, f"http://127.0.0.1:{port}/api/status")
        now = datetime.fromisoformat(status["clock"])
        if time.monotonic() - last > 10:
            last = time.monotonic()
            say(f"{now.astimezone(NEW_YORK):%H:%M:%S} New York: {len(tape.messages)} messages, {tape.finals} final")
        done = status["filings"]["pending"] == 0 and tape.finals >= min(expected, status["filings"]["alerted"])
        if (until is None and tape.finals >= expected) or (until is not None and now > until and done):
            await asyncio.sleep(1.0)  # anything repeated would come now
            recording.cancel()
            return tape, peak
        if recording.done():
            say((log.read_text(errors="replace") if log.exists() else "")[-3000:])
            recording.result()


def figures(
    tape: Tape, expected: int, cpu: float, rss: int, speed: float, released: dict[str, float]
) -> dict[str, Any]:
    counts = Counter(message["filing_id"] for _, message in tape.messages if message["version"] == 1)
    keys = Counter((message["filing_id"], message["version"]) for _, message in tape.messages)
    finals = Counter(message["filing_id"] for _, message in tape.messages if message["final"])
    took, early, lags = latencies(tape, released)
    timed = speed == 1
    return {
        "accessions": len(counts),
        "expected": expected,
        "lost": max(0, expected - len(counts)),
        "repeated": sum(count - 1 for count in keys.values()),
        "finals": len(finals),
        "finals_repeated": sum(count - 1 for count in finals.values()),
        "messages": len(tape.messages),
        "p50_ms": percentile(took, 0.50) if timed else None,
        "p95_ms": percentile(took, 0.95) if timed else None,
        "feed_alerts": len(early),
        "feed_alert_p50_ms": percentile(early, 0.50) if timed else None,
        "feed_alert_p95_ms": percentile(early, 0.95) if timed else None,
        **_updated(tape),
        "lag_p50_s": percentile(lags, 0.50),
        "lag_p95_s": percentile(lags, 0.95),
        "cpu_s": round(cpu, 2),
        "rss_mb": round(rss / 2**20, 1),
    }


def _updated(tape: Tape) -> dict[str, Any]:
    took, without = updates(tape)
    if not took:
        return {}
    return {
        "updates": len(took),
        "update_mean_s": round(sum(took) / len(took), 3),
        "update_p95_s": percentile(took, 0.95),
        "update_errors": round(without / (len(took) + without), 4),
    }


def drained(tape: Tape, until: datetime | None) -> dict[str, Any]:
    """Seconds after `until` at which the last alert and the last message of all were made."""
    if until is None:
        return {}
    made = [(datetime.fromisoformat(message["timestamp"]), message["version"]) for _, message in tape.messages]
    alerts = [moment for moment, version in made if version == 1]
    after = {"drain_s": max(alerts) - until, "drain_all_s": max(moment for moment, _ in made) - until}
    return {name: round(max(0.0, span.total_seconds()), 1) for name, span in after.items()}


def expected_count(recording: Recording, start: datetime | None, until: datetime | None) -> int:
    """Filings that appear in the span; with a start, what the feed holds already then is not told of."""
    begin = start.timestamp() if start else 0.0
    end = (until or recording.ends_at).timestamp()
    return sum(begin <= filing.released <= end for filing in recording.filings())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=CORPUS / "edgar", help="a recording laid out like the corpus")
    parser.add_argument("--speed", type=float, default=600.0)
    parser.add_argument("--volume", type=int, default=1)
    parser.add_argument("--start", default="", help="HH:MM New York of the recorded day")
    parser.add_argument("--until", default="", help="HH:MM New York; else the end of the recording")
    parser.add_argument("--model", action="store_true", help="a fake model that takes 300 to 1,500 ms")
    parser.add_argument("--apart", action="store_true", help="the emulator in a process of its own, as EDGAR is")
    parser.add_argument("--watchlist", default="", help="tickers that are alerted from the feed row")
    parser.add_argument("--quick", action="store_true", help="the sample day at speed 60")
    options = parser.parse_args()
    if options.quick:
        options.data, options.speed = sample_path(), 60.0
    recording = Recording.load(options.data, volume=options.volume)
    start = _at(recording, options.start) or recording.starts_at
    until = _at(recording, options.until)
    expected = expected_count(recording, start if options.start else None, until)
    say(f"{expected} accessions from {start:%H:%M} to {until or recording.ends_at:%H:%M} New York")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        if until is not None:
            options.data = cut(recording, start, until, Path(folder) / "cut")
        environ = stack.enter_context(slow_model()) if options.model else {}
        released = {one.accession: one.released for one in recording.filings()}
        run(options, expected, until, Path(folder), released, environ)


def _at(recording: Recording, text: str) -> datetime | None:
    return recording.at(datetime.strptime(text, "%H:%M").time()) if text else None


def run(
    options: argparse.Namespace,
    expected: int,
    until: datetime | None,
    folder: Path,
    released: dict[str, float],
    environ: dict[str, str],
) -> None:
    port, edgar = free_port(), free_port()
    day = ["--speed", str(options.speed), "--volume", str(options.volume)]
    day += ["--start", options.start] if options.start else []
    arguments = ["serve", "--port", str(port), "--data", str(folder)]
    source = [f"http://127.0.0.1:{edgar}"] if options.apart else [f"replay:{options.data}", *day]
    arguments += ["--source", *source]
    environ |= {"WATCHLIST": options.watchlist, "EDGAR_BACKFILL_MINUTES": "1000"}
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        if options.apart:
            emulate = ["emulate", str(options.data), *day, "--port", str(edgar), "--state", str(folder / "clock")]
            other = stack.enter_context(catalyst(*emulate, "--no-background", log=folder / "emulator.log"))
            wait_ready(f"http://127.0.0.1:{edgar}/_emulator/status", other)
        process = stack.enter_context(catalyst(*arguments, log=folder / "log", **environ))
        wait_ready(f"http://127.0.0.1:{port}/health/live", process)
        watched = psutil.Process(process.pid)
        tape, peak = asyncio.run(follow(port, expected, until, watched, folder / "log"))
        cpu = watched.cpu_times()
        used = cpu.user + cpu.system
    result = figures(tape, expected, used, peak, options.speed, released) | drained(tape, until)
    result["wall_s"] = round(time.monotonic() - began, 1)
    report("replay", result, settings=vars(options))


if __name__ == "__main__":
    main()
