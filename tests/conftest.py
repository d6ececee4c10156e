"""What every test stands on: the loopback guard, the corpus's place, and a simulated clock."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from catalyst.clock import SimClock
from tests.fakes.plugin import wire as wire

HERE = Path(__file__).parent
GUARD = HERE / "guard"
SRC = HERE.parent / "src"


def pytest_configure(config: pytest.Config) -> None:
    if "live" in (config.option.markexpr or "") and "not live" not in config.option.markexpr:
        os.environ["CATALYST_LIVE"] = "1"
    paths = [str(GUARD), str(SRC), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    import tests.guard.sitecustomize  # noqa: F401 (installs the guard in this process)


@pytest.fixture(autouse=True)
def _logs_as_they_come() -> None:
    """A command that ran in this process leaves its level of logging behind."""
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The recorded corpus; skips visibly where it is not there."""
    place = Path(os.environ.get("CATALYST_CORPUS", HERE.parent.parent / "shared" / "corpus"))
    if not place.is_dir():
        pytest.skip(f"no corpus at {place}: set CATALYST_CORPUS")
    return place


@pytest.fixture
def clock() -> SimClock:
    """A simulated Friday in 2025, as fast as the work allows: nothing in a test waits for real time."""
    return SimClock(datetime(2025, 12, 12, 14, 0, tzinfo=UTC), speed=float("inf"))
