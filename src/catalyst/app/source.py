"""Where filings come from: live EDGAR, a recording replayed in this process, or an emulator at an address.

A source gives the base address, the clock that everything in the walk waits on, and a name for its data folder.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from catalyst.app.settings import Settings
from catalyst.clock import NEW_YORK, Clock, SimClock, SystemClock
from catalyst.emulator import EmulatorServer, Recording, RemoteClock, sample_path
from catalyst.errors import SettingsError, UsageError

LIVE = "https://www.sec.gov"
REPLAY_AGENT = "Catalyst replay (replay@catalyst.invalid)"


@dataclass(frozen=True, slots=True)
class Source:
    """An opened source. `ends_at` is when a recording stops bringing anything new; None when live.

    `since`: on the first start, what was accepted earlier is not told of; None: everything is news.
    """

    title: str
    base_url: str
    user_agent: str
    clock: Clock
    since: datetime | None = None
    ends_at: datetime | None = None
    accessions: int | None = None
    other_search_url: str = ""

    @property
    def search_url(self) -> str:
        """Where full-text search is: EDGAR has it on another host, an emulator on its own."""
        return self.other_search_url or self.base_url


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source as the operator named it, before it is opened."""

    kind: str
    """`live`, `sample`, `replay` or `emulator`."""
    target: str = ""
    speed: float = 1.0
    volume: int = 1
    start: time | None = None
    """New York time of the recorded day to begin at."""

    @property
    def folder(self) -> str:
        """Name of its data folder: rehearsals never mix with live alerts."""
        if self.kind in ("live", "sample"):
            return self.kind
        name = Path(self.target).resolve().name if self.kind == "replay" else urlsplit(self.target).netloc
        volume = f"-x{self.volume}" if self.volume > 1 else ""
        start = self.start.strftime("-%H%M") if self.start else ""
        return f"{self.kind}-" + "".join(c if c.isalnum() or c in "-." else "-" for c in name) + volume + start


def source_spec(text: str, settings: Settings, speed: float, volume: int, start: str) -> SourceSpec:
    """Read `--source`. Empty means live EDGAR when SEC_USER_AGENT is set, else the sample day.

    Raises UsageError for a form it does not know, SettingsError for live EDGAR without SEC_USER_AGENT.
    """
    agent = settings.filings.user_agent
    begin = _start(start)
    if text in ("", "live"):
        if agent:
            return SourceSpec("live")
        if text == "live":
            raise SettingsError(
                "live EDGAR needs SEC_USER_AGENT, your name and e-mail as the SEC asks "
                '(SEC_USER_AGENT="Jane Roe jane@example.com"); without it, try --source sample'
            )
    if text in ("", "sample"):
        return SourceSpec("sample", speed=speed, volume=volume, start=begin)
    if text.startswith("replay:"):
        return SourceSpec("replay", text.removeprefix("replay:"), speed, volume, begin)
    if urlsplit(text).scheme in ("http", "https") and urlsplit(text).netloc:
        return SourceSpec("emulator", text.rstrip("/"))
    raise UsageError(f"--source {text!r}: use live, sample, replay:DIR or the address of a running emulator")


@contextlib.asynccontextmanager
async def opened(spec: SourceSpec, settings: Settings, state: Path) -> AsyncIterator[Source]:
    """Open the source and close it again; `state` is the file in which a replay's clock survives a restart."""
    agent = settings.filings.user_agent
    backfill = timedelta(seconds=settings.filings.backfill_seconds)
    if spec.kind == "live":
        live = SystemClock()
        base, search = settings.filings.base_url, settings.filings.search_url
        yield Source("live EDGAR", base, agent, live, live.now() - backfill, other_search_url=search)
    elif spec.kind == "emulator":
        clock = await RemoteClock.connect(spec.target)
        try:
            title = f"the emulator at {spec.target}"
            since = clock.now() - backfill
            yield Source(title, spec.target, agent or REPLAY_AGENT, clock, since, clock.ends_at, clock.accessions)
        finally:
            await clock.close()
    else:
        async with _replayed(spec, agent or REPLAY_AGENT, state) as source:
            yield source


@contextlib.asynccontextmanager
async def _replayed(spec: SourceSpec, agent: str, state: Path) -> AsyncIterator[Source]:
    folder = sample_path() if spec.kind == "sample" else Path(spec.target)
    recording = Recording.load(folder, volume=spec.volume)
    begin = recording.starts_at
    if spec.start:
        begin = datetime.combine(begin.astimezone(NEW_YORK).date(), spec.start, NEW_YORK)
    clock = SimClock(begin, spec.speed, state)
    name = "the sample day" if spec.kind == "sample" else f"{folder}, {begin.astimezone(NEW_YORK):%A %d %B %Y}"
    async with EmulatorServer(recording, clock) as server:
        since = begin if spec.start else None
        yield Source(f"a replay of {name}", server.url, agent, clock, since, recording.ends_at, recording.accessions)


def _start(text: str) -> time | None:
    if not text:
        return None
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--start {text!r}: use HH:MM, New York time, such as 15:55") from None
