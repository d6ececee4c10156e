"""A busy slice of a recorded day with everything running: what a trader's desk would see at ten times the volume.

    python -m bench.day [--start 15:55 --until 16:35] [--short] [--volume 10] [--clients 1000] [--data DIR] [--quick]

At real time: an emulator (a process of its own, as EDGAR is), the service with a model that takes 500 ms, 1,000
WebSocket clients (the kit's `wsload.c`, gcc), one client of ours that keeps everything, and the bot against the strict
Discord with one webhook. Reported: what was lost or repeated anywhere, how long high-tier alerts took on the stream and
on Discord, how long the rest took to drain, memory, and how long the service took to stop under all those clients.
`--short` is 16:00 to 16:10, the ten minutes with the most filings. A minute before the slice everybody connects.
Helpers stand in `day_parts.py`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import tempfile
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import psutil

from bench.common import CORPUS, catalyst, free_port, get_json, percentile, report, say, wait_ready
from bench.day_parts import KIT, Memory, crowd, discord, drain_bot, told
from bench.replay import Tape, cut, drained, expected_count, follow, latencies, slow_model
from catalyst.emulator import Recording, sample_path

MODEL_SECONDS = 0.5
STOP_SECONDS = 30.0


def high_tier(tape: Tape, released: dict[str, float]) -> dict[str, Any]:
    """Milliseconds from the poll that showed a high-tier filing to its receipt, and from its being in the feed."""
    took, _, lags = latencies(tape, released)
    first = [message for _, message in tape.messages if message["version"] == 1]
    rows = [
        (ms, ms + lag * 1000)
        for ms, lag, message in zip(took, lags, first, strict=True)
        if message["analysis"]["priority"] == "high"
    ]
    return {
        "high_alerts": len(rows),
        "high_p50_ms": percentile([ms for ms, _ in rows], 0.5),
        "high_p95_ms": percentile([ms for ms, _ in rows], 0.95),
        "high_in_feed_p95_ms": percentile([ms for _, ms in rows], 0.95),
        "all_p95_ms": percentile(took, 0.95),
    }


def kept(tape: Tape, expected: int) -> dict[str, Any]:
    """What our own client got, and what it should have."""
    firsts = Counter(message["filing_id"] for _, message in tape.messages if message["version"] == 1)
    keys = Counter((message["filing_id"], message["version"]) for _, message in tape.messages)
    finals = Counter(message["filing_id"] for _, message in tape.messages if message["final"])
    read = [message for _, message in tape.messages if message["final"] and message["analysis"]["source"] == "llm"]
    return {
        "expected": expected,
        "accessions": len(firsts),
        "lost": max(0, expected - len(firsts)) + len(firsts.keys() - finals.keys()),
        "repeated": sum(count - 1 for count in (keys).values()),
        "finals_repeated": sum(count - 1 for count in finals.values()),
        "messages": len(tape.messages),
        "read_by_model": len(read),
    }


def main() -> None:
    options = _options()
    recording = Recording.load(options.data, volume=options.volume)
    start, until = _at(recording, options.start), _at(recording, options.until)
    first, last = start or recording.starts_at, until or recording.ends_at
    expected = expected_count(recording, start, last)
    say(f"{expected} accessions from {first:%H:%M} to {last:%H:%M}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if start is not None:
            options.data = cut(recording, first, last, folder / "cut")
        released = {one.accession: one.released for one in recording.filings()}
        day = Day(options, folder, last)
        result = day.figures(expected, released)
    report("day", result, settings=vars(options) | {"model_s": MODEL_SECONDS})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=CORPUS / "edgar", help="a recording laid out like the corpus")
    parser.add_argument("--start", default="15:55", help="HH:MM New York of the recorded day")
    parser.add_argument("--until", default="16:35", help="HH:MM New York")
    parser.add_argument("--short", action="store_true", help="16:00 to 16:10")
    parser.add_argument("--volume", type=int, default=10)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--kit", type=Path, default=KIT, help="the folder of wsload.c")
    parser.add_argument("--quick", action="store_true", help="the sample day at speed 60, 100 clients")
    options = parser.parse_args()
    if options.short:
        options.start, options.until = "16:00", "16:10"
    if options.quick:
        options.data, options.start, options.until, options.clients = sample_path(), "", "", 100
    return options


def _at(recording: Recording, text: str) -> datetime | None:
    return recording.at(datetime.strptime(text, "%H:%M").time()) if text else None


def _minute_before(text: str) -> str:
    return f"{datetime.strptime(text, '%H:%M') - timedelta(minutes=1):%H:%M}"


class Day:
    """The processes of one run, and what they are asked when it is over."""

    def __init__(self, options: argparse.Namespace, folder: Path, until: datetime) -> None:
        self._options, self._folder, self._until = options, folder, until
        self._port, self._edgar = free_port(), free_port()

    def figures(self, expected: int, released: dict[str, float]) -> dict[str, Any]:
        """Run it to its end; seconds, milliseconds and MiB by name."""
        with contextlib.ExitStack() as stack:
            environ = stack.enter_context(slow_model(least=MODEL_SECONDS, most=MODEL_SECONDS))
            fake = stack.enter_context(discord())
            process = self._started(stack, environ, {"DISCORD_WEBHOOK_URL": fake.webhook()})
            service, bot = (Memory(psutil.Process(one.pid)) for one in process)
            watched = psutil.Process(process[0].pid)
            messages = 3 * expected + 1000  # more than a client can get
            epoch = get_json(f"http://127.0.0.1:{self._port}/api/status")["stream"]["epoch"]
            with crowd(self._options, self._folder, self._port, epoch, messages) as load:
                tape, _ = asyncio.run(follow(self._port, expected, self._until, watched, self._folder / "log"))
                said = self._asked()
                used = sum(watched.cpu_times()[:2])
                (database,) = self._folder.glob("bot/**/bot.db")
                waited = drain_bot(database)
                memory = service.figures() | {f"bot_{name}": value for name, value in bot.figures().items()}
                stop_s = _stopped(process[0])
                seen = orjson.loads(load.communicate()[0].splitlines()[-1]) if load else {}
            result = kept(tape, expected) | drained(tape, self._until)
            if not self._options.quick:  # one simulated clock at speed 60 says nothing of latency
                result |= high_tier(tape, released)
            result |= _crowd_figures(seen, len(tape.messages), self._options.clients)
            filings = len({message["filing_id"] for _, message in tape.messages})
            result |= told(fake, database, filings) | {"bot_drain_s": waited} | memory
            return result | said | {"cpu_s": round(used, 1), "stop_s": stop_s}

    def _started(
        self, stack: contextlib.ExitStack, model: dict[str, str], webhook: dict[str, str]
    ) -> tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]:
        """The emulator, the service and the bot; the last two."""
        options, folder = self._options, self._folder
        day = ["--speed", "60" if options.quick else "1", "--volume", str(options.volume)]
        day += ["--start", _minute_before(options.start)] if options.start else []
        emulate = ["emulate", str(options.data), *day, "--port", str(self._edgar), "--state", str(folder / "clock")]
        serve = ["serve", "--port", str(self._port), "--data", str(folder)]
        serve += ["--source", f"http://127.0.0.1:{self._edgar}"]
        other = stack.enter_context(catalyst(*emulate, "--no-background", log=folder / "emulator.log"))
        wait_ready(f"http://127.0.0.1:{self._edgar}/_emulator/status", other)
        # The copies of a filing share its text: without a cache each is read by the model, as ten filings would be.
        environ = model | {"EDGAR_BACKFILL_MINUTES": "1000", "LLM_CACHE_ENABLED": "0"}
        service = stack.enter_context(catalyst(*serve, log=folder / "log", **environ))
        wait_ready(f"http://127.0.0.1:{self._port}/health/live", service)
        names = webhook | {"SEC_DIGESTER_URL": f"ws://127.0.0.1:{self._port}"}
        names |= {"CATALYST_BOT_PORT": str(free_port())}
        bot = stack.enter_context(catalyst("bot", "--data", str(folder / "bot"), log=folder / "bot.log", **names))
        return service, bot

    def _asked(self) -> dict[str, Any]:
        """What the service itself says of its spending."""
        usage = get_json(f"http://127.0.0.1:{self._port}/api/usage")
        return {"model_calls": sum(day["calls"] for day in usage["spend"])}


def _stopped(process: subprocess.Popen[bytes]) -> float:
    """Ask the service to stop; seconds until it has. Its clients see their connections closed."""
    began = time.monotonic()
    process.terminate()
    process.wait(STOP_SECONDS)
    return round(time.monotonic() - began, 2)


def _crowd_figures(seen: dict[str, Any], messages: int, clients: int) -> dict[str, Any]:
    if not seen:
        return {}
    return {
        "crowd": clients,
        "crowd_lost": clients * messages - seen["got"],
        "crowd_gaps": seen["gaps"],
        "crowd_repeated": seen["dups"],
        "crowd_p50_ms": round(seen["p50_ms"], 2),
        "crowd_p99_ms": round(seen["p99_ms"], 2),
    }


if __name__ == "__main__":
    began = time.monotonic()
    main()
    say(f"{time.monotonic() - began:.0f} s")
