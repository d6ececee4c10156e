"""Slash commands as Discord sends them: signed, fresh, once; who may change what; deferred when slow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from catalyst.bot.commands import COMMANDS, MANAGE_CHANNELS, Call
from catalyst.bot.commands import Desk as CommandDesk
from catalyst.bot.commands import answer as answered
from catalyst.bot.interactions import BODY, Interactions
from catalyst.bot.money import told_usage
from catalyst.bot.outbox import Tier
from tests.bot.rig import Rig, told
from tests.fakes.discord.signer import Signer, command, ping

SPENT: dict[str, Any] = {
    "since": "2025-11-13",
    "until": "2025-12-12",
    "available": True,
    "models": [
        {"key": "gemini-x", "calls": 1200, "failed": 3, "cache_hits": 40, "cost_usd": "11.90", "saved_usd": "0.5"},
        {"key": "", "calls": 10, "failed": 0, "cache_hits": 10, "cost_usd": "0", "saved_usd": "0.1"},
    ],
    "money": {"today_usd": "0.42", "month_usd": "12.34", "left_usd": "87.66", "monthly_limit_usd": "100"},
}
"""As `/api/usage` tells it."""


class Endpoint:
    """The ASGI application, called as a server calls it."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.signer = rig, Signer()
        self.money: dict[str, Any] = SPENT
        self.slow = asyncio.Event()
        self.slow.set()
        self.direct = True
        desk = CommandDesk(
            rig.outbox, rig.preferences, rig.stamps, lambda owner: self.direct, self._status, self._usage
        )

        async def answer(call: Call) -> str:
            return await answered(desk, call)

        self.app = Interactions(self.signer.public, answer, rig.http, rig.clock, api=rig.discord.api)

    async def _status(self) -> dict[str, Any]:
        counts = await self.rig.outbox.counts()
        return {"following": True, "received": 3, "targets": 1, "gone": [], "messages": counts, "limited": 0}

    async def _usage(self) -> dict[str, Any]:
        await self.slow.wait()
        return self.money

    async def send(
        self,
        body: bytes,
        *,
        age: float = 0,
        path: str = "/interactions",
        method: str = "POST",
        more: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        headers = self.signer.headers(body, self.rig.clock.now().timestamp() - age) | (more or {})
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items() if value]
        scope = {"type": "http", "method": method, "path": path, "headers": raw}
        sent: list[Any] = []
        events = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive():
            return events.pop(0)

        async def take(event: Any) -> None:
            sent.append(event)

        await self.app(scope, receive, take)
        return sent[0]["status"], orjson.loads(sent[1]["body"])

    async def says(self, name: str, **options: Any) -> str:
        status, body = await self.send(command(name, **options))
        assert (status, body["type"]) == (200, 4)
        assert body["data"]["flags"] == 64
        assert body["data"]["allowed_mentions"] == {"parse": []}
        return str(body["data"]["content"])


@pytest.fixture
async def endpoint(rig: Rig) -> AsyncIterator[Endpoint]:
    made = Endpoint(rig)
    yield made
    await made.app.close()


async def test_a_signed_ping_gets_its_pong(endpoint: Endpoint):
    assert await endpoint.send(ping()) == (200, {"type": 1})


async def test_what_discord_did_not_sign_is_refused(endpoint: Endpoint):
    good = ping()
    signed, stamped = "X-Signature-Ed25519", "X-Signature-Timestamp"
    foreign = Signer().headers(good, 0)[signed]
    wrong = [{signed: text} for text in ("", "zz", "00" * 64, foreign)] + [{stamped: text} for text in ("", "9" * 30)]
    for more in wrong:
        assert (await endpoint.send(good, more=more))[0] == 401
    for age in (121, -121):
        assert (await endpoint.send(good, age=age))[0] == 401


async def test_an_interaction_is_answered_once(endpoint: Endpoint):
    body = command("status")
    assert (await endpoint.send(body))[0] == 200
    assert (await endpoint.send(body))[0] == 401


async def test_only_its_own_path_and_method_and_size_are_served(endpoint: Endpoint):
    assert (await endpoint.send(ping(), path="/"))[0] == 404
    assert (await endpoint.send(ping(), method="GET"))[0] == 404
    assert (await endpoint.send(b" " * (BODY + 1)))[0] == 413
    assert (await endpoint.send(b"no JSON"))[0] == 400
    assert (await endpoint.send(b'{"type": 5}'))[0] == 400


async def test_a_slow_answer_is_announced_and_follows(endpoint: Endpoint):
    endpoint.slow.clear()
    endpoint.rig.clock.release()
    status, body = await endpoint.send(command("usage"))
    endpoint.rig.clock.hold()
    assert (status, body) == (200, {"type": 5, "data": {"flags": 64}})
    endpoint.slow.set()
    await endpoint.rig.until(lambda: endpoint.rig.discord.followups)
    [(token, said)] = endpoint.rig.discord.followups
    assert (token, said["content"]) == ("interaction-token", told_usage(SPENT))


async def test_only_who_may_manage_a_channel_changes_its_settings(endpoint: Endpoint):
    said = await endpoint.says("watch", action="add", ticker="AAPL")
    assert "may manage" in said
    assert endpoint.rig.preferences.of("channel:8").watch == ()
    said = await endpoint.says("watch", permissions=MANAGE_CHANNELS, action="add", ticker="aapl brk.b")
    assert said == "Watched: AAPL, BRK-B"
    assert (await endpoint.says("watch", action="list")) == "Watched: AAPL, BRK-B"
    assert "MSFT" in await endpoint.says("watch", action="add", ticker="MSFT", where="me")
    assert endpoint.rig.preferences.users() == ["user:42"]


@pytest.mark.parametrize("name", ["mute", "snooze", "threshold"])
async def test_every_setting_of_a_channel_needs_the_right(endpoint: Endpoint, name: str):
    settings: dict[str, dict[str, Any]] = {
        "mute": {"ticker": "AAPL"},
        "snooze": {"minutes": 5},
        "threshold": {"level": "high"},
    }
    options = settings[name]
    before = endpoint.rig.preferences.of("channel:8")
    assert "may manage" in await endpoint.says(name, **options)
    assert endpoint.rig.preferences.of("channel:8") == before
    await endpoint.says(name, permissions=MANAGE_CHANNELS, **options)
    assert endpoint.rig.preferences.of("channel:8") != before


async def test_settings_survive_a_restart_and_rule_what_is_told(endpoint: Endpoint):
    rig, may = endpoint.rig, {"permissions": MANAGE_CHANNELS}
    await endpoint.says("threshold", level="high", quiet=True, digest=True, **may)
    await endpoint.says("watch", action="add", ticker="ZZZ", **may)
    await endpoint.says("mute", ticker="BAD", **may)
    await endpoint.says("mute", form="8-k/a", hours=2, **may)
    await rig.restart()
    kept, now = rig.preferences.of("channel:8"), rig.stamps.now()
    assert kept.wants(told(rig.clock, high=False), now) is None
    assert kept.wants(told(rig.clock, ticker="ZZZ", high=False), now) is Tier.HIGH
    assert kept.wants(told(rig.clock, ticker="BAD"), now) is None
    amended = told(rig.clock).model_copy(update={"filing_type": "8-K/A"})
    assert kept.wants(amended, now) is None
    assert kept.wants(amended, now + 7201) is Tier.HIGH
    assert kept.quiet
    assert kept.digest


async def test_a_snooze_ends(endpoint: Endpoint):
    rig = endpoint.rig
    await endpoint.says("snooze", minutes=30, permissions=MANAGE_CHANNELS)
    kept, now = rig.preferences.of("channel:8"), rig.stamps.now()
    assert kept.wants(told(rig.clock), now) is None
    assert kept.wants(told(rig.clock), now + 1801) is Tier.HIGH


async def test_why_shows_the_rules_that_fired(endpoint: Endpoint):
    rig = endpoint.rig
    await rig.take(told(rig.clock, rules=["8-K item 2.02: urgency .9", "watched: +.2"]))
    for what in ("ACME", "acme", told(rig.clock).filing_id):
        said = await endpoint.says("why", what=what)
        assert "8-K item 2.02: urgency .9" in said
        assert "0.90 (high), by rules" in said
    assert "Nothing is known" in await endpoint.says("why", what="NOPE")


async def test_latest_and_status_and_usage_say_what_there_is(endpoint: Endpoint):
    rig = endpoint.rig
    await rig.take(told(rig.clock, 1), told(rig.clock, 2, ticker="OTHR"))
    assert "number 2" in await endpoint.says("latest")
    assert "number 2" not in await endpoint.says("latest", ticker="acme")
    assert "Nothing of NOPE" in await endpoint.says("latest", ticker="nope")
    assert "following the service" in await endpoint.says("status")
    assert "$0.4200 today, $12.34 of $100.00 this month**; $87.66 left" in await endpoint.says("usage")
    endpoint.money = {}
    assert "no model" in await endpoint.says("usage")


async def test_in_a_direct_message_everything_is_ones_own(endpoint: Endpoint):
    assert await endpoint.says("watch", channel="", action="add", ticker="AAPL") == "Watched: AAPL"
    endpoint.direct = False
    assert "no token" in await endpoint.says("watch", channel="", action="add", ticker="MSFT")


@pytest.mark.parametrize(
    ("name", "options"),
    [("watch", {"action": "add", "ticker": "NOT A TICKER!"}), ("mute", {}), ("threshold", {"level": "huge"}),
     ("nothing", {})],
)  # fmt: skip
async def test_a_mistake_is_said_in_words(endpoint: Endpoint, name: str, options: dict[str, Any]):
    said = await endpoint.says(name, permissions=MANAGE_CHANNELS, **options)
    assert len(said) > 10
    assert "fault" not in said


async def test_hostile_options_neither_break_nor_ping(endpoint: Endpoint):
    said = await endpoint.says("why", what="@everyone <@1> " + "x" * 5000)
    assert "@everyone" not in said.replace("@\u200b", "")
    assert len(said) <= 2000
    status, _ = await endpoint.send(orjson.dumps({"type": 2, "id": "77", "data": None, "member": None}))
    assert status == 200


def test_the_commands_are_as_discord_takes_them():
    assert set(COMMANDS) == {"watch", "mute", "snooze", "threshold", "latest", "why", "status", "usage"}
    for command_ in COMMANDS.values():
        wire = command_.wire()
        assert 1 <= len(wire["description"]) <= 100
        required = [option.get("required", False) for option in wire.get("options", [])]
        assert required == sorted(required, reverse=True)
        assert all(1 <= len(option["description"]) <= 100 for option in wire.get("options", []))
