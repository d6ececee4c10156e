"""The bot whole: the client follows the service, the desk fills the outbox, the lanes empty it. See `Bot.run`.

Nothing is constructed here but lanes for users who ask for direct messages; `app/build/bot.py` puts the rest together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from catalyst.bot.beside import Beside
from catalyst.bot.client import FilingsClient
from catalyst.bot.desk import Desk
from catalyst.bot.discord import WebhookSender
from catalyst.bot.lane import Lane
from catalyst.bot.outbox import Outbox
from catalyst.bot.pace import Globe
from catalyst.bot.preferences import PreferenceStore
from catalyst.bot.senders import SendError
from catalyst.bot.stamps import Stamps
from catalyst.errors import UsageError

log = structlog.get_logger()

HANDLER = "alerts"
_RETAIN_S = 3600.0
_ASK_AGAIN_S = 300.0
_LAST_WORDS_S = 4.0


class NoTargetLeft(UsageError):
    """Every webhook and channel is gone."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class BotParts:
    """What runs."""

    client: FilingsClient
    desk: Desk
    outbox: Outbox
    preferences: PreferenceStore
    beside: Beside
    stamps: Stamps
    globe: Globe
    webhooks: Mapping[str, WebhookSender] = field(default_factory=dict)
    """By target, those whose channel is not known yet."""
    user_lane: Callable[[str], Lane] | None = None
    """Makes the lane of `user:ID`; None without a bot's token."""


class Bot:
    """Runs the parts; `status` is what `/status` says."""

    def __init__(self, parts: BotParts) -> None:
        self.parts = parts
        self._group: asyncio.TaskGroup | None = None
        self._ended = asyncio.Event()
        parts.client.enter(HANDLER, parts.desk.take, parts.desk.taken)

    async def run(self) -> None:
        """Until cancelled; then each message that still says "processing" gets a last word.

        Raises NoTargetLeft when nothing can be told any more, and what the client raises.
        """
        parts = self.parts
        for user in parts.preferences.users():
            self._add_user(user)
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                for lane in list(parts.desk.lanes.values()):
                    group.create_task(self._lane(lane))
                group.create_task(self._name_channels())
                group.create_task(self._keep())
                group.create_task(self._watch_end())
                group.create_task(parts.client.run())
        finally:
            self._group = None
            await self._last_words()
            await parts.beside.close()

    def watch_user(self, owner: str) -> bool:
        """From now on `user:ID` gets direct messages; False where the bot has no token for that."""
        lane = self._add_user(owner)
        if lane is not None and self._group is not None:
            self._group.create_task(self._lane(lane))
        return owner in self.parts.desk.lanes

    async def status(self) -> dict[str, Any]:
        parts, place = self.parts, self.parts.client.place
        return {
            "following": parts.client.connected,
            "seq": place.seq if place else None,
            "received": parts.desk.received,
            "targets": self.live,
            "gone": sorted(lane.target for lane in parts.desk.lanes.values() if lane.gone),
            "messages": await parts.outbox.counts(),
            "limited": parts.globe.limited,
        }

    @property
    def live(self) -> int:
        """Targets that are not gone."""
        return sum(not lane.gone for lane in self.parts.desk.lanes.values())

    async def metrics(self) -> bytes:
        """What is counted, and what waits, as Prometheus reads it."""
        lanes, outbox = self.parts.desk.lanes, self.parts.outbox
        outbox.metrics.following.set(self.parts.client.connected)
        return outbox.metrics.shown(await outbox.waiting(list(lanes)), self.live, len(lanes) - self.live)

    def _add_user(self, owner: str) -> Lane | None:
        """A new lane for the user, where there is none yet and we can write to users."""
        if self.parts.user_lane is None or owner in self.parts.desk.lanes:
            return None
        lane = self.parts.user_lane(owner)
        self.parts.desk.add(lane)
        return lane

    async def _lane(self, lane: Lane) -> None:
        await lane.run()
        if all(each.gone for each in self.parts.desk.lanes.values()):
            self._ended.set()

    async def _watch_end(self) -> None:
        await self._ended.wait()
        why = sorted({lane.gone for lane in self.parts.desk.lanes.values()})
        raise NoTargetLeft(f"nobody is left to tell: {'; '.join(why[:3])}")

    async def _name_channels(self) -> None:
        """Learn which channel each webhook posts to, so that what is set there holds for the webhook, too."""
        missing = dict(self.parts.webhooks)
        while missing:
            for target, sender in list(missing.items()):
                try:
                    channel = await sender.channel()
                except SendError as error:
                    log.info("webhook.channel_unknown", target=target, error=str(error))
                    continue
                del missing[target]
                if channel:
                    self.parts.desk.owned(target, f"channel:{channel}")
            await self.parts.stamps.clock.sleep(_ASK_AGAIN_S)

    async def _keep(self) -> None:
        while True:
            if count := await self.parts.outbox.retain(self.parts.stamps.now()):
                log.error("alert.given_up", rows=count)
            await self.parts.stamps.clock.sleep(_RETAIN_S)

    async def _last_words(self) -> None:
        words = [lane.last_words() for lane in self.parts.desk.lanes.values()]
        found = await asyncio.wait_for(asyncio.gather(*words, return_exceptions=True), _LAST_WORDS_S)
        for error in found:
            if isinstance(error, Exception):
                log.warning("alert.no_last_word", error=str(error))
