"""How fast a target may be written to: learned from Discord's headers, so that it never has to say 429.

`Pace` belongs to one target and knows two routes, posts and edits. `Globe` is shared by all targets: Discord's limit
over everything, the requests that failed (10,000 in ten minutes end in a ban), and what is known only from reports:
30 messages a minute in a channel, which no header tells.

Source: discord.com/developers/docs/topics/rate-limits; the channel's limit: discord-api-docs issues 367 and 1454.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import structlog

from catalyst.bot.telemetry import BotMetrics
from catalyst.clock import Clock

log = structlog.get_logger()

GLOBAL_PER_S = 50
CHANNEL_PER_MINUTE = 30
_MINUTE = 61.0
"""A minute, and what a request may be under way."""
_SECOND = 1.25
"""A second, and the time from a turn's taking to the request's arrival."""
_INVALID_MOST, _INVALID_S = 1000, 600.0
_UNKNOWN_WAIT = 0.02


class Urgency(IntEnum):
    """Who goes first where both could go."""

    HIGH = 0
    EDIT = 1
    LOW = 2


_GLOBAL_SHARE = {Urgency.HIGH: GLOBAL_PER_S - 4, Urgency.EDIT: GLOBAL_PER_S - 10, Urgency.LOW: GLOBAL_PER_S - 18}
_CHANNEL_SHARE = {Urgency.HIGH: CHANNEL_PER_MINUTE, Urgency.LOW: CHANNEL_PER_MINUTE - 12}
"""Of a channel's minute twelve are for the urgent: several filings of one company arrive at once, and what is not
urgent is told in digests anyway."""


class Moving:
    """How many happened in the last `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._times: deque[float] = deque()

    def add(self, now: float) -> None:
        self._times.append(now)

    def merge(self, other: Moving) -> None:
        self._times = deque(sorted([*self._times, *other._times]))

    def count(self, now: float) -> int:
        while self._times and self._times[0] <= now - self._seconds:
            self._times.popleft()
        return len(self._times)

    def wait(self, now: float, most: int) -> float:
        """Seconds until fewer than `most` are inside."""
        count = self.count(now)
        if count < most:
            return 0.0
        return self._times[count - most] + self._seconds - now


class Globe:
    """What all targets of one process share."""

    def __init__(self, clock: Clock, metrics: BotMetrics | None = None) -> None:
        self.clock = clock
        self.metrics = metrics or BotMetrics()
        self._second = Moving(_SECOND)
        self._invalid = Moving(_INVALID_S)
        self._channels: dict[str, Moving] = {}
        self._until = 0.0
        self.limited = 0
        """429s seen."""

    def channel(self, name: str) -> Moving:
        """The window of one channel's messages; two webhooks of one channel share it."""
        return self._channels.setdefault(name, Moving(_MINUTE))

    def wait(self, urgency: Urgency) -> float:
        now = self.clock.monotonic()
        pause = max(self._until - now, self._invalid.wait(now, _INVALID_MOST))
        return max(pause, self._second.wait(now, _GLOBAL_SHARE[urgency]))

    def take(self) -> None:
        self._second.add(self.clock.monotonic())

    def stop(self, seconds: float) -> None:
        """Discord says that everything must wait."""
        log.warning("discord.limited_globally", seconds=seconds)
        self._until = max(self._until, self.clock.monotonic() + seconds)

    def failed(self) -> None:
        """One more 401, 403 or 429 of our own."""
        self._invalid.add(self.clock.monotonic())


@dataclass(slots=True)
class Bucket:
    """One route's window, as its last answer told it."""

    name: str = ""
    limit: int = 0
    """0: not told yet; then one request at a time."""
    left: int = 1
    reset: float = 0.0
    """Ours, monotonic."""
    window: float = 0.0
    """The server's, as it names it."""
    flying: int = 0
    until: float = 0.0
    """Refused until then."""

    def wait(self, now: float, keep: int) -> float:
        """Seconds until one more may go while `keep` stay free."""
        if now < self.until:
            return self.until - now
        if self.limit == 0:
            return _UNKNOWN_WAIT if self.flying else 0.0
        if now >= self.reset:
            self.left, self.reset, self.window = self.limit - self.flying, float("inf"), 0.0
        if self.left > min(keep, self.limit - 1):
            return 0.0
        return _UNKNOWN_WAIT if self.reset == float("inf") else self.reset - now

    def take(self) -> None:
        self.left -= 1
        self.flying += 1

    def landed(self) -> None:
        """A request is over. Where a window that was to begin with it never showed, nothing is known any more."""
        self.flying -= 1
        if self.flying <= 0 and self.reset == float("inf"):
            self.limit, self.left, self.reset = 0, 1, 0.0

    def told(self, now: float, limit: int, left: int, after: float, window: float) -> None:
        """What an answer's headers say. An answer that was overtaken never gives back what a later one took."""
        known = left - self.flying
        if self.window and window <= self.window + 0.05:
            known = min(known, self.left)
        else:
            self.window, self.reset = window, now + after
        self.limit, self.left = limit, known


@dataclass(slots=True)
class Pace:
    """One target's. `wait`, then `take` in the same turn of the loop, then send, then `answered` (or `lost`)."""

    globe: Globe
    channel: Moving | None = None
    posts: Bucket = field(default_factory=Bucket)
    edits: Bucket = field(default_factory=Bucket)

    def share(self, channel: str) -> None:
        """It turned out to write to this channel: from now on it counts with others that do."""
        shared = self.globe.channel(channel)
        if self.channel is not None and self.channel is not shared:
            shared.merge(self.channel)
        self.channel = shared

    def wait(self, urgency: Urgency, keep: int = 0) -> float:
        """Seconds until a request of this urgency may go; 0 means now. `keep` leaves so many for the urgent."""
        now = self.globe.clock.monotonic()
        waits = [self._bucket(urgency).wait(now, keep), self.globe.wait(urgency)]
        if urgency is not Urgency.EDIT and self.channel is not None:
            waits.append(self.channel.wait(now, _CHANNEL_SHARE[urgency]))
        return max(waits)

    def take(self, urgency: Urgency) -> None:
        """Count one as sent."""
        self._bucket(urgency).take()
        self.globe.take()
        if urgency is not Urgency.EDIT and self.channel is not None:
            self.channel.add(self.globe.clock.monotonic())

    def lost(self, urgency: Urgency) -> None:
        """No answer came."""
        self._bucket(urgency).landed()

    def answered(self, urgency: Urgency, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer."""
        bucket, now = self._bucket(urgency), self.globe.clock.monotonic()
        bucket.flying -= 1
        limit, left = _whole(headers, "X-RateLimit-Limit"), _whole(headers, "X-RateLimit-Remaining")
        after, window = _real(headers, "X-RateLimit-Reset-After"), _real(headers, "X-RateLimit-Reset")
        if limit is not None and left is not None and after is not None and limit > 0:
            bucket.told(now, limit, left, after, window or now + after)
        bucket.flying += 1
        bucket.landed()
        if status == 429:
            self.globe.metrics.limited(headers.get("X-RateLimit-Scope", ""))
        if status in (401, 403) or (status == 429 and headers.get("X-RateLimit-Scope") != "shared"):
            self.globe.failed()
        self._merge(headers.get("X-RateLimit-Bucket", ""), bucket)

    def refused(self, urgency: Urgency, after: float, everywhere: bool) -> None:
        """A 429 with its seconds."""
        self.globe.limited += 1
        if everywhere:
            self.globe.stop(after)
            return
        bucket = self._bucket(urgency)
        bucket.until = max(bucket.until, self.globe.clock.monotonic() + after)

    def _merge(self, name: str, bucket: Bucket) -> None:
        """Posts and edits may turn out to share one window."""
        bucket.name = name or bucket.name
        if self.posts is not self.edits and self.posts.name and self.posts.name == self.edits.name:
            bucket.flying = self.posts.flying + self.edits.flying
            bucket.left = min(self.posts.left, self.edits.left)
            self.posts = self.edits = bucket

    def _bucket(self, urgency: Urgency) -> Bucket:
        return self.edits if urgency is Urgency.EDIT else self.posts


def _whole(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


def _real(headers: Mapping[str, str], name: str) -> float | None:
    try:
        value = float(headers.get(name, ""))
    except ValueError:
        return None
    return value if 0 <= value < 1e12 else None
