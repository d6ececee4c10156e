"""The rig: a strict Discord and the bot's lanes on a simulated clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from catalyst.clock import SimClock
from tests.bot.rig import Rig, rigged


@pytest.fixture
async def rig(clock: SimClock, tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(clock, tmp_path) as made:
        yield made
