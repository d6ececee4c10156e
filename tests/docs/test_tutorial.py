"""The tutorial's promise: from nothing to cards on Discord, which change when the model has read the filing."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from tests.app.processes import free_port, started
from tests.app.test_two_phases import READING
from tests.docs.blocks import ROOT
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.plugin import Wire

UP = "catalyst up --data rehearsal --speed 30"
BOT = "catalyst bot"


@pytest.mark.slow
async def test_a_newcomer_sees_cards_and_then_the_models_word_in_them(tmp_path: Path, wire: Wire):
    page = (ROOT / "docs" / "guides" / "tutorial.md").read_text()
    assert f"\n{UP}\n" in page
    assert f"\n{BOT}\n" in page
    wire.gemini.says(json.dumps(READING), times=200)
    port, discord = free_port(), FakeDiscord()
    await discord.start()
    environ = {
        "GEMINI_API_KEY": wire.gemini.key, "GEMINI_BASE_URL": wire.gemini.url, "CATALYST_PORT": str(port),
        "DISCORD_API_URL": discord.api, "DISCORD_WEBHOOK_URL": discord.webhook(),
        "SEC_DIGESTER_URL": f"ws://127.0.0.1:{port}", "CATALYST_BOT_PORT": str(free_port()),
    }  # fmt: skip
    with (
        started(*BOT.split()[1:], cwd=tmp_path, log=tmp_path / "bot.log", **environ) as bot,
        started(*UP.split()[1:], cwd=tmp_path, log=tmp_path / "up.log", **environ) as up,
    ):
        await asyncio.to_thread(_until, discord)
        for process in (bot, up):
            process.terminate()
            assert await asyncio.to_thread(process.wait, 12) == 0
    assert any(message.edits for message in discord.messages.values())
    assert not discord.refused
    await discord.close()


def _until(discord: FakeDiscord) -> None:
    """Until the model's word stands in a card."""
    end = time.monotonic() + 90
    while time.monotonic() < end:
        if any("The company filed with the SEC" in json.dumps(one.body) for one in list(discord.messages.values())):
            return
        time.sleep(0.1)
    raise AssertionError([message.body for message in discord.messages.values()])
