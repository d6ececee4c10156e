"""When will it end? A distribution over days for open spells, learned from finished and unfinished ones.

`Delays.learn` tries a few ways of seeing the data (global median, due date, shrunken effects with long or short memory)
at earlier moments, each with only what was known then, and keeps the one that would have been right most. The misses of
those trials, not the fit's own residuals, make the intervals (split conformal, scaled by each group's spread). Pure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from catalyst.cashflow.effects import Effects, Spell, fit, median
from catalyst.cashflow.mass import Curve, Mass

ORIGINS = 6
"""Earlier moments at which each way is tried."""
MOST = 12_000
"""Spells learned from, the latest ones."""
ENOUGH = 16
"""Finished spells below which only the plain ways are tried."""
SURE = 2.0
"""Standard errors by which a richer way must have missed less."""
LOST = 1.5
"""What is open for so many times the 99th percentile of all that ended teaches nothing."""
DOUBT = 2.0
"""Old spells that everyone's share of lost ones counts for against a customer's own."""
_WILD = 4.0
"""A miss counts as this many usual misses at most: what is never paid must not decide between two ways."""
_MEMORIES = ((None, "all of the past"), (180.0, "the last year mostly"), (75.0, "the last months mostly"))
"""Half-lives in days, and how to say them."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way of seeing the data."""

    title: str
    from_due: bool
    effects: bool = False
    half_life: float | None = None


PLAIN = (Way("the median delay of all", False), Way("the agreed day and the usual lateness", True))
RICH = tuple(
    Way(f"each group's own delay from the {'agreed day' if due else 'start'}, {told}", due, True, half_life)
    for due in (False, True)
    for half_life, told in _MEMORIES
)


@dataclass(frozen=True, slots=True)
class Score:
    """How a trial missed: in days over its relative spread, finished or only so far."""

    value: float
    finished: bool
    missed_days: float | None
    """Of the middle of the forecast; None while nobody can tell."""


@dataclass(frozen=True, slots=True)
class Delays:
    """What was learned up to a day. `mass` asks it."""

    way: Way
    curve: Curve
    effects: Effects | None
    finished: int
    """Spells that taught it."""
    mae_days: float | None
    """Mean miss of the way kept, in the trials; None where there was too little for trials."""
    lost: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Per customer: how many of its spells that are old enough to tell never ended, and how many are that old."""

    @classmethod
    def learn(cls, spells: Sequence[Spell], day: int, *, prior: Sequence[tuple[int, float]] = ()) -> Delays | None:
        """Learn from what was known at the end of `day`; None where nothing had ended and there is no prior.

        `prior` (days, weight) counts beside thin history and vanishes as history grows.
        """
        known = [spell.known(day) for spell in spells if spell.start <= day]
        known, lost = _telling(sorted(known, key=lambda spell: spell.start)[-MOST:], day)
        finished = sum(spell.end is not None for spell in known)
        if finished < ENOUGH:
            return _thin(known, day, finished, prior)
        way, scores, mae = _choose(known, day)
        effects = fit(known, day, from_due=way.from_due, half_life=way.half_life) if way.effects else None
        return cls(way, Curve([(score.value, score.finished, 1.0) for score in scores]), effects, finished, mae, lost)

    def mass(self, spell: Spell, day: int) -> Mass:
        """The days after `day` on which `spell`, open at its end, ends. One not begun yet counts from its start."""
        center, scale = self._place(spell)
        age = day - spell.start
        mass = self.curve.days(center, scale, max(-1, age))
        return mass.later(-age - 1) if age < -1 else mass

    def ends(self, spell: Spell, day: int) -> float:
        """The probability that `spell`, open at the end of `day`, ends at all: less the older it is (a cure model)."""
        gone, old = (sum(counts) for counts in zip(*self.lost.values(), strict=True)) if self.lost else (0, 0)
        if not gone:
            return 1.0
        mine, aged = self.lost.get(spell.groups[0], (0, 0))
        never = (mine + DOUBT * gone / old) / (aged + DOUBT)
        center, scale = self._place(spell)
        going = 1.0 - self.curve.below((day - spell.start + 0.5 - center) / scale) if day >= spell.start else 1.0
        return (1.0 - never) * going / (never + (1.0 - never) * going)

    def seen(self, name: str) -> bool:
        """Whether this customer has taught anything."""
        return self.effects is not None and name in self.effects.spreads

    def _place(self, spell: Spell) -> tuple[float, float]:
        if self.effects is None:
            return (float(spell.promised) if self.way.from_due else 0.0), 1.0
        return self.effects.center(spell.promised, spell.groups), self.effects.scale(spell.groups)


def _telling(known: Sequence[Spell], day: int) -> tuple[list[Spell], dict[str, tuple[int, int]]]:
    """Without what is open far longer than nearly anything ever took: that tells whether it ends, not when."""
    took = sorted(spell.end - spell.start for spell in known if spell.end is not None)
    if len(took) < ENOUGH:
        return list(known), {}
    most = LOST * max(took[int(0.99 * (len(took) - 1))], 14)
    lost: dict[str, tuple[int, int]] = {}
    for spell in known:
        if day - spell.start > most:
            gone, old = lost.get(spell.groups[0], (0, 0))
            lost[spell.groups[0]] = (gone + (spell.end is None), old + 1)
    return [spell for spell in known if spell.end is not None or day - spell.start <= most], lost


def _thin(known: Sequence[Spell], day: int, finished: int, prior: Sequence[tuple[int, float]]) -> Delays | None:
    """Too little for trials: what there is, beside the prior, told apart by nothing."""
    from_due = len({spell.promised for spell in known}) > 1 and finished >= 8
    way = PLAIN[from_due]
    scores = [(float(_so_far(spell, day, way)), spell.end is not None, 1.0) for spell in known]
    usual = median([spell.promised for spell in known]) if from_due and known else 0
    scores += [(value - usual, True, weight) for value, weight in prior]
    return Delays(way, Curve(scores), None, finished, None) if any(done for _, done, _ in scores) else None


def _so_far(spell: Spell, day: int, way: Way) -> int:
    reached = day - spell.start if spell.end is None else spell.end - spell.start
    return reached - (spell.promised if way.from_due else 0)


def _choose(known: Sequence[Spell], day: int) -> tuple[Way, list[Score], float | None]:
    """The plain way that did best in trials, unless a richer one did clearly better."""
    origins = _origins(known, day)
    fixed = len({spell.promised for spell in known}) == 1
    plain = [way for way in PLAIN if not (fixed and way.from_due)]
    rich = [way for way in RICH if not (fixed and way.from_due)]
    trials = {way: _trials(known, day, origins, way) for way in (*plain, *rich)}
    best_plain = min(plain, key=lambda way: _mae(trials[way]))
    best_rich = min(rich, key=lambda way: _mae(trials[way]))
    if _clearly(trials[best_rich], trials[best_plain]):
        return best_rich, trials[best_rich], _mae(trials[best_rich])
    scores = [Score(float(_so_far(s, day, best_plain)), s.end is not None, None) for s in known]
    return best_plain, scores, _mae(trials[best_plain])


def _origins(known: Sequence[Spell], day: int) -> list[int]:
    """Equally many spells begin between two of them; the first third of the past only teaches."""
    tested = known[len(known) // 3 :]
    step = max(1, len(tested) // ORIGINS)
    return sorted({tested[index].start for index in range(0, len(tested), step)} - {day})[:ORIGINS]


def _trials(known: Sequence[Spell], day: int, origins: Sequence[int], way: Way) -> list[Score]:
    """Each spell that began after an origin and not after the next, forecast at the origin, judged at `day`."""
    scores: list[Score] = []
    for origin, until in zip(origins, [*origins[1:], day], strict=True):
        past = [spell.known(origin) for spell in known if spell.start <= origin]
        if sum(spell.end is not None for spell in past) >= 8:
            judged = [spell for spell in known if origin < spell.start <= until]
            scores += _judge(past, judged, origin, day, way)
    return scores


def _judge(past: Sequence[Spell], judged: Sequence[Spell], origin: int, day: int, way: Way) -> list[Score]:
    if not way.effects:
        curve = Curve([(float(_so_far(spell, origin, way)), spell.end is not None, 1.0) for spell in past])
        model = Delays(way, curve, None, 0, None)
        middle = _middle(curve)
    else:
        model = Delays(way, _UNUSED, fit(past, origin, from_due=way.from_due, half_life=way.half_life), 0, None)
        middle = 0.0
    return [_score(model, spell, day, middle) for spell in judged]


def _middle(curve: Curve) -> float:
    """The median, or the largest finished score where less than half are finished."""
    points = (point for point, total in zip(curve.points, curve.sums, strict=True) if total >= 0.5)
    return next(points, curve.points[-1])


def _score(model: Delays, spell: Spell, day: int, middle: float) -> Score:
    center, scale = model._place(spell)
    reached = (day if spell.end is None else spell.end) - spell.start
    miss = reached - center - middle
    told = abs(miss) if spell.end is not None or miss > 0 else None
    return Score((reached - center) / scale, spell.end is not None, told)


def _mae(scores: Sequence[Score]) -> float:
    told = [score.missed_days for score in scores if score.missed_days is not None]
    return sum(told) / len(told) if told else math.inf


def _clearly(rich: Sequence[Score], plain: Sequence[Score]) -> bool:
    """Whether the richer way misses less by more than chance would have it."""
    pairs = [
        (r.missed_days, p.missed_days)
        for r, p in zip(rich, plain, strict=True)
        if r.missed_days is not None and p.missed_days is not None
    ]
    if len(pairs) < ENOUGH // 2:
        return False
    most = _WILD * max(1.0, median([missed for _, missed in pairs]))
    gains = [min(p, most) - min(r, most) for r, p in pairs]
    mean = sum(gains) / len(gains)
    error = math.sqrt(sum((gain - mean) ** 2 for gain in gains)) / len(gains)
    return mean > SURE * error


_UNUSED = Curve([(0.0, True, 1.0)])
