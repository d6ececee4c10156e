"""Every sender through one contract: webhook, bot, signed JSON, terminal; and what Discord's answers mean."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from aiohttp import web

from catalyst.bot.discord import BotSender, WebhookSender, nonce
from catalyst.bot.jsonhook import JsonSender, signature
from catalyst.bot.pace import Globe, Pace
from catalyst.bot.places import Webhook
from catalyst.bot.senders import Delivery, Forbidden, Limited, MessageGone, Rejected, SendError, TargetGone
from catalyst.bot.terminal import Terminal, TerminalSender
from catalyst.clock import SystemClock
from catalyst.errors import SettingsError
from catalyst.http import Http
from tests.contracts.sender import SenderContract, delivery
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.server import TOKEN

SECRET = "a secret of sixteen"


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with Http() as opened:
        yield opened


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    fake = await FakeDiscord().start()
    yield fake
    await fake.close()


def shown(fake: FakeDiscord, place: str) -> list[str]:
    return [m.embed.get("description", "") for m in fake.of(place)]


class TestWebhook(SenderContract):
    @pytest.fixture
    async def place(self, discord: FakeDiscord, http: Http):
        url = discord.webhook()

        async def texts() -> list[str]:
            return shown(discord, url)

        return SimpleNamespace(sender=WebhookSender(Webhook.of(url), http, Pace(Globe(SystemClock()))), texts=texts)


class TestBot(SenderContract):
    @pytest.fixture
    async def place(self, discord: FakeDiscord, http: Http):
        channel = discord.channel()

        async def texts() -> list[str]:
            return shown(discord, channel)

        pace = Pace(Globe(SystemClock()))
        return SimpleNamespace(sender=BotSender(TOKEN, channel, http, pace, api=discord.api), texts=texts)


class TestDirectMessages(SenderContract):
    @pytest.fixture
    async def place(self, discord: FakeDiscord, http: Http):
        async def texts() -> list[str]:
            return [m.embed.get("description", "") for m in discord.messages.values()]

        pace = Pace(Globe(SystemClock()))
        return SimpleNamespace(sender=BotSender(TOKEN, "", http, pace, api=discord.api, user="42"), texts=texts)


class TestTerminal(SenderContract):
    @pytest.fixture
    def place(self):
        out = io.StringIO()

        async def texts() -> list[str]:
            return out.getvalue().splitlines()

        return SimpleNamespace(sender=TerminalSender(Terminal(out, color=False, width=0)), texts=texts)


class Receiver:
    """Whoever takes the signed JSON: checks the signature, and keeps one message for each key and id."""

    def __init__(self) -> None:
        self.got: dict[str, dict[str, Any]] = {}
        self.status = 200
        self.headers: list[dict[str, str]] = []

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        stamp = request.headers["X-Catalyst-Timestamp"]
        assert request.headers["X-Catalyst-Signature"] == signature(SECRET.encode(), stamp, body)
        said = orjson.loads(body)
        self.headers.append(dict(request.headers))
        self.got[said["id"]] = said
        return web.Response(status=self.status)


@pytest.fixture
async def receiver() -> AsyncIterator[Any]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/hook", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{runner.addresses[0][1]}/hook", made=made)
    await runner.cleanup()


class TestJson(SenderContract):
    @pytest.fixture
    async def place(self, receiver: Any, http: Http):
        async def texts() -> list[str]:
            from catalyst.bot.terminal import clean

            return [clean(said["alerts"][0]["headline"]) for said in receiver.made.got.values()]

        return SimpleNamespace(sender=JsonSender(receiver.url, SECRET, http), texts=texts)


async def test_a_repeated_send_bears_the_same_key(receiver: Any, http: Http):
    sender = JsonSender(receiver.url, SECRET, http)
    for _ in range(2):
        await sender.post(delivery(1))
    await sender.edit("nonce-1", delivery(1, version=2))
    keys = [headers["Idempotency-Key"] for headers in receiver.made.headers]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("status", "error"), [(410, TargetGone), (404, TargetGone), (429, Limited), (500, SendError), (400, Rejected)]
)
async def test_what_a_receiver_answers_decides_what_comes_next(receiver: Any, http: Http, status: int, error: type):
    receiver.made.status = status
    with pytest.raises(error):
        await JsonSender(receiver.url, SECRET, http).post(delivery(1))


def webhook(discord: FakeDiscord, http: Http) -> WebhookSender:
    return WebhookSender(Webhook.of(discord.webhook()), http, Pace(Globe(SystemClock())))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, {"code": 10015}, TargetGone),
        (401, {"code": 50027}, TargetGone),
        (404, {"code": 10008}, MessageGone),
        (403, {"code": 50013}, Forbidden),
        (400, {"code": 50035, "errors": {}}, Rejected),
        (429, {"retry_after": 1.25, "global": False}, Limited),
        (500, None, SendError),
        (200, "<html>", SendError),
        (200, {"id": 7}, SendError),
        (302, None, SendError),
    ],
)
async def test_what_discord_answers_decides_what_comes_next(
    discord: FakeDiscord, http: Http, status: int, body: Any, error: type
):
    discord.fault("post", status=status, body=body)
    with pytest.raises(error) as caught:
        await webhook(discord, http).post(delivery(1))
    assert isinstance(caught.value, SendError)
    if status == 429:
        assert caught.value.after == 1.25


@pytest.mark.parametrize("wait", ["inf", float("inf"), -3, None, "soon", 1e9])
async def test_a_senseless_wait_is_bounded(discord: FakeDiscord, http: Http, wait: Any):
    discord.fault("post", status=429, body={"retry_after": "x" if wait == float("inf") else wait})
    with pytest.raises(Limited) as caught:
        await webhook(discord, http).post(delivery(1))
    assert 0 < caught.value.after <= 3600


async def test_a_message_that_discord_would_refuse_is_not_sent(discord: FakeDiscord, http: Http):
    with pytest.raises(Rejected, match="not sent"):
        await webhook(discord, http).post(Delivery("n", (), (), done=True))
    assert discord.requests == []


async def test_no_error_tells_a_webhooks_secret(discord: FakeDiscord, http: Http):
    url = discord.webhook()
    sender = WebhookSender(Webhook.of(url), http, Pace(Globe(SystemClock())), seconds=0.05)
    assert "secret" not in repr(Webhook.of(url))
    for fault in ({"hang": True}, {"reset": True}, {"status": 500}):
        discord.fault("post", **fault)
        with pytest.raises(SendError) as caught:
            await sender.post(delivery(1))
        assert "secret" not in str(caught.value)
        assert caught.value.__cause__ is None


async def test_a_webhooks_thread_goes_with_every_request(discord: FakeDiscord, http: Http):
    url = discord.webhook()
    sender = WebhookSender(Webhook.of(f"{url}?thread_id=77"), http, Pace(Globe(SystemClock())))
    ident = await sender.post(delivery(1))
    await sender.edit(ident, delivery(1, version=2))
    assert discord.messages[ident].channel == "77"


async def test_a_webhook_knows_its_channel(discord: FakeDiscord, http: Http):
    url = discord.webhook("800000000000000123")
    sender = WebhookSender(Webhook.of(url), http, Pace(Globe(SystemClock())))
    assert await sender.channel() == "800000000000000123"


@pytest.mark.parametrize(
    "url",
    ["", "https://discord.com/", "ftp://discord.com/api/webhooks/1/t", "http://discord.com/api/webhooks/1/t",
     "https://discord.com/api/webhooks/x/t", "https://discord.com/api/webhooks/1"],
)  # fmt: skip
def test_what_is_no_webhooks_address_is_refused_in_words(url: str):
    with pytest.raises(SettingsError, match="DISCORD_WEBHOOK_URL"):
        Webhook.of(url)


def test_nonces_are_short_stable_and_different():
    assert nonce("a", "b") == nonce("a", "b") != nonce("ab", "")
    assert len(nonce("a", "b")) <= 25
