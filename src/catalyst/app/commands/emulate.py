"""`catalyst emulate`: a recorded EDGAR over HTTP, for replays and tests in other processes."""

from __future__ import annotations

import asyncio
import contextlib
import math
import signal
import sys
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalyst.errors import StorageError, UsageError

if TYPE_CHECKING:
    from catalyst.clock import SimClock
    from catalyst.emulator import EmulatorServer, Faults, Recording

_PROGRESS_SECONDS = 30.0
_LIVE_SECONDS = 1.0


def emulate(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="A recording (feeds/, filings/, metadata/) [the shipped sample day]"),
    ] = None,
    speed: Annotated[str, typer.Option(help="Simulated seconds per real one while nobody works: 1, 600, max")] = "1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one")] = 8910,
    host: Annotated[str, typer.Option(help="Address to bind")] = "127.0.0.1",
    volume: Annotated[int, typer.Option(min=1, max=50, help="Each accession arrives N times, as different ones")] = 1,
    start: Annotated[str, typer.Option(help="Begin at this New York time, HH:MM [05:58]")] = "",
    day: Annotated[str, typer.Option(help="The day to replay, YYYY-MM-DD [the newest of the walk]")] = "",
    state: Annotated[Path | None, typer.Option(help="File in which the simulated clock survives a restart")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget where the simulated clock stood")] = False,
    faults: Annotated[Path | None, typer.Option(help="JSON file of faults: [{kind, url, start, end, …}]")] = None,
    bursts: Annotated[float, typer.Option(min=0, help="Rows of each N seconds arrive together at the end of them")] = 0,
    background: Annotated[
        bool, typer.Option(help="Also the rows of the day before, below, as EDGAR shows them")
    ] = True,
    limit: Annotated[bool, typer.Option(help="Refuse more than 10 requests a second, as EDGAR does")] = True,
) -> None:
    """Serve a recorded day of EDGAR over HTTP, at simulated time.

    `getcurrent`, filings, indexes, tickers, submissions and full-text search look as they did at the simulated moment.
    Until the first client is there the clock runs at real time, whatever the speed; --speed max moves only for clients
    that follow the clock. Programs must name a contact in their User-Agent. Faults can be added while it runs:

    curl -X POST localhost:8910/_emulator/faults -d '{"kind": "down", "start": "16:00", "end": "16:05"}'

    Follow it from another process: catalyst up --source http://127.0.0.1:8910
    """
    from catalyst.app import log
    from catalyst.app.settings import load
    from catalyst.emulator import Faults, Recording, sample_path

    settings = load()
    log.configure(settings.app.log_level, settings.app.log_format)
    place = folder or sample_path()
    recording = Recording.load(place, day=_day(day), volume=volume, bursts=bursts, background=background)
    begin = recording.at(_time(start)) if start else recording.starts_at
    kept = state or settings.app.data_dir / "emulator" / f"{place.resolve().name}-{recording.day}.clock"
    _prepare(kept, fresh)
    chosen = Faults.read(faults) if faults else Faults()
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(_run(recording, _clock(begin, _speed(speed), kept), host, port, chosen, 10 if limit else None))


async def _run(recording: Recording, clock: SimClock, host: str, port: int, faults: Faults, limit: int | None) -> None:
    from catalyst.emulator import EmulatorServer

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with EmulatorServer(
        recording, clock, host=host, port=port, faults=faults, limit=limit, patient=True
    ) as server:
        print(
            f"{server.url} serves {recording.folder}, {recording.day:%A %d %B %Y}: {recording.accessions} accessions, "
            f"{recording.rows} rows, until {recording.ends_at:%H:%M:%S} New York; now {_now(clock)}",
            flush=True,
        )
        progress = asyncio.create_task(_progress(server, clock))
        await stop.wait()
        progress.cancel()
    print("\nstopped", file=sys.stderr)


async def _progress(server: EmulatorServer, clock: SimClock) -> None:
    live = sys.stderr.isatty()
    while True:
        await asyncio.sleep(_LIVE_SECONDS if live else _PROGRESS_SECONDS)
        recording = server.recording
        out = recording.released(clock.monotonic())
        line = (
            f"{_now(clock)} New York, {out} of {recording.accessions} accessions out, "
            f"{server.requests} requests, {server.limit.refused} refused"
        )
        print(f"\r{line}  " if live else line, end="" if live else "\n", file=sys.stderr, flush=True)


def _now(clock: SimClock) -> str:
    from catalyst.clock import NEW_YORK

    return f"{clock.now().astimezone(NEW_YORK):%H:%M:%S}"


def _clock(begin: datetime, speed: float, state: Path) -> SimClock:
    from catalyst.clock import SimClock

    try:
        return SimClock(begin, speed, state)
    except OSError as error:
        raise StorageError(f"{state} cannot be written ({error.strerror}): name another file with --state") from error


def _prepare(state: Path, fresh: bool) -> None:
    try:
        state.parent.mkdir(parents=True, exist_ok=True)
        if fresh:
            state.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{state} cannot be written ({error.strerror}): name another file with --state") from error


def _speed(text: str) -> float:
    try:
        speed = math.inf if text == "max" else float(text)
    except ValueError:
        speed = 0.0
    if not speed > 0:
        raise UsageError(f"--speed {text!r}: use a positive number, or max")
    return speed


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UsageError(f"--day {text!r}: use YYYY-MM-DD, such as 2025-12-12") from None


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--start {text!r}: use HH:MM, New York time, such as 15:55") from None
