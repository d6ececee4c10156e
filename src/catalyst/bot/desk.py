"""Where alerts come in: the client's handler decides who gets each, and enters it into the outbox with the checkpoint.

`take` only decides; what it returns is written in the checkpoint's transaction; `taken` then wakes the lanes.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping

import structlog

from catalyst.bot.checkpoint import Work
from catalyst.bot.discord import nonce
from catalyst.bot.entry import Message
from catalyst.bot.lane import Lane
from catalyst.bot.outbox import KEPT_S, AlertRow, Entry, Outbox, Tier
from catalyst.bot.preferences import PreferenceStore, plain_ticker
from catalyst.bot.stamps import Stamps
from catalyst.stream.types import Alert, AlertType

log = structlog.get_logger()

OLD_S = 900.0
"""What was said so long before we heard it is no longer urgent: it may wait and be merged."""

_MARGIN_S = 3600.0
_MOST_WAKING = 1000


class Desk:
    """Decides for each message. `owners` maps a target to whose preferences rule it."""

    def __init__(
        self,
        outbox: Outbox,
        preferences: PreferenceStore,
        stamps: Stamps,
        *,
        filings: bool = True,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """`filings` False: only headlines are told (SEC_DIGESTER_ENABLED=0)."""
        self._outbox = outbox
        self._preferences = preferences
        self._stamps = stamps
        self._filings = filings
        self._wall_ns = wall_ns
        self._lanes: dict[str, Lane] = {}
        self._owners: dict[str, str] = {}
        self._waking: dict[tuple[str, int], list[str]] = {}
        self.received = 0

    @property
    def lanes(self) -> Mapping[str, Lane]:
        return self._lanes

    def add(self, lane: Lane, owner: str = "") -> None:
        """From now on alerts may go to this lane; by default its preferences are kept under its own name."""
        self._lanes[lane.target] = lane
        self._owners[lane.target] = owner or lane.target

    def owned(self, target: str, owner: str) -> None:
        """The target turned out to be this owner's: a webhook's channel, say."""
        self._owners[target] = owner

    async def take(self, message: Message) -> Work | None:
        """Who gets it, as work for the checkpoint's transaction."""
        alert = message.alert
        if not self._filings and alert.type in (AlertType.FILING_ALERT, AlertType.FILING_UPDATE):
            return None
        self.received += 1
        self._outbox.metrics.received.inc()
        now = self._stamps.now()
        entries = [entry for lane in self._lanes.values() if (entry := self._entry(lane, message, now)) is not None]
        row, concerned = _kept(alert), self._concerned(alert)

        def work(run: sqlite3.Connection) -> None:
            # An update concerns whoever got the alert, wanted now or not; a lane that it does not concern sleeps on.
            concerned[:] = Outbox.enter(run, row, entries, now)

        return work

    def _concerned(self, alert: Alert) -> list[str]:
        """The list that the transaction fills, and `taken` reads when it is committed."""
        concerned = self._waking[alert.filing_id, alert.version] = []
        if len(self._waking) > _MOST_WAKING:  # what was entered before is not entered again, and wakes nobody
            del self._waking[next(iter(self._waking))]
        return concerned

    def taken(self, message: Message) -> None:
        """The work is committed: on with it."""
        for target in self._waking.pop((message.alert.filing_id, message.alert.version), ()):
            if (lane := self._lanes.get(target)) is not None:
                lane.wake(news=message.alert.version > 1)

    def _entry(self, lane: Lane, message: Message, now: float) -> Entry | None:
        if lane.gone or self._forgotten(message.alert, now):
            return None
        preferences = self._preferences.of(self._owners[lane.target])
        tier = preferences.wants(message.alert, now)
        if tier is None:
            return None
        if tier is Tier.HIGH and self._old(message):
            tier = Tier.LOW
        if message.alert.version == 1 or tier is Tier.HIGH:
            lane.coming(now, urgent=tier is Tier.HIGH)
        silent = preferences.quiet and tier is not Tier.HIGH
        return Entry(lane.target, tier, silent, nonce(lane.target, message.alert.filing_id))

    def _forgotten(self, alert: Alert, now: float) -> bool:
        """An update of a filing so old that its row is gone: it would be posted as if it were news."""
        began = alert.seen_at or alert.accepted_at
        update = alert.type in (AlertType.FILING_UPDATE, AlertType.HEADLINE_UPDATE)
        return update and began is not None and now - began.timestamp() >= KEPT_S - _MARGIN_S

    def _old(self, message: Message) -> bool:
        return message.replay and self._wall_ns() - message.alert.ts_ns > OLD_S * 1e9


def _kept(alert: Alert) -> AlertRow:
    tickers = dict.fromkeys(plain_ticker(name) for name in (alert.ticker, *alert.tickers) if name)
    body = alert.model_dump_json().encode()
    return AlertRow(alert.filing_id, alert.version, alert.final, alert.filing_type, tuple(tickers), body)
