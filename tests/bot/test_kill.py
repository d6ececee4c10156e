"""The bot as a process, killed with -9 at each step of its outbox: nothing lost, nothing twice that is not counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bot.killing import STEPS, kills

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", ["bot", "webhook"])
async def test_a_kill_at_any_step_loses_nothing(tmp_path: Path, kind: str):
    found = await kills(tmp_path, kind, len(STEPS), seed=7)
    assert (found.lost, found.unfinished, found.refused, found.limited) == (0, 0, 0, 0)
    assert found.by_step == dict.fromkeys(STEPS, 1)
    assert found.duplicates <= found.counted
    assert (found.unexplained, found.most_cut_off) == (0, 1)
    if kind == "bot":
        assert (found.duplicates, found.counted) == (0, 0)
    else:
        assert found.duplicates == 1
