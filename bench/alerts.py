"""How fast, how surely and how politely alerts reach Discord: the bot as a process, the strict Discord on loopback.

Steady: 5 alerts a second over 20 channels with every price source dead: local work, and receipt to acceptance.
Terminal: charts that raise, lie or hang, updates that are garbage or never come, SIGTERM and SIGKILL in between: the
share of messages that end within 10.5 s. Burst: 300 alerts at once on one channel under Discord's real limits.
Kills: SIGKILL at every step of the outbox. Embeds: generated alerts against the strict rules.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.bot.killing import Clocked, Outcome, kills, prepare, until
from tests.bot.rig import told
from tests.bot.test_embeds import any_message
from tests.fakes.discord import FakeDiscord, Refusal, check_message
from tests.web.service import QUICK, Service

from bench.common import percentile, report, say
from catalyst.bot.preferences import FOREVER, Preferences, PreferenceStore
from catalyst.db import Database

_CONTEXT = multiprocessing.get_context("forkserver")
CHANNELS, PER_SECOND = 20, 5.0
LIMIT_S = 10.5


class DeadQuotes:
    """A price source that takes every question and answers none."""

    async def quotes(self, symbols: Any, deadline: float) -> Any:
        await asyncio.Event().wait()

    async def bars(self, symbol: str, interval: str) -> Any:
        await asyncio.Event().wait()


class Bars(DeadQuotes):
    """Bars at once, so that charts are drawn; prices fail."""

    async def quotes(self, symbols: Any, deadline: float) -> Any:
        raise RuntimeError("down")

    async def bars(self, symbol: str, interval: str) -> Any:
        return [object()]


def bad_chart(_bars: Any, _quote: Any, alert: Any) -> Any:
    """Raises, lies, hangs or draws nothing, by the filing's number."""
    kind = int(alert.filing_id[-1]) % 4
    if kind == 0:
        raise ValueError("no chart")
    if kind == 1:
        return b"garbage"
    if kind == 2:
        time.sleep(3600)
    return None


def _child(folder: Path, environ: dict[str, str], times: Path, scenario: str) -> None:
    """The bot as `catalyst bot` builds it; received and sent moments go to `times`."""
    import uvloop

    from catalyst.app import log
    from catalyst.app.build.bot import bot
    from catalyst.app.settings import load
    from catalyst.bot.desk import Desk
    from catalyst.bot.discord import WebhookSender

    log.configure("error")
    out = times.open("a", buffering=1)
    take, post = Desk.take, WebhookSender.post

    async def taking(self: Any, message: Any) -> Any:
        out.write(f"received {message.alert.filing_id}/{message.alert.version} {time.time():.6f}\n")
        return await take(self, message)

    async def posting(self: Any, delivery: Any) -> Any:
        out.writelines(f"sent {alert.filing_id} {time.time():.6f}\n" for alert in delivery.alerts)
        return await post(self, delivery)

    Desk.take, WebhookSender.post = taking, posting  # type: ignore[method-assign]
    quotes = Bars() if scenario == "terminal" else DeadQuotes()
    chart = bad_chart if scenario == "terminal" else None

    async def run() -> None:
        async with bot(load(environ, None), folder, quotes=quotes, chart=chart) as running:
            task = asyncio.create_task(running.run())
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
            out.write(f"started - {time.time():.6f}\n")
            with contextlib.suppress(asyncio.CancelledError):
                await task

    uvloop.run(run())


class Set:
    """A service, a Discord with its real limits, and the bot in a process."""

    def __init__(self, folder: Path, channels: int, scenario: str) -> None:
        self.folder, self.channels, self.scenario = folder, channels, scenario
        self.times = folder / "times"
        self.process: Any = None

    async def open(self) -> None:
        self.service = Service(self.folder / "log.db", QUICK)
        await self.service.start()
        self.discord = await FakeDiscord().start()
        self.hooks = [self.discord.webhook() for _ in range(self.channels)]
        self.environ = {"SEC_DIGESTER_URL": self.service.ws, "DISCORD_WEBHOOK_URL": ",".join(self.hooks)}
        await self._spread()

    async def _spread(self) -> None:
        """Channel n hears of ticker Tn alone."""
        db = Database(self.folder / "bot.db")
        store = PreferenceStore(db)
        for number, hook in enumerate(self.hooks):
            mutes = {f"T{other}": FOREVER for other in range(self.channels) if other != number}
            for owner in (f"webhook:{hook.split('/')[-2]}", f"channel:8{hook.split('/')[-2][1:]}"):
                await store.put(owner, Preferences(mutes=mutes))
        db.close()

    async def start(self) -> None:
        self.process = _CONTEXT.Process(
            target=_child, args=(self.folder, self.environ, self.times, self.scenario), daemon=True
        )
        self.process.start()
        if not await until(lambda: self.service.app.state.fanout.clients > 0, 30):
            raise SystemExit("the bot did not come up")
        await asyncio.sleep(0.5)

    async def end(self, number: int) -> None:
        os.kill(self.process.pid, number)
        await until(lambda: not self.process.is_alive(), 10)

    async def close(self) -> None:
        if self.process is not None and self.process.is_alive():
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.join()
        await self.service.stop()
        await self.discord.close()

    async def tell(self, number: int, **fields: Any) -> None:
        alert = told(Clocked(), number, ticker=f"T{number % self.channels}", **fields)
        await self.service.log.append([alert])

    def moments(self, kind: str) -> dict[str, float]:
        """By filing, the first of its kind."""
        found: dict[str, float] = {}
        for line in self.times.read_text().splitlines():
            what, subject, moment = line.split()
            if what == kind and not (kind == "received" and not subject.endswith("/1")):
                found.setdefault(subject.removesuffix("/1"), float(moment))
        return found

    def accepted(self) -> dict[str, float]:
        """When Discord took each filing, alone or in a digest."""
        found: dict[str, float] = {}
        for message in self.discord.messages.values():
            text = f"{message.embed.get('title')} {message.embed.get('description')} {message.embed['footer']['text']}"
            for number in _numbers(text):
                found.setdefault(number, message.at)
        return found

    def avoidable(self) -> int:
        """429s that its headers, or the reported limit of a channel, would have told us of: here, all."""
        if self.discord.limited:
            say(f"429: {Counter((kind, verdict.scope) for kind, verdict in self.discord.limited)}")
        return len(self.discord.limited)


def _numbers(text: str) -> set[str]:
    import re

    named = {f"0009999999-25-{int(each):06}" for each in re.findall(r"number (\d+)", text)}
    return named | set(re.findall(r"0009999999-25-\d{6}", text))


@contextlib.asynccontextmanager
async def stage(channels: int, scenario: str) -> AsyncIterator[Set]:
    with tempfile.TemporaryDirectory() as folder:
        made = Set(Path(folder), channels, scenario)
        await made.open()
        try:
            await made.start()
            yield made
        finally:
            await made.close()


async def steady(seconds: float) -> dict[str, Any]:
    """Alerts at an even pace; every other one gets its final update a second later."""
    async with stage(CHANNELS, "steady") as made:
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
            "local_p50_ms": percentile(local, 0.5),
            "local_p99_ms": percentile(local, 0.99),
            "accepted_p50_ms": percentile(whole, 0.5),
            "accepted_p99_ms": percentile(whole, 0.99),
            "lost": count - len(accepted),
            "duplicates": _twice(made.discord),
            "rejected": len(made.discord.refused),
            "avoidable_429": made.avoidable(),
        }


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
            restarted = max(_starts(made.times)) if ending == "SIGKILL" else 0.0
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
    """Half the kills with a bot's token, half with a webhook."""
    figures: dict[str, Any] = {"kill_cycles": 2 * cycles, "kill_lost": 0, "kill_unfinished": 0}
    kinds = ("bot", "webhook")
    for kind, found in zip(kinds, await asyncio.gather(*(_killed(kind, cycles) for kind in kinds)), strict=True):
        figures["kill_lost"] += found.lost
        figures["kill_unfinished"] += found.unfinished
        figures[f"kill_duplicates_{kind}"] = found.duplicates
        figures[f"kill_counted_{kind}"] = found.counted
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


async def _bench(quick: bool, only: str) -> dict[str, Any]:
    prepare()
    figures: dict[str, Any] = {}
    if only in ("", "steady"):
        figures |= await steady(12 if quick else 60)
    if only in ("", "terminal"):
        figures |= await terminal()
    if only in ("", "burst"):
        figures |= await burst()
    if only in ("", "kills"):
        figures |= await killed(8 if quick else 100)
    if only in ("", "embeds"):
        figures |= embeds(5_000 if quick else 100_000)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="", choices=["steady", "terminal", "burst", "kills", "embeds"])
    options = parser.parse_args()
    figures = asyncio.run(_bench(options.quick, options.only))
    settings = {"channels": CHANNELS, "alerts_per_s": PER_SECOND, "synchronous": "FULL", "quick": options.quick}
    report("alerts", figures, settings=settings)


if __name__ == "__main__":
    main()
