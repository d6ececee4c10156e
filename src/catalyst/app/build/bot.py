"""The bot that `catalyst bot` runs: settings in, running parts out. Its own database, its own small server."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import structlog
import uvicorn

from catalyst.app.build import prices
from catalyst.app.settings import Settings
from catalyst.bot.address import Address
from catalyst.bot.beside import Beside
from catalyst.bot.checkpoint import SqliteCheckpoint
from catalyst.bot.client import FilingsClient
from catalyst.bot.commands import COMMANDS, Call
from catalyst.bot.commands import Desk as CommandDesk
from catalyst.bot.commands import answer as answered
from catalyst.bot.desk import Desk
from catalyst.bot.discord import BotSender, WebhookSender
from catalyst.bot.front import Front
from catalyst.bot.interactions import Interactions
from catalyst.bot.jsonhook import JsonSender
from catalyst.bot.lane import Lane, LaneParts
from catalyst.bot.outbox import Outbox
from catalyst.bot.pace import Globe, Pace
from catalyst.bot.preferences import Preferences, PreferenceStore
from catalyst.bot.quotes import Chart, NoQuotes, Quotes
from catalyst.bot.room import Bot, BotParts
from catalyst.bot.senders import Sender
from catalyst.bot.settings import BotSettings
from catalyst.bot.stamps import Stamps
from catalyst.bot.telemetry import BotMetrics
from catalyst.bot.terminal import Terminal, TerminalSender
from catalyst.clock import SystemClock
from catalyst.db import Database
from catalyst.errors import SettingsError, TransportError, UsageError
from catalyst.http import Http

log = structlog.get_logger()

DATABASE = "bot.db"
_GRACE_S = 2


@dataclass(frozen=True, slots=True)
class RunningBot:
    """The bot and its server: figures, health and, where a public key is set, slash commands."""

    bot: Bot
    front: Front | None
    """None in a dry run."""
    host: str
    port: int
    needed: bool = False
    """Whether the bot ends where the port cannot be had: slash commands come in there."""

    async def run(self) -> None:
        """Until cancelled; the first thing that fails ends all of it."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.bot.run())
            if self.front is not None:
                group.create_task(self._serve(self.front))

    async def _serve(self, front: Front) -> None:
        try:
            await _serve(front, self.host, self.port)
        except TransportError as error:
            if self.needed:
                raise
            log.warning("bot.unwatched", error=str(error))


@contextlib.asynccontextmanager
async def bot(
    settings: Settings, folder: Path, *, dry_run: bool = False, quotes: Quotes | None = None, chart: Chart | None = None
) -> AsyncIterator[RunningBot]:
    """Put the bot together over `folder`/bot.db, which the caller has locked. Raises UsageError without a target.

    `dry_run`: alerts go to the terminal, nothing to Discord.
    """
    ours, clock = settings.bot, SystemClock()
    if not dry_run and not ours.targets and not ours.token:
        raise UsageError("nowhere to tell alerts: set DISCORD_WEBHOOK_URL (docs/guides/discord.md), or try --dry-run")
    async with contextlib.AsyncExitStack() as stack:
        db = Database(folder / (f"dry-{DATABASE}" if dry_run else DATABASE), synchronous="FULL")
        stack.callback(db.close)
        http = await stack.enter_async_context(Http(clock))
        metrics = BotMetrics()
        outbox, stamps, globe = Outbox(db, metrics), Stamps(clock), Globe(clock, metrics)
        preferences = PreferenceStore(db, Preferences(threshold=ours.min_priority))
        if quotes is None and ours.prices.providers:
            quotes, chart = prices.board(ours.prices, http, clock), chart or prices.painter(ours.prices)
            stack.push_async_callback(quotes.close)
        beside = Beside(quotes or NoQuotes(), chart, clock)
        shared = LaneParts(outbox, beside, stamps, ours.progressive, screen=prices.screen(ours.prices))
        desk = Desk(outbox, preferences, stamps, filings=ours.filings)
        webhooks = {} if dry_run else _webhooks(desk, ours, http, shared, globe)
        _others(desk, ours, http, shared, globe, dry_run)
        client = FilingsClient(
            ours.service_url, http, api_key=ours.service_key, checkpoint=SqliteCheckpoint(db), clock=clock
        )

        def user_lane(owner: str) -> Lane:
            return _bot_lane(ours, http, shared, globe, owner)

        made = Bot(
            BotParts(
                client, desk, outbox, preferences, beside, stamps, globe, webhooks,
                user_lane if ours.token and not dry_run else None,
            )
        )  # fmt: skip
        interactions = _interactions(made, ours, http) if ours.public_key and not dry_run else None
        if interactions is not None:
            stack.push_async_callback(interactions.close)
        front = None if dry_run else Front(made, interactions, ours.service_key)
        yield RunningBot(made, front, ours.host, ours.port, interactions is not None)


async def register(settings: BotSettings) -> int:
    """Tell Discord our commands; how many. Raises SettingsError or TransportError."""
    if not settings.token or not settings.application_id:
        raise SettingsError("registering commands needs DISCORD_TOKEN and DISCORD_APPLICATION_ID")
    body = orjson.dumps([command.wire() for command in COMMANDS.values()])
    headers = {"Authorization": f"Bot {settings.token}", "Content-Type": "application/json"}
    url = f"{settings.api}/applications/{settings.application_id}/commands"
    async with Http(SystemClock()) as http:
        await http.request("PUT", url, headers=headers, body=body)
    return len(COMMANDS)


def _webhooks(
    desk: Desk, settings: BotSettings, http: Http, shared: LaneParts, globe: Globe
) -> Mapping[str, WebhookSender]:
    made = {}
    for webhook in settings.webhooks:
        pace = Pace(globe, globe.channel(webhook.key))
        sender = made[webhook.key] = WebhookSender(webhook, http, pace)
        desk.add(Lane(webhook.key, sender, shared, pace))
    return made


def _others(desk: Desk, settings: BotSettings, http: Http, shared: LaneParts, globe: Globe, dry_run: bool) -> None:
    if dry_run:
        desk.add(Lane("terminal", TerminalSender(Terminal(sys.stdout)), shared))
        return
    for channel in settings.channels:
        desk.add(_bot_lane(settings, http, shared, globe, f"channel:{channel}"))
    if settings.json_url:
        sender: Sender = JsonSender(settings.json_url, settings.json_secret, http)
        desk.add(Lane("webhook:json", sender, shared))


def _bot_lane(settings: BotSettings, http: Http, shared: LaneParts, globe: Globe, owner: str) -> Lane:
    """The lane of `channel:ID` or `user:ID`."""
    kind, _, ident = owner.partition(":")
    pace = Pace(globe, globe.channel(owner))
    channel, user = (ident, "") if kind == "channel" else ("", ident)
    return Lane(owner, BotSender(settings.token, channel, http, pace, api=settings.api, user=user), shared, pace)


def _interactions(made: Bot, settings: BotSettings, http: Http) -> Interactions:
    parts = made.parts

    async def usage() -> Mapping[str, Any]:
        return await _usage(settings, http)

    desk = CommandDesk(parts.outbox, parts.preferences, parts.stamps, made.watch_user, made.status, usage)

    async def answer(call: Call) -> str:
        return await answered(desk, call)

    return Interactions(settings.public_key, answer, http, parts.stamps.clock, api=settings.api)


async def _usage(settings: BotSettings, http: Http) -> Mapping[str, Any]:
    """What the service says of the models' use."""
    base = Address.of(settings.service_url).rest
    headers = {"X-API-Key": settings.service_key} if settings.service_key else {}
    try:
        found = orjson.loads((await http.get(f"{base}/api/usage?days=30", headers=headers)).body)
    except orjson.JSONDecodeError:
        raise TransportError(f"{base} does not speak our language: correct SEC_DIGESTER_URL") from None
    return found if isinstance(found, dict) else {}


async def _serve(app: Front, host: str, port: int) -> None:
    """Serve until cancelled; uvicorn's own signal handlers stay out."""
    config = uvicorn.Config(
        app, host=host, port=port, lifespan="off", log_config=None, access_log=False, ws="none",
        server_header=False, timeout_graceful_shutdown=_GRACE_S, limit_concurrency=100,
        h11_max_incomplete_event_size=16 * 1024,
    )  # fmt: skip
    server = _Quiet(config)
    try:
        await server.serve()
    except SystemExit:
        raise TransportError(f"port {port} cannot be bound: stop what holds it, or set CATALYST_BOT_PORT") from None


class _Quiet(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield
