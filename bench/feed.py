"""Whether the watch misses anything: a recorded day at its own volume and at ten times that, an outage, and kill -9.

    python -m bench.feed [--walk DIR] [--times FILE] [--volume 10] [--kills 5] [--seed 1] [--quick]

Simulated time, real HTTP over loopback, the real ledger and log. The day at ×1 is fetched, parsed and told whole, with
`--hidden` filings that stand on no page of the feed; the day at ×10 is watched only (26,000 filings into the ledger, no
bodies). `recall`, `heldover_s`, `recovered_share` and so on are the worse of the runs; each run stands under its own
name too. `heldover_s` is of what EDGAR accepted in the evening before, `heldover_any_s` of all that it released at
06:00 (a court order of 16:47 is among the recorded day's). Peers: watchers that read one page at a fixed interval, over
the same day at both volumes.

`--times` gives other moments of arrival: lines of `HH:MM:SS`, of ISO times, of `accession,time`, or JSON lines with
`accession` and `accepted` (or `time`). Named filings get their own; the rest of the times are dealt out in order.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import contextlib
import dataclasses
import json
import random
import re
import subprocess
import sys
import tempfile
import time as real
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import structlog

from bench.common import CORPUS, ROOT, percentile, report, say
from bench.watching import Watch, watching
from catalyst.clock import NEW_YORK
from catalyst.db import Database
from catalyst.emulator import Fault, Recording, sample_path
from catalyst.emulator.feed import Query
from catalyst.emulator.rows import Row, copy_of, release_of
from catalyst.stream.sqlite import SqliteLog

PEERS = (60, 120, 300)
"""Seconds between two polls of a peer's one page."""

NIGHT = time(22, 12)
"""The ×1 day is watched until the daily index has been read."""


def load(options: argparse.Namespace, volume: int) -> Recording:
    recording = Recording.load(options.walk, volume=volume, background=True)
    if options.times is None:
        return recording
    rows = list(retimed(recording, options.times))
    return Recording(options.walk, recording.day, rows, volume=volume, starts_at=recording.starts_at)


def retimed(recording: Recording, path: Path) -> Iterable[Row]:
    """The day's rows as they would have arrived at other moments; what was held over stays so."""
    named, loose = read_times(path, recording)
    day = sorted((one for one in recording.filings() if not one.copy), key=lambda one: one.released)
    midnight = recording.at(time(0)).timestamp()
    today = [one for one in day if one.released >= midnight and not one.row.held_over]
    free = [one.accession for one in today if one.accession not in named]
    named |= dict(zip(free, sorted(loose), strict=False))
    for one in day:
        for row in one.rows:
            moment = named.get(one.accession)
            yield row if moment is None or row.held_over else moved(row, moment)


def moved(row: Row, moment: float) -> Row:
    shown = datetime.fromtimestamp(moment, NEW_YORK).isoformat(timespec="seconds").encode()
    entry = re.sub(rb"<updated>[^<]+</updated>", b"<updated>" + shown + b"</updated>", row.entry, count=1)
    return dataclasses.replace(row, accepted=moment, released=moment, entry=entry)


def read_times(path: Path, recording: Recording) -> tuple[dict[str, float], list[float]]:
    named: dict[str, float] = {}
    loose: list[float] = []
    for line in path.read_text().splitlines():
        if not line.strip():
            continue
        accession, text = "", line.strip()
        if text.startswith("{"):
            record = json.loads(text)
            accession, text = record.get("accession", ""), record.get("accepted") or record.get("time") or ""
        elif "," in text:
            accession, _, text = text.partition(",")
        with contextlib.suppress(ValueError):
            clock = datetime.fromisoformat(text).time() if len(text) > 8 else time.fromisoformat(text)
            moment = recording.at(clock.replace(tzinfo=None)).timestamp()
            if recording.find(accession) is not None:
                named[accession] = moment
            else:
                loose.append(moment)
    return named, loose


def of_the_day(recording: Recording, start: datetime, end: datetime) -> dict[str, float]:
    """When each filing that must be found appeared: those released from `start` to `end`."""
    return {
        one.accession: one.released
        for one in recording.filings()
        if start.timestamp() <= one.released <= end.timestamp()
    }


def lags(watch: Watch, released: dict[str, float]) -> list[float]:
    """Seconds from a filing's release to the response that showed it."""
    known = [filing for filing in watch.seen if filing.accession in released]
    return [filing.seen_at.timestamp() - released[filing.accession] for filing in known]


def repeats(messages: list[dict[str, Any]]) -> int:
    """Messages that came twice, and second alerts or last messages of one filing."""
    keys = Counter((one["filing_id"], one["version"]) for one in messages)
    alerts = Counter(one["filing_id"] for one in messages if one["type"] == "filing_alert")
    finals = Counter(one["filing_id"] for one in messages if one["final"])
    return sum(count - 1 for counter in (keys, alerts, finals) for count in counter.values())


async def whole_day(
    recording: Recording, folder: Path, options: argparse.Namespace, *, fetching: bool
) -> dict[str, Any]:
    """The day from its start; with fetching also into the night, and with filings that no page shows."""
    start = recording.starts_at
    released = of_the_day(recording, start, recording.ends_at)
    hidden = (
        random.Random(options.seed).sample(sorted(released), min(options.hidden, len(released))) if fetching else []
    )
    faults = [Fault(kind="unlisted", accession=name) for name in hidden]
    began = real.process_time()
    async with watching(recording, folder, start, fetching=fetching, since=start, faults=faults) as watch:
        await watch.until(recording.at(NIGHT) if hidden else recording.ends_at + timedelta(seconds=90))
        messages = await watch.messages() if fetching else []
        told = {one["filing_id"] for one in messages} if fetching else {filing.accession for filing in watch.seen}
        counts = Counter(filing.accession for filing in watch.seen)
        seconds = (recording.ends_at - start).total_seconds()
        late = lags(watch, {name: at for name, at in released.items() if name not in hidden})
        held = {one.accession for one in recording.filings() if one.row.held_over}
        six = release_of(recording.day)
        over = {
            filing.accession: filing.seen_at.timestamp() - six
            for filing in watch.seen
            if filing.accession in held - set(hidden) and filing.filed == recording.day
        }
        evening = [over[one.accession] for one in watch.seen if one.accession in over and one.accepted.hour >= 17]
        return {
            "accessions": len(released),
            "recall": len(told & released.keys()) / len(released),
            "hidden_found": len(told & set(hidden)),
            "hidden": len(hidden),
            "found_by": dict(watch.reconciler.state.found),
            "repeated": repeats(messages) + sum(count - 1 for count in counts.values()),
            "unexpected": len(told - released.keys()),
            "withdrawn": watch.pipeline.counters.withdrawn,
            "polls_per_s": round(bisect.bisect(watch.tally.lists, recording.ends_at.timestamp()) / seconds, 3),
            "max_requests_per_s": watch.tally.most_in_a_second(),
            "requests": len(watch.tally.all),
            "refused": watch.server.limit.refused,
            "heldover": len(over),
            "heldover_s": round(max(evening, default=0.0), 2),
            "heldover_earlier": len(over) - len(evening),
            "heldover_any_s": round(max(over.values(), default=0.0), 2),
            "lag_p50_s": percentile(late, 0.5),
            "lag_p95_s": percentile(late, 0.95),
            "lag_max_s": percentile(late, 1.0),
            "cpu_s": round(real.process_time() - began, 1),
        }


def gap(recording: Recording) -> tuple[datetime, datetime, datetime]:
    """When the outage's watch starts, EDGAR goes, and it is back: around 16:00 where the recording holds that."""
    start, down, up = (recording.at(time(*at)) for at in ((15, 40), (15, 45), (16, 15)))
    if recording.starts_at <= start and recording.ends_at >= up:
        return start, down, up
    begin, length = recording.starts_at, recording.ends_at - recording.starts_at
    return begin, begin + 0.2 * length, begin + 0.7 * length


async def outage(recording: Recording, folder: Path, minutes_after: float) -> dict[str, Any]:
    """EDGAR is away for half an hour; what it brought meanwhile, and when the high tier was told."""
    start, down, up = gap(recording)
    missed = of_the_day(recording, down, up)
    fault = Fault(kind="down", start=down, end=up)
    began = real.process_time()
    async with watching(recording, folder, start, fetching=False, since=start, faults=[fault]) as watch:
        telling = asyncio.create_task(watch.pipeline.run())  # stopped on time, whatever is still to fetch
        await watch.until(up + timedelta(minutes=minutes_after))
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        messages = await watch.messages()
        seen = {filing.accession: filing for filing in watch.seen if filing.accession in missed}
        told = {one["filing_id"]: one["timestamp"] for one in messages if one["type"] == "filing_alert"}
        high = [name for name, filing in seen.items() if watch.ranking.score(filing).tier == "high"]
        after = [(datetime.fromisoformat(told[name]) - up).total_seconds() for name in high if name in told]
        return {
            "missed": len(missed),
            "recovered_share": len(seen) / max(1, len(missed)),
            "recovered_s": round(max(((one.seen_at - up).total_seconds() for one in seen.values()), default=0.0), 1),
            "high": len(high),
            "high_told": len(after),
            "high_s": round(max(after, default=0.0), 1),
            "told_by_then": len(told.keys() & missed.keys()),
            "repeated": repeats(messages),
            "max_requests_per_s": watch.tally.most_in_a_second(),
            "refused": watch.server.limit.refused,
            "cpu_s": round(real.process_time() - began, 1),
        }


def killed(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """A watch with an outage in it, killed with SIGKILL at seeded moments and started again each time; no `--times`."""
    draw = random.Random(options.seed)
    recording = Recording.load(options.walk)
    start, down, up = gap(recording)
    until = up + timedelta(minutes=10)
    fault = Fault(kind="down", start=down, end=up)
    command = [sys.executable, "-m", "bench.watching", "--life", str(folder), "--walk", str(options.walk)]
    command += ["--start", f"{start:%H:%M:%S}", "--until", f"{until:%H:%M:%S}", "--fault", fault.model_dump_json()]
    for number in range(options.kills):
        life = subprocess.Popen([*command, "--speed", "300"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert life.stdout is not None
        life.stdout.readline()
        with contextlib.suppress(subprocess.TimeoutExpired):
            life.wait(0.2 + 2.0 * draw.random())
        life.kill()
        life.communicate()
        say(f"kill {number + 1} of {options.kills}")
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=300)
    if not done.stdout.endswith("done\n"):
        raise RuntimeError(f"the last life ended with {done.returncode}")
    expected = of_the_day(recording, start, until - timedelta(seconds=5))
    messages = asyncio.run(_logged(folder / "stream.db"))
    finals = {one["filing_id"] for one in messages if one["final"]}
    return {
        "kills": options.kills,
        "expected": len(expected),
        "recall": len(finals & expected.keys()) / max(1, len(expected)),
        "repeated": repeats(messages),
    }


async def _logged(path: Path) -> list[dict[str, Any]]:
    db = Database(path)
    log, after = SqliteLog(db), 0
    found: list[dict[str, Any]] = []
    while records := await log.read(after, 1000):
        after = records[-1].offset
        found += [json.loads(record.body) for record in records]
    db.close()
    return found


def peer(recording: Recording, seconds: int) -> float:
    """The recall of a watcher that reads the first page every `seconds`."""
    released = of_the_day(recording, recording.starts_at, recording.ends_at)
    now, end = recording.starts_at.timestamp(), recording.ends_at.timestamp() + seconds
    found: set[str] = set()
    while now <= end:
        found |= {copy_of(row.accession, copy) for row, copy in recording.feed.window(now, Query(count=100))}
        now += seconds
    return round(len(found & released.keys()) / len(released), 5)


def measure(options: argparse.Namespace, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    runs: dict[str, dict[str, Any]] = {}
    peers: dict[str, Any] = {}
    for volume in dict.fromkeys((1, options.volume)):
        recording = load(options, volume)
        name = f"x{volume}"
        say(f"the whole day at ×{volume}: {recording.accessions} accessions")
        runs[name] = asyncio.run(whole_day(recording, _made(folder / name), options, fetching=volume == 1))
        say(f"  {runs[name]}")
        gone = outage(recording, _made(folder / f"outage-{name}"), 1.5 if volume > 1 else 5.0)
        runs[f"outage_{name}"] = asyncio.run(gone)
        say(f"  outage: {runs[f'outage_{name}']}")
        peers |= {f"every_{seconds}s_{name}": {"recall": peer(recording, seconds)} for seconds in PEERS}
    runs["killed"] = killed(options, _made(folder / "killed"))
    say(f"  killed: {runs['killed']}")
    return _worst(runs) | runs, peers


def _worst(runs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Each figure as the worst run has it."""

    def each(name: str) -> list[Any]:
        return [run[name] for run in runs.values() if name in run]

    return {
        "recall": min(each("recall")),
        "polls_per_s": max(each("polls_per_s")),
        "max_requests_per_s": max(each("max_requests_per_s")),
        "heldover_s": max(each("heldover_s")),
        "heldover_any_s": max(each("heldover_any_s")),
        "recovered_share": min(each("recovered_share")),
        "high_s": max(each("high_s")),
        "repeated": sum(each("repeated")),
        "refused": sum(each("refused")),
    }


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    text = "a recording laid out like the corpus"
    parser.add_argument("--walk", "--data", type=Path, default=CORPUS / "edgar", help=text)
    parser.add_argument("--times", type=Path, default=None, help="other moments of arrival")
    parser.add_argument("--volume", type=int, default=10, help="the second volume")
    parser.add_argument("--hidden", type=int, default=20, help="filings that no page of the feed shows, at ×1")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="the sample day, 2 kills")
    options = parser.parse_args()
    if options.quick:
        options.walk, options.kills, options.hidden = sample_path(), 2, 5
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory() as folder:
        figures, peers = measure(options, Path(folder))
    report("feed", figures, peers=peers, settings=vars(options))


if __name__ == "__main__":
    main()
