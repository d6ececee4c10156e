"""How fast, how surely and how politely alerts reach Discord: the bot as a process, the strict Discord on loopback.

Steady: 5 alerts a second over 20 channels with every price source dead: local work, and receipt to acceptance.
Terminal: charts that raise, lie or hang, updates that are garbage or never come, SIGTERM and SIGKILL in between: the
share of messages that end within 10.5 s. Burst: 300 alerts at once on one channel under Discord's real limits.
Kills: SIGKILL at every step of the outbox. Embeds: generated alerts against the strict rules. Day: filings and
headlines of a day at ten times the volume (`alerts_day.py`).
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import signal
import sqlite3
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.bot.killing import Clocked, Outcome, kills, prepare, until
from tests.bot.rig import told
from tests.bot.test_embeds import any_message
from tests.fakes.discord import FakeDiscord, Refusal, check_message

from bench.alerts_day import day
from bench.alerts_parts import STEPS, Set, stage
from bench.common import percentile, report, say

CHANNELS, PER_SECOND = 20, 5.0
LIMIT_S = 10.5


def _bare_commits(path: Path, seconds: float) -> list[float]:
    """What the disk alone takes just now: one row and its fsync, in ms. In each alert are two."""
    run = sqlite3.connect(path, isolation_level=None)
    run.execute("PRAGMA journal_mode=WAL")
    run.execute("PRAGMA synchronous=FULL")
    run.execute("CREATE TABLE bare (body TEXT)")
    found, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        begun = time.perf_counter()
        run.execute("INSERT INTO bare VALUES (?)", ("x" * 3000,))
        found.append(1000 * (time.perf_counter() - begun))
        time.sleep(1 / PER_SECOND)
    run.close()
    return found


async def steady(seconds: float) -> dict[str, Any]:
    """Alerts at an even pace; every other one gets its final update a second later."""
    async with stage(CHANNELS, "steady") as made:
        bare = asyncio.create_task(asyncio.to_thread(_bare_commits, made.folder / "bare.db", seconds))
        count, begun = int(seconds * PER_SECOND), time.monotonic()
        for number in range(count + int(PER_SECOND)):
            await asyncio.sleep(max(0.0, begun + number / PER_SECOND - time.monotonic()))
            if number < count:
                await made.tell(number, high=number % 5 == 0)
            earlier = number - int(PER_SECOND)
            if earlier >= 0 and earlier % 2:
                await made.tell(earlier, high=earlier % 5 == 0, version=2, final=True)
        await until(lambda: len(made.accepted()) >= count, 20)
        received, sent, accepted = made.moments("received"), made.moments("sent"), made.accepted()
        local = [1000 * (sent[each] - received[each]) for each in received if each in sent]
        whole = [1000 * (accepted[each] - received[each]) for each in received if each in accepted]
        say(f"steady: {len(whole)} of {count} accepted, local p50 {percentile(local, 0.5)} ms")
        return {
            **_by_step(made),
            "bare_commit_p99_ms": percentile(await bare, 0.99),
            "local_p50_ms": percentile(local, 0.5),
            "local_p99_ms": percentile(local, 0.99),
            "accepted_p50_ms": percentile(whole, 0.5),
            "accepted_p99_ms": percentile(whole, 0.99),
            "lost": count - len(accepted),
            "duplicates": _twice(made.discord),
            "rejected": len(made.discord.refused),
            "avoidable_429": made.avoidable(),
        }


def _by_step(made: Set) -> dict[str, Any]:
    """p99 of each step of the local work, in ms."""
    moments = {step: made.moments(step) for step in STEPS}
    found = {}
    for before, after in itertools.pairwise(STEPS):
        waits = [1000 * (moments[after][each] - moments[before][each]) for each in moments[after]]
        found[f"{after}_p99_ms"] = percentile(waits, 0.99)
    return found


async def terminal() -> dict[str, Any]:
    """Whatever goes wrong, a message does not go on saying "processing"."""
    late, count, worst = 0, 0, 0.0
    for ending in ("", "SIGTERM", "SIGKILL"):
        async with stage(CHANNELS, "terminal") as made:
            for number in range(2 * CHANNELS):
                await made.tell(number)
            await until(lambda stood=made: len(stood.discord.messages) == 2 * CHANNELS, 20)  # type: ignore[misc]
            for number in range(0, 2 * CHANNELS, 5):
                await made.tell(number, version=2, final=True)
                await _garbage(made, number + 1)
            if ending:
                await made.end(getattr(signal, ending))
                await made.start()
            await until(lambda stood=made: not _processing(stood.discord), 15)  # type: ignore[misc]
            restarted = max(_starts(made.times)) if ending else 0.0
            waits = [_ended(message, restarted) for message in made.discord.messages.values()]
            worst = max(worst, *(wait for wait in waits if wait < 1e6))
            late += sum(wait > LIMIT_S for wait in waits)
            count += len(waits)
            say(f"terminal ({ending or 'no restart'}): {len(waits)} messages, longest {max(waits):.2f} s")
    return {"terminal_share": round(1 - late / count, 4), "terminal_worst_s": round(worst, 2)}


async def _garbage(made: Set, number: int) -> None:
    """An update that no client can read, in the log's own table."""
    alert = told(Clocked(), number, version=2, final=True, ticker=f"T{number % made.channels}")
    wrong = alert.model_copy(update={"analysis": alert.analysis.model_copy(update={"sentiment": 77.0})})
    await made.service.log.append([wrong])


def _processing(discord: FakeDiscord) -> list[Any]:
    return [message for message in discord.messages.values() if "processing" in message.value("AI analysis")]


def _ended(message: Any, restarted: float) -> float:
    """Seconds from the post (or the restart) to the first word that is an end."""
    for moment, body in message.edits:
        fields = body["embeds"][0].get("fields", [])
        if not any("processing" in field["value"] for field in fields):
            return float(moment - max(message.at, restarted))
    return float("inf")


def _starts(times: Path) -> list[float]:
    return [float(line.split()[2]) for line in times.read_text().splitlines() if line.startswith("started")]


async def burst(count: int = 300) -> dict[str, Any]:
    """All at once on one channel; five of them urgent."""
    high = set(random.Random(5).sample(range(count), 5))
    async with stage(1, "steady") as made:
        alerts = [told(Clocked(), number, ticker="T0", high=number in high) for number in range(count)]
        await made.service.log.append(alerts)
        await until(lambda: len(made.accepted()) >= count, 90)
        await asyncio.sleep(11)
        received, accepted = made.moments("received"), made.accepted()
        begun = min(received.values())
        urgent = [accepted[alerts[number].filing_id] - begun for number in high]
        say(f"burst: all received after {max(received.values()) - begun:.2f} s")
        messages = len(made.discord.messages)
        say(f"burst: {len(accepted)} of {count} in {messages} messages, urgent after {max(urgent):.2f} s at most")
        return {
            "burst_lost": count - len(accepted),
            "burst_high_p95_s": percentile(urgent, 0.95),
            "burst_messages": messages,
            "burst_avoidable_429": made.avoidable(),
            "burst_rejected": len(made.discord.refused),
        }


def _twice(discord: FakeDiscord) -> int:
    found = Counter(message.embed["footer"]["text"].partition(" ")[0] for message in discord.messages.values())
    return sum(count - 1 for name, count in found.items() if name != "digest")


async def killed(cycles: int) -> dict[str, Any]:
    """Half the kills with a token, half with a webhook. A duplicate is explained where its own sending was cut off."""
    figures: dict[str, Any] = {"kill_cycles": 2 * cycles, "kill_lost": 0, "kill_unfinished": 0}
    kinds = ("bot", "webhook")
    for kind, found in zip(kinds, await asyncio.gather(*(_killed(kind, cycles) for kind in kinds)), strict=True):
        figures["kill_lost"] += found.lost
        figures["kill_unfinished"] += found.unfinished
        figures[f"kill_duplicates_{kind}"] = found.duplicates
        figures[f"kill_counted_{kind}"] = found.counted
        figures[f"kill_unexplained_{kind}"] = found.unexplained
        figures[f"kill_under_way_{kind}"] = found.most_cut_off
        figures[f"kill_died_in_step_{kind}"] = sum(found.by_step.values())
    return figures


async def _killed(kind: str, cycles: int) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        return await kills(Path(folder), kind, cycles, 11, say)


def embeds(count: int) -> dict[str, Any]:
    """Generated alerts, in every phase, against the rules."""
    draw, refused = random.Random(3), 0
    for number in range(count):
        try:
            check_message(any_message(draw), {}, kind="webhook")
        except Refusal as refusal:
            refused += 1
            say(f"embed {number}: {refusal}")
        if number % 20_000 == 19_999:
            say(f"embeds: {number + 1}")
    return {"embeds": count, "embeds_rejected": refused}


async def _bench(quick: bool, only: str, volume: int) -> dict[str, Any]:
    prepare()
    figures: dict[str, Any] = {}
    if only in ("", "steady"):
        figures |= await steady(12 if quick else 60)
    if only in ("", "terminal"):
        figures |= await terminal()
    if only in ("", "burst"):
        figures |= await burst()
    if only in ("", "day"):
        figures |= await day(volume)
    if only in ("", "kills"):
        figures |= await killed(8 if quick else 100)
    if only in ("", "embeds"):
        figures |= embeds(5_000 if quick else 100_000)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="", choices=["steady", "terminal", "burst", "day", "kills", "embeds"])
    parser.add_argument("--volume", type=int, default=1, help="of the day, in recorded days; 10 takes ten minutes")
    options = parser.parse_args()
    figures = asyncio.run(_bench(options.quick, options.only, options.volume))
    settings = {"channels": CHANNELS, "alerts_per_s": PER_SECOND, "synchronous": "FULL", "quick": options.quick}
    report("alerts", figures, settings=settings)


if __name__ == "__main__":
    main()
