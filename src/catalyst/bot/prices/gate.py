"""How often a source may be asked: its documented limits, the rest it asked for, and a breaker for when it fails.

`Gate` never waits: who is not let through goes to the next source.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

log = structlog.get_logger()

FAILURES = 3
"""In a row, then the source rests."""
FIRST_REST_S, LONGEST_REST_S = 15.0, 300.0


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many requests in any so many seconds."""

    requests: int
    seconds: float


class Gate:
    """One source's. Ask `room`, then `take`, then one of `succeeded`, `failed` or `rest`."""

    def __init__(self, name: str, limits: Sequence[Limit], monotonic: Callable[[], float]) -> None:
        self.name = name
        self._limits = tuple(limits)
        self._monotonic = monotonic
        self._taken: deque[float] = deque()
        self._resting_until = 0.0
        self._in_a_row = 0
        self._rest_s = FIRST_REST_S

    def room(self) -> int:
        """How many requests may go out now."""
        now = self._monotonic()
        if now < self._resting_until:
            return 0
        self._forget(now)
        left = [limit.requests - sum(at > now - limit.seconds for at in self._taken) for limit in self._limits]
        least = max(0, min(left, default=1 << 20))
        return min(1, least) if self._in_a_row >= FAILURES else least

    def resting(self) -> float:
        """Seconds until it may be asked again."""
        return max(0.0, self._resting_until - self._monotonic())

    def take(self) -> None:
        """One request goes out."""
        self._taken.append(self._monotonic())

    def succeeded(self) -> None:
        if self._in_a_row >= FAILURES:
            log.info("prices.source_back", source=self.name)
        self._in_a_row, self._rest_s = 0, FIRST_REST_S

    def failed(self, why: str) -> None:
        """After a few in a row it rests; each failed trial doubles the rest."""
        self._in_a_row += 1
        if self._in_a_row >= FAILURES:
            log.warning("prices.source_rests", source=self.name, seconds=self._rest_s, error=why)
            self.rest(self._rest_s)
            self._rest_s = min(LONGEST_REST_S, 2 * self._rest_s)

    def rest(self, seconds: float) -> None:
        """Ask nothing for so long: it said so."""
        self._resting_until = max(self._resting_until, self._monotonic() + seconds)

    def _forget(self, now: float) -> None:
        longest = max((limit.seconds for limit in self._limits), default=0.0)
        while self._taken and self._taken[0] <= now - longest:
            self._taken.popleft()


__all__ = ["Gate", "Limit"]
