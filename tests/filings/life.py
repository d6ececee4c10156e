"""One life of a watching process over the sample day, to be killed: `python -m tests.filings.life DATA SPEED`.

The emulator runs in the same process on the same clock, which survives in DATA; it prints `done` at the day's end.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

import structlog

from catalyst.clock import SimClock
from catalyst.emulator import Recording, sample_path
from tests.filings.rig import watching


async def live(data: Path, speed: float) -> None:
    recording = Recording.load(sample_path(), volume=4)
    clock = SimClock(recording.starts_at, speed, data / "clock")
    async with watching(recording, data, clock=clock) as rig:
        print("up", flush=True)
        await rig.run_until(recording.ends_at + timedelta(minutes=20))
    print("done", flush=True)


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(live(Path(sys.argv[1]), float(sys.argv[2])))
