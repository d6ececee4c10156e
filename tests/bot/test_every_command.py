"""Every slash command against the bot as it is built, the strict Discord and a service with a hub; then a place that
closes or is deleted, and a token that is reset."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from catalyst.app.build.bot import RunningBot, bot, register
from catalyst.app.settings import load
from catalyst.bot.commands import COMMANDS, MANAGE_CHANNELS
from catalyst.bot.outbox import KEPT_S
from catalyst.bot.preferences import Preferences
from catalyst.bot.room import NoTargetLeft
from catalyst.http import Http
from tests.app.processes import free_port
from tests.bot.killing import Clocked, Stage, staged, until
from tests.bot.rig import Rig, told
from tests.fakes.discord.commanding import check_answer
from tests.fakes.discord.server import APPLICATION
from tests.fakes.discord.signer import Signer, command
from tests.llm.hub import hub_of, settings_of
from tests.web.test_usage import row


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, "bot") as made:
        yield made


class Asked:
    """Commands over real HTTP, signed; every answer is one that Discord takes."""

    def __init__(self, http: Http, port: int, signer: Signer) -> None:
        self._http, self._url, self._signer = http, f"http://127.0.0.1:{port}/interactions", signer

    async def says(self, name: str, **options: Any) -> str:
        body = command(name, permissions=MANAGE_CHANNELS, channel="8", **options)
        answer = await self._http.request("POST", self._url, body=body, headers=self._signer.headers(body, time.time()))
        found = orjson.loads(answer.body)
        check_answer(found)
        return str(found["data"]["content"]) if found["type"] == 4 else ""


@contextlib.asynccontextmanager
async def running(stage: Stage) -> AsyncIterator[tuple[RunningBot, Asked]]:
    signer, port = Signer(), free_port()
    more = {
        "DISCORD_PUBLIC_KEY": signer.public,
        "DISCORD_APPLICATION_ID": APPLICATION,
        "CATALYST_BOT_PORT": str(port),
    }
    async with bot(load(stage.environ | more, None), stage.folder) as made, Http() as http:
        task = asyncio.create_task(made.run())
        assert await until(lambda: made.bot.parts.client.connected, 20)
        try:
            yield made, Asked(http, port, signer)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_every_command_is_taken_by_discord_and_answers_what_discord_takes(stage: Stage):
    settings = load(stage.environ | {"DISCORD_APPLICATION_ID": APPLICATION}, None).bot
    assert await register(settings) == len(COMMANDS) == 8
    async with running(stage) as (_, asked):
        rules = [f"rule {number}: " + "@everyone <@1> long " * 20 for number in range(20)]
        await stage.service.log.append([told(Clocked(), number, rules=rules) for number in range(1, 12)])
        assert await until(lambda: len(stage.discord.of(stage.place)) == 11, 10)
        assert "ACME" in await asked.says("watch", action="add", ticker="acme msft")
        assert await asked.says("watch", action="list") == "Watched: ACME, MSFT"
        assert "muted" in await asked.says("mute", form="424B5", hours=4)
        assert "Quiet for 30 min" in await asked.says("snooze", minutes=30)
        assert "Alerts come again" in await asked.says("snooze", minutes=0)
        assert await asked.says("threshold", level="high", digest=True)
        assert "number 11" in await asked.says("latest")
        why = await asked.says("why", what="ACME")
        assert "rule 0" in why
        assert "@everyone" not in why
        assert "following the service" in await asked.says("status")
        assert "no model is configured" in await asked.says("usage")
    assert stage.discord.refused == []


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_command_without_options_or_with_wild_ones_is_answered_all_the_same(stage: Stage, name: str):
    wild: tuple[dict[str, Any], ...] = ({}, {"ticker": "😀" * 3000, "what": "@everyone" * 900, "hours": 10**9})
    async with running(stage) as (_, asked):
        for options in wild:
            assert await asked.says(name, **options)


async def test_usage_tells_what_the_service_counted(stage: Stage, wire: Any, tmp_path: Path):
    async with hub_of(settings_of(wire, tmp_path), tmp_path / "hub") as hub:
        ledger = hub._parts.attempts.ledger
        for number in range(4):
            ledger.record(row(number))
        await ledger.flush()
        await stage.service.stop()
        stage.service.parts["hub"] = hub
        await stage.service.start()
        async with running(stage) as (_, asked):
            said = await asked.says("usage")
            assert "4 calls, $4.00" in said
            assert "openai/m: $4.00, 4 calls" in said
            await stage.service.stop()
            assert "failed" in await asked.says("usage")
        await stage.service.start()


async def test_two_users_hear_each_what_they_asked_for(rig: Rig):
    first, second = ("user:41", "user:42")
    for user, watched in ((first, "AAA"), (second, "BBB")):
        rig.direct(user)
        await rig.preferences.put(user, Preferences(threshold=0.95, watch=(watched,)))
    rig.run()
    await rig.take(told(rig.clock, 1, ticker="AAA"), told(rig.clock, 2, ticker="BBB"), told(rig.clock, 3))
    await rig.until_states(posted=2)
    said = {user: [m.embed["title"] for m in rig.discord.of(f"9{int(user[5:]):017}")] for user in (first, second)}
    assert said == {first: ["AAA · Acme Widgets, Inc."], second: ["BBB · Acme Widgets, Inc."]}


async def test_closed_direct_messages_are_asked_for_seldom_and_hold_nobody_else_up(rig: Rig):
    rig.discord.closed.add("42")
    rig.direct("user:42")
    await rig.preferences.put("user:42", Preferences(watch=("ACME",)))
    channel = rig.bot()
    rig.run()
    await rig.take(told(rig.clock))
    await rig.until_states(posted=1)
    assert len(rig.discord.of(channel)) == 1
    await rig.sleep(3600)
    assert 2 <= len(rig.discord.refused) <= 8
    assert {body["code"] for _, _, body in rig.discord.refused} == {50007}
    rig.discord.closed.clear()
    await rig.sleep(700)
    await rig.until(lambda: rig.discord.of(f"9{42:017}"))


async def test_a_channel_that_is_deleted_ends_alone_and_what_waited_for_it_is_counted_as_gone(rig: Rig):
    doomed, other = rig.bot(), rig.bot()
    rig.run()
    await rig.take(told(rig.clock, 1))
    await rig.until_states(posted=2)
    rig.discord.delete_channel(doomed)
    await rig.take(told(rig.clock, 2))
    await rig.until_states(gone=2)
    assert len(rig.discord.of(other)) == 2
    assert [lane.target for lane in rig.desk.lanes.values() if lane.gone] == [f"channel:{doomed}"]


async def test_what_waits_while_the_token_is_wrong_is_told_with_the_next(rig: Rig):
    channel = rig.bot()
    rig.run()
    await rig.take(told(rig.clock, 1))
    await rig.until_states(posted=1)
    rig.discord.revoked = True
    await rig.take(told(rig.clock, 2))
    await rig.until(lambda: rig.lane.gone)
    assert "DISCORD_TOKEN" in rig.lane.gone
    found = await rig.states()
    assert (found["detected"], found["posted"], found["gone"]) == (1, 1, 0)
    rig.discord.revoked = False
    await rig.restart()
    await rig.until_states(leap=True, timed_out=2)
    assert len(rig.discord.of(channel)) == 2
    assert await rig.outbox.retain(rig.stamps.now() + KEPT_S) == 0


async def test_a_bot_whose_token_is_reset_ends_and_says_so(stage: Stage):
    async with bot(load(stage.environ, None), stage.folder) as made:
        task = asyncio.create_task(made.bot.run())
        assert await until(lambda: made.bot.parts.client.connected, 20)
        stage.discord.revoked = True
        await stage.tell(1)
        with pytest.raises(BaseExceptionGroup) as caught:
            await asyncio.wait_for(task, 20)
    assert "set the new one as DISCORD_TOKEN" in str(caught.value.subgroup(NoTargetLeft).exceptions[0])  # type: ignore[union-attr]
