"""When to try again: exponential backoff with full jitter, bounded by what the provider asked and by the deadline.

Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/. The dialect reads
Retry-After in all its forms and hands the seconds over as `ProviderError.after`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from catalyst.errors import ProviderError

LONGEST = 30.0
"""Seconds; a drawn backoff never exceeds it."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before retry number `n` (0 is the first). `uniform` is the source of randomness."""

    delay: float = 2.0
    uniform: Callable[[float, float], float] = random.uniform

    def wait(self, n: int, error: ProviderError) -> float:
        """Seconds to wait; never less than the provider asked for."""
        drawn = self.uniform(0.0, min(LONGEST, self.delay * 2.0**n))
        if error.after is None:
            return drawn
        return error.after + (self.uniform(0.0, min(0.25, error.after)) if error.after else 0.0)


def retries_of(asked: int | None, configured: int | None, priority: str) -> int:
    """Retries of one target: the request's, else the operator's, else 3 for high priority and 1 otherwise."""
    if asked is not None:
        return asked
    if configured is not None:
        return configured
    return 3 if priority == "high" else 1
