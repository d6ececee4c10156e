"""How far an entry has earned to be served: comparisons counted, and what they prove at 95 % confidence.

Pure bookkeeping for L3 and for the audits. The bound is Clopper and Pearson's (Biometrika 26, 1934), exact for any
count. For an entry that never disagreed it is 0.05^(1/n): 299 agreeing comparisons promise an error below 1 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

PROMISED_ERROR = 0.01
"""The share of served answers that may be wrong."""
CONFIDENCE = 0.95


class Interval(NamedTuple):
    """A share between 0 and 1 with its bounds at `CONFIDENCE`."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Trust:
    """What the background comparisons of an entry said so far."""

    agreed: int = 0
    total: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.agreed <= self.total:
            raise ValueError(f"{self.agreed} of {self.total} comparisons cannot agree: count again from the ledger")

    def with_comparison(self, agrees: bool) -> Trust:
        """The trust after one more comparison; one that nobody could judge is not counted at all."""
        return Trust(self.agreed + agrees, self.total + 1)

    @property
    def lower_bound(self) -> float:
        """The share of agreeing answers that the comparisons prove, one-sided at 95 %; 0 before the first."""
        return 1.0 - _upper(self.total - self.agreed, self.total, 1.0 - CONFIDENCE)

    def may_serve(self, promised_error: float = PROMISED_ERROR) -> bool:
        """Whether the proven share of agreement lies above what is promised."""
        return self.lower_bound > 1.0 - promised_error


def false_hits(wrong: int, audited: int) -> Interval:
    """The measured share of wrong answers among audited hits, with its two-sided 95 % interval."""
    if not 0 <= wrong <= audited:
        raise ValueError(f"{wrong} of {audited} audited hits cannot be wrong: count again from the ledger")
    tail = (1.0 - CONFIDENCE) / 2
    share = wrong / audited if audited else 0.0
    return Interval(share, 1.0 - _upper(audited - wrong, audited, tail), _upper(wrong, audited, tail))


def _upper(bad: int, total: int, tail: float) -> float:
    """The largest error rate under which `bad` or fewer of `total` still happen with probability `tail`."""
    if bad >= total:
        return 1.0
    ways = [math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1) for k in range(bad + 1)]
    low, high = bad / total, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(ways, total, middle) > tail else (low, middle)
    return high


def _at_most(ways: Sequence[float], total: int, rate: float) -> float:
    """P(X < len(ways)) for X binomial in `total` draws at `rate`, summed in logarithms."""
    if not 0.0 < rate < 1.0:
        return 1.0 if rate <= 0.0 else 0.0
    ln_p, ln_q = math.log(rate), math.log1p(-rate)
    return min(1.0, math.fsum(math.exp(way + k * ln_p + (total - k) * ln_q) for k, way in enumerate(ways)))
