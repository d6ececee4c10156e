"""How likely a value is right: isotonic calibration of scores from labelled rows, by field, kept in one JSON file.

A rule's score and a model's own confidence only rank. `Calibration.fit` turns ranks into probabilities by pooling
adjacent violators (Ayer et al. 1955): the non-decreasing curve nearest to what was seen.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from catalyst.errors import SettingsError, UsageError

LEAST_ROWS = 20
"""Fewer labelled rows say nothing."""
LEAST_BIN = 8
"""Rows of one step of the curve: smaller ones are pooled with their neighbours."""

VERSION = 1


@dataclass(frozen=True, slots=True)
class Calibration:
    """A non-decreasing curve from score to the share of values that were right."""

    scores: tuple[float, ...]
    """Rising; each is the mean score of one step."""
    shares: tuple[float, ...]
    rows: int

    @classmethod
    def fit(cls, seen: Iterable[tuple[float, bool]]) -> Calibration:
        """From (score, whether the value was right). Raises UsageError for fewer than `LEAST_ROWS` rows."""
        rows = sorted((float(score), bool(right)) for score, right in seen)
        if len(rows) < LEAST_ROWS:
            raise UsageError(f"{len(rows)} labelled rows are too few to calibrate: give {LEAST_ROWS} at least")
        steps = _pooled(_steps(rows))
        return cls(
            tuple(total / count for total, _, count in steps),
            # one imagined right and one wrong row: no step is ever certain
            tuple((right + 1) / (count + 2) if right in (0, count) else right / count for _, right, count in steps),
            len(rows),
        )

    def of(self, score: float) -> float:
        """The probability that a value of this score is right; straight between the steps."""
        place = bisect.bisect_left(self.scores, score)
        if place == 0:
            return self.shares[0]
        if place == len(self.scores):
            return self.shares[-1]
        low, high = self.scores[place - 1], self.scores[place]
        part = (score - low) / (high - low) if high > low else 1.0
        return self.shares[place - 1] + part * (self.shares[place] - self.shares[place - 1])


@dataclass(slots=True)
class Calibrations:
    """The curves by `field/source`: a rule's scores and a model's confidences are different scales."""

    curves: dict[str, Calibration] = field(default_factory=dict)

    def of(self, name: str, source: str) -> Calibration | None:
        return self.curves.get(f"{name}/{source}")

    @classmethod
    def load(cls, path: Path) -> Calibrations:
        """What `save` wrote; empty where there is no file. Raises SettingsError for one that is none."""
        if not path.exists():
            return cls()
        try:
            given = orjson.loads(path.read_bytes())
            if given["version"] != VERSION:
                raise ValueError(f"version {given['version']}")
            return cls({name: _read(row) for name, row in given["fields"].items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise SettingsError(
                f"{path} is no calibration ({error}): make it with `catalyst enrich calibrate`"
            ) from error

    def save(self, path: Path) -> None:
        """Write all curves, whole or not at all."""
        fields = {
            name: {"scores": curve.scores, "shares": curve.shares, "rows": curve.rows}
            for name, curve in sorted(self.curves.items())
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".tmp")
        beside.write_bytes(orjson.dumps({"version": VERSION, "fields": fields}, option=orjson.OPT_INDENT_2))
        beside.replace(path)


def _read(row: Mapping[str, list[float]]) -> Calibration:
    scores, shares = tuple(map(float, row["scores"])), tuple(map(float, row["shares"]))
    if not scores or len(scores) != len(shares) or list(scores) != sorted(scores) or list(shares) != sorted(shares):
        raise ValueError("a curve does not rise")
    if not all(0 <= share <= 1 for share in shares):
        raise ValueError("a share is not between 0 and 1")
    return Calibration(scores, shares, int(row["rows"]))  # type: ignore[call-overload]


def expected_error(seen: Iterable[tuple[float, bool]], bins: int = 10) -> float:
    """Expected calibration error: the gap between confidence and truth, by bins of equal width, weighed by rows."""
    rows = list(seen)
    gap = 0.0
    for number in range(bins):
        inside = [
            row for row in rows if number / bins <= row[0] < (number + 1) / bins or (row[0] == 1 and number == bins - 1)
        ]
        if inside:
            gap += abs(sum(score for score, _ in inside) - sum(right for _, right in inside))
    return gap / len(rows) if rows else 0.0


_Step = tuple[float, int, int]
"""Sum of scores, right ones, rows."""


def _steps(rows: list[tuple[float, bool]]) -> list[_Step]:
    """Rows of nearly one score together, `LEAST_BIN` at least: rows of the very same score are never parted."""
    steps: list[_Step] = []
    total, right, count, last = 0.0, 0, 0, None
    for score, was in rows:
        if count >= LEAST_BIN and score != last:
            steps.append((total, right, count))
            total, right, count = 0.0, 0, 0
        total, right, count, last = total + score, right + was, count + 1, score
    if steps and count < LEAST_BIN:
        before = steps.pop()
        total, right, count = total + before[0], right + before[1], count + before[2]
    return [*steps, (total, right, count)]


def _pooled(steps: list[_Step]) -> list[_Step]:
    """Adjacent steps whose shares fall, put together until none does."""
    pools: list[_Step] = []
    for step in steps:
        pools.append(step)
        while len(pools) > 1 and pools[-2][1] * pools[-1][2] >= pools[-1][1] * pools[-2][2]:
            last, before = pools.pop(), pools.pop()
            pools.append((last[0] + before[0], last[1] + before[1], last[2] + before[2]))
    return pools
