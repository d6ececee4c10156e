"""The outbox's time: POSIX seconds that never go back while this process lives, whoever sets the clock."""

from __future__ import annotations

from datetime import UTC, datetime

from catalyst.clock import Clock


class Stamps:
    """Made at the process's start; `started` is that moment."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._offset = clock.now().timestamp() - clock.monotonic()
        self.started = self.now()

    def now(self) -> float:
        return self.clock.monotonic() + self._offset

    def moment(self, stamp: float) -> datetime:
        return datetime.fromtimestamp(stamp, UTC)
