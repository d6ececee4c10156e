"""Stop asking a target that keeps failing. One circuit per provider, model and key.

Opens after 5 failures in a row, or when half of at least 20 calls in the window failed. After 60 s one probe at a
time passes; three successes close it, one failure opens it again. Rate limits are no failures: they cool the target
down until the moment the provider named.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import structlog

log = structlog.get_logger()


class State(IntEnum):
    """The number is what the metric shows."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """When a circuit opens and closes; times in seconds."""

    consecutive: int = 5
    least_calls: int = 20
    failed_share: float = 0.5
    window_seconds: float = 60.0
    open_seconds: float = 60.0
    successes_to_close: int = 3


class Circuit:
    """One target's circuit. Ask `blocked`, then `enter`, then exactly one of `succeeded`, `failed`, `left`."""

    def __init__(
        self, name: str, clock: Callable[[], float], rules: BreakerRules, changed: Callable[[str, State], None]
    ) -> None:
        self.name = name
        self.state = State.CLOSED
        self._clock = clock
        self._rules = rules
        self._changed = changed
        self._recent: deque[tuple[float, bool]] = deque()
        self._failures_in_window = 0
        self._in_a_row = 0
        self._opened_at = 0.0
        self._successes = 0
        self._probing = False
        self._cool_until = 0.0

    def ready_in(self) -> float:
        """Seconds until a call may pass; 0 when one may now. A running probe counts as a short wait."""
        now = self._clock()
        cooling = max(0.0, self._cool_until - now)
        if self.state is State.OPEN:
            return max(cooling, self._opened_at + self._rules.open_seconds - now)
        if self.state is State.HALF_OPEN and self._probing:
            return max(cooling, 0.1)
        return cooling

    def blocked(self) -> str:
        """Why no call may pass just now; empty when one may."""
        wait = self.ready_in()
        if wait <= 0:
            return ""
        if self.state is State.OPEN:
            return f"circuit open for {wait:.1f} s more"
        if self.state is State.HALF_OPEN and self._probing:
            return "circuit half-open, a probe is running"
        return f"rate limited for {wait:.1f} s more"

    def enter(self) -> None:
        """A call begins."""
        if self.state is State.OPEN:
            self._turn(State.HALF_OPEN)
            self._successes = 0
        if self.state is State.HALF_OPEN:
            self._probing = True

    def succeeded(self) -> None:
        self._note(False)
        self._in_a_row = 0
        self._probing = False
        if self.state is State.HALF_OPEN:
            self._successes += 1
            if self._successes >= self._rules.successes_to_close:
                self._recent.clear()
                self._failures_in_window = 0
                self._turn(State.CLOSED)

    def failed(self) -> None:
        self._note(True)
        self._in_a_row += 1
        self._probing = False
        if self.state is State.HALF_OPEN or (self.state is State.CLOSED and self._too_many()):
            self._opened_at = self._clock()
            self._turn(State.OPEN)

    def left(self) -> None:
        """The call ended without saying anything about the target (cancelled, refused, rate limited)."""
        self._probing = False

    def cool(self, seconds: float) -> None:
        """No call passes for `seconds`: the provider said so."""
        self._cool_until = max(self._cool_until, self._clock() + seconds)

    def _note(self, failed: bool) -> None:
        now = self._clock()
        self._recent.append((now, failed))
        self._failures_in_window += failed
        while self._recent[0][0] < now - self._rules.window_seconds:
            self._failures_in_window -= self._recent.popleft()[1]

    def _too_many(self) -> bool:
        calls = len(self._recent)
        share = calls >= self._rules.least_calls and self._failures_in_window >= calls * self._rules.failed_share
        return share or self._in_a_row >= self._rules.consecutive

    def _turn(self, state: State) -> None:
        log.warning("breaker.turned", target=self.name, state=state.name.lower(), failures_in_a_row=self._in_a_row)
        self.state = state
        if state is State.CLOSED:
            self._in_a_row = 0
        self._changed(self.name, state)


class Breaker:
    """All circuits of this process."""

    def __init__(
        self,
        clock: Callable[[], float],
        rules: BreakerRules | None = None,
        changed: Callable[[str, State], None] = lambda name, state: None,
    ) -> None:
        self._clock = clock
        self._rules = rules or BreakerRules()
        self._changed = changed
        self._circuits: dict[str, Circuit] = {}

    def of(self, target: str) -> Circuit:
        circuit = self._circuits.get(target)
        if circuit is None:
            circuit = self._circuits[target] = Circuit(target, self._clock, self._rules, self._changed)
        return circuit

    def states(self) -> dict[str, str]:
        """Target to the state of its circuit, for `health`."""
        return {name: circuit.state.name.lower() for name, circuit in self._circuits.items()}
