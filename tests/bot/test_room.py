"""The bot put together as the command does it, against a real service: direct messages, shared channels, old news."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from catalyst.app.build.bot import RunningBot, bot
from catalyst.app.settings import load
from catalyst.bot.entry import Message
from catalyst.bot.outbox import Tier
from catalyst.bot.preferences import Preferences
from tests.bot.killing import Clocked, Stage, staged, until
from tests.bot.rig import Rig, told


@contextlib.asynccontextmanager
async def running(stage: Stage, **more: str) -> AsyncIterator[RunningBot]:
    async with bot(load(stage.environ | more, None), stage.folder) as made:
        task = asyncio.create_task(made.run())
        assert await until(lambda: made.bot.parts.client.place is not None, 20)
        try:
            yield made
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, "bot") as made:
        yield made


async def test_a_user_who_watches_gets_direct_messages_now_and_after_a_restart(stage: Stage):
    async with running(stage) as made:
        parts = made.bot.parts
        await parts.preferences.put("user:42", replace(parts.preferences.of("user:42"), watch=("ZZZ",)))
        assert made.bot.watch_user("user:42")
        await stage.service.log.append([told(Clocked(), 1, ticker="ZZZ"), told(Clocked(), 2)])
        direct = f"9{42:017}"
        assert await until(lambda: len(stage.discord.of(direct)) == 1, 10)
    async with running(stage):
        await stage.service.log.append([told(Clocked(), 3, ticker="ZZZ")])
        assert await until(lambda: len(stage.discord.of(direct)) == 2, 10)
    assert stage.discord.refused == []


async def test_what_is_set_in_a_channel_holds_for_its_webhooks_and_they_count_together(stage: Stage):
    channel = stage.discord.channel()
    hooks = [stage.discord.webhook(channel) for _ in range(2)]
    async with running(stage, DISCORD_WEBHOOK_URL=",".join(hooks)) as made:
        parts, desk = made.bot.parts, made.bot.parts.desk
        owner = f"channel:{channel}"
        assert await until(lambda: list(desk._owners.values()).count(owner) == 2, 10)
        await parts.preferences.put(owner, Preferences(snoozed_until=time.time() + 900))
        await stage.service.log.append([told(Clocked(), 1)])
        assert await until(lambda: len(stage.discord.of(stage.place)) == 1, 10)
        assert stage.discord.of(channel) == []
        windows = {id(sender._pace.channel) for sender in parts.webhooks.values()}
        assert len(windows) == 1


async def test_the_status_says_what_there_is(stage: Stage):
    async with running(stage) as made:
        await stage.service.log.append([told(Clocked(), 1)])
        assert await until(lambda: len(stage.discord.of(stage.place)) == 1, 10)
        found = await made.bot.status()
    assert (found["following"], found["received"], found["targets"], found["gone"]) == (True, 1, 1, [])


async def test_what_was_said_long_before_we_heard_it_may_be_merged(rig: Rig):
    rig.webhook()
    alert = told(rig.clock).model_copy(update={"ts_ns": time.time_ns() - 3600 * 10**9})
    entry = rig.desk._entry(rig.lane, Message(1, alert, True, {}), rig.stamps.now())
    assert entry is not None
    assert entry.tier is Tier.LOW
    live = rig.desk._entry(rig.lane, Message(1, alert, False, {}), rig.stamps.now())
    assert live is not None
    assert live.tier is Tier.HIGH
