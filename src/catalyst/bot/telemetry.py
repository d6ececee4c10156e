"""What the bot counts, for Prometheus: messages, their delay, how each ended, what Discord refused, what waits.

`BotMetrics` is counted into where the outbox writes (`outbox.py`) and where answers are read (`pace.py`); what can only
be asked for, such as the rows that wait, is set at each scrape by `Bot.metrics`.
"""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800)
WAITING = ("high", "low", "digest", "edit")
SCOPES = ("user", "global", "shared", "ban")


class BotMetrics:
    """One instance per process, on a registry of its own."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        made = self.registry = registry or CollectorRegistry()
        self.received = Counter("catalyst_bot_received", "Alerts and updates that came in", registry=made)
        self._posts = Counter("catalyst_bot_posts", "Messages that were accepted, by tier", ["tier"], registry=made)
        self._edits = Counter("catalyst_bot_edits", "Edits that were accepted", registry=made)
        self._merged = Counter("catalyst_bot_merged", "Alerts that were told in a digest", registry=made)
        self._ends = Counter("catalyst_bot_ends", "Alerts by how they ended, per target", ["state"], registry=made)
        self._failures = Counter(
            "catalyst_bot_failures", "Posts that were not accepted, or not surely", ["doubtful"], registry=made
        )
        self._doubts = Counter("catalyst_bot_possible_duplicates", "Messages that may stand twice", registry=made)
        self._limited = Counter("catalyst_bot_limited", "429s of Discord, by scope", ["scope"], registry=made)
        self._delay = Histogram(
            "catalyst_bot_delay_seconds", "From entering the outbox to Discord's acceptance, by tier", ["tier"],
            buckets=_SECONDS, registry=made,
        )  # fmt: skip
        self._waiting = Gauge("catalyst_bot_queue", "Rows that wait, by kind", ["kind"], registry=made)
        self._targets = Gauge("catalyst_bot_targets", "Places that alerts go to", ["state"], registry=made)
        self.following = Gauge("catalyst_bot_following", "1 while the service is followed", registry=made)
        for scope in SCOPES:
            self._limited.labels(scope)

    def posted(self, tier: str, delays: list[float], *, digest: bool) -> None:
        """One message was accepted; `delays` of its alerts, in seconds."""
        self._posts.labels(tier).inc()
        for delay in delays:
            self._delay.labels(tier).observe(max(0.0, delay))
        if digest:
            self._merged.inc(len(delays))

    def edited(self) -> None:
        self._edits.inc()

    def ended(self, state: str, count: int = 1) -> None:
        self._ends.labels(state).inc(count)

    def failed(self, *, doubtful: bool) -> None:
        self._failures.labels("yes" if doubtful else "no").inc()

    def doubted(self, count: int) -> None:
        self._doubts.inc(count)

    def limited(self, scope: str) -> None:
        """A 429; whatever Discord calls its scope, there are no more kinds than these."""
        self._limited.labels(scope if scope in SCOPES else "user").inc()

    def shown(self, waiting: Mapping[str, int], live: int, gone: int) -> bytes:
        """All of it as Prometheus reads it."""
        for kind in WAITING:
            self._waiting.labels(kind).set(waiting.get(kind, 0))
        self._targets.labels("live").set(live)
        self._targets.labels("gone").set(gone)
        return generate_latest(self.registry)
