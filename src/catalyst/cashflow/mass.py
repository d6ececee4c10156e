"""Probability over days, exact enough to add: `Mass` is what every date of a forecast is until it is told as one day.

A mass lies on the days 0, 1, 2 … after some day; what lies after the last one is its tail. Pure arithmetic.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

DAYS = 1_500
"""The farthest day a mass is followed to; what lies beyond is tail."""
_DUST = 1e-7
_NOTHING = 1e-9
"""A tail thinner than this has lost its figures; its shape, which has no memory, is used instead."""


@dataclass(frozen=True)
class Mass:
    """`parts[d]` is the probability of day d; the parts and the tail sum to one."""

    parts: tuple[float, ...]

    @cached_property
    def sums(self) -> tuple[float, ...]:
        return tuple(accumulate(self.parts))

    def by(self, day: int) -> float:
        """The probability of `day` or earlier."""
        if day < 0:
            return 0.0
        return self.sums[min(day, len(self.sums) - 1)]

    def median(self) -> int:
        """The first day by which it is as likely to have happened as not."""
        return min(bisect_left(self.sums, 0.5), len(self.parts) - 1)

    def interval(self, share: float) -> tuple[int, int]:
        """First and last day of the span that holds as near to `share` as whole days allow, equal tails outside."""
        return self._first((1.0 - share) / 2.0), self._last((1.0 + share) / 2.0)

    def _first(self, below: float) -> int:
        day = min(bisect_left(self.sums, below), len(self.parts) - 1)
        if below - self.by(day - 1) <= self.by(day) - below:
            return day
        later = (d for d in range(day + 1, len(self.parts)) if self.parts[d] > 0)
        return next(later, day)

    def _last(self, below: float) -> int:
        day = min(bisect_left(self.sums, below), len(self.parts) - 1)
        nearer = below - self.by(day - 1) < self.by(day) - below
        return day - 1 if day and nearer else day

    def near(self, day: int, days: int) -> float:
        """The probability of lying within `days` of `day`."""
        return self.by(day + days) - self.by(day - days - 1)

    def later(self, days: int) -> Mass:
        """The same, `days` later (or, where negative, earlier: what would lie before day 0 lies on it)."""
        if days >= 0:
            return Mass(trimmed([0.0] * days + list(self.parts)))
        head = sum(self.parts[: 1 - days])
        return Mass((head, *self.parts[1 - days :]))

    def plus(self, other: Mass) -> Mass:
        """The sum of two independent numbers of days."""
        parts = [0.0] * min(DAYS, len(self.parts) + len(other.parts) - 1)
        for day, part in enumerate(self.parts):
            if part > _DUST:
                for more, share in enumerate(other.parts[: len(parts) - day]):
                    parts[day + more] += part * share
        return Mass(trimmed(parts))

    def mixed(self, other: Mass, weight: float) -> Mass:
        """`other` with probability `weight`, else this."""
        size = max(len(self.parts), len(other.parts))
        mine, theirs = (list(m.parts) + [0.0] * (size - len(m.parts)) for m in (self, other))
        return Mass(tuple((1 - weight) * a + weight * b for a, b in zip(mine, theirs, strict=True)))

    def times(self, share: float) -> Mass:
        """Each part by `share`; what is taken away never happens."""
        return self if share == 1.0 else Mass(tuple(share * part for part in self.parts))

    def given_after(self, day: int) -> Mass:
        """What is left when it is known to lie after `day`, still counted from the same day 0."""
        left = 1.0 - self.by(day)
        if left < 1e-6 or day + 1 >= len(self.parts):
            return on(day + 1)
        return Mass(tuple(0.0 if d <= day else part / left for d, part in enumerate(self.parts)))


def on(day: int) -> Mass:
    """Certainly that day."""
    day = min(max(0, day), DAYS - 1)
    return Mass((*(0.0 for _ in range(day)), 1.0))


def spread(days: Sequence[tuple[int, float]]) -> Mass:
    """From (day, weight) pairs; weights need not sum to one."""
    parts = [0.0] * (min(DAYS, max(day for day, _ in days) + 1))
    total = sum(weight for _, weight in days)
    for day, weight in days:
        parts[min(max(0, day), DAYS - 1)] += weight / total
    return Mass(tuple(parts))


def trimmed(parts: Sequence[float]) -> tuple[float, ...]:
    """Without the dust at its far end, and no longer than is followed."""
    end = min(len(parts), DAYS)
    while end > 1 and parts[end - 1] < _DUST:
        end -= 1
    return tuple(parts[:end])


def _fading(days: float) -> Mass:
    """From tomorrow on, less each day, `days` on average."""
    keep = math.exp(-1.0 / max(days, 1e-2))
    count = min(DAYS - 1, math.ceil(16.0 * max(days, 1.0)))
    return Mass((0.0, *((1.0 - keep) * keep**day for day in range(count))))


class Curve:
    """The distribution of scores, some of which are only known to be larger than they were when last seen.

    Kaplan and Meier's estimate: the mass of an unfinished score moves to the larger finished ones. One score's worth,
    1/(n + 1), and what unfinished scores leave lie beyond the largest, falling off exponentially: nothing is ruled out.
    """

    def __init__(self, scores: Sequence[tuple[float, bool, float]]) -> None:
        """`scores` are (score, whether it is finished, weight); one must be finished."""
        self.points, self.sums = _kaplan_meier(scores)
        count = sum(1 for _, finished, _ in scores if finished)
        self._kept = count / (count + 1.0)
        top = self.points[-1]
        reach = [top - point for point in self.points[int(0.75 * len(self.points)) :]]
        self._slope = max(sum(reach) / len(reach), 0.02 * (top - self.points[0]), 1e-3)

    def below(self, score: float) -> float:
        """The share at or below `score`."""
        if score >= self.points[-1]:
            return 1.0 - (1.0 - self._kept * self.sums[-1]) * math.exp(-(score - self.points[-1]) / self._slope)
        index = bisect_right(self.points, score)
        return self._kept * self.sums[index - 1] if index else 0.0

    def days(self, center: float, scale: float, age: int) -> Mass:
        """Days after today, for a spell that has lasted `age` days (−1: it has not begun) and did not end."""
        past = self.below((age + 0.5 - center) / scale)
        left = 1.0 - past
        if left < _NOTHING:
            return _fading(self._slope * scale)
        parts, before, day = [0.0], past, age + 1
        while len(parts) < DAYS and (1.0 - before) / left > _DUST:
            reached = self.below((day + 0.5 - center) / scale)
            parts.append((reached - before) / left)
            before, day = reached, day + 1
        return Mass(tuple(parts))


def _kaplan_meier(scores: Sequence[tuple[float, bool, float]]) -> tuple[list[float], list[float]]:
    ordered = sorted(scores, key=lambda score: (score[0], not score[1]))
    at_risk = sum(weight for _, _, weight in ordered)
    alive, points, sums = 1.0, [], []
    for score, finished, weight in ordered:
        if finished and at_risk > 0:
            alive *= 1.0 - min(1.0, weight / at_risk)
            points.append(score)
            sums.append(1.0 - alive)
        at_risk -= weight
    return points, sums
