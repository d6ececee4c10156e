"""What the pipeline has done since the process began, as plain numbers for `/api/status` and the metrics."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

_KEPT = 2048


@dataclass(slots=True)
class Counters:
    """Counts, and the newest delays from the poll response that first showed a filing to its alert in the log."""

    seen: int = 0
    alerts_from_feed: int = 0
    alerts_from_rules: int = 0
    updates: int = 0
    finals: int = 0
    repeated: int = 0
    """Messages that an earlier process had already put into the log."""
    deferred: int = 0
    without_text: int = 0
    unparsed: int = 0
    model_failures: int = 0
    withdrawn: int = 0
    errors: int = 0
    """Faults of our own that a filing's walk ran into."""
    delays: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))
    """Seconds, newest last."""

    @property
    def alerts(self) -> int:
        return self.alerts_from_feed + self.alerts_from_rules

    def delay(self, share: float) -> float | None:
        """The delay that `share` (0 to 1) of the newest alerts did not exceed, in seconds; None without any."""
        if not self.delays:
            return None
        ordered = sorted(self.delays)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
