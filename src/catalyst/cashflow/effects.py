"""How long things like this one take: shrunken effects of customer, segment, terms and channel. Pure arithmetic.

`fit` estimates, from finished and still open spells, a centre and a spread for any group of names. Each factor's
effects are drawn toward zero as much as the data say they should be (variance components by expectation-maximisation:
a factor that explains nothing vanishes); outliers are down-weighted (Huber); what is still open counts as what it is
expected to become given its age, else the quick payers alone would teach.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

ROUNDS = 8
SCALE_PRIOR = 8.0
"""How many observations the pooled spread counts for against a customer's own."""
_HUBER = 1.0
_FLOOR = 0.5
"""Days; below this a spread is not believed: dates are whole days."""


@dataclass(frozen=True, slots=True)
class Spell:
    """Something that began on a day and ended on another, or not yet. Days are ordinals (`date.toordinal`)."""

    start: int
    end: int | None
    promised: int
    """Days from the start to the agreed end: an invoice's terms."""
    groups: tuple[str, ...]
    """The customer first, then whatever else tells spells apart; the same factors in each spell."""

    @property
    def days(self) -> int | None:
        return None if self.end is None else self.end - self.start

    def known(self, day: int) -> Spell:
        """As it stood at the end of `day`."""
        return self if self.end is None or self.end <= day else Spell(self.start, None, self.promised, self.groups)


@dataclass(frozen=True, slots=True)
class Effects:
    """What was learned. Days, measured from the start, or from the agreed end where `from_due`."""

    mean: float
    noise: float
    levels: tuple[dict[str, tuple[float, float]], ...]
    """Per factor: name to (effect in days, its variance)."""
    unknown: tuple[float, ...]
    """Per factor, the variance of an effect that nothing is known of."""
    spreads: dict[str, float]
    """Per customer, the standard deviation of what the effects don't explain."""
    pooled: float
    """The same of everyone."""
    from_due: bool

    def center(self, promised: int, groups: Sequence[str]) -> float:
        """Days from the start at which such a spell is expected to end."""
        known = sum(levels.get(name, (0.0, 0.0))[0] for levels, name in zip(self.levels, groups, strict=True))
        return self.mean + known + (promised if self.from_due else 0)

    def scale(self, groups: Sequence[str]) -> float:
        """How much wider than everyone's their misses are: their own noise, and what is not known of their group.

        A ratio, so that misses of different times can be compared in days although all of them grew or shrank.
        """
        own = self.spreads.get(groups[0], self.pooled)
        doubt = sum(
            levels.get(name, (0.0, unknown))[1]
            for levels, unknown, name in zip(self.levels, self.unknown, groups, strict=True)
        )
        return math.sqrt(own * own + doubt) / self.pooled


def fit(spells: Sequence[Spell], day: int, *, from_due: bool = False, half_life: float | None = None) -> Effects:
    """Learn from `spells` as they stood at the end of `day`; what began later must not be among them.

    `half_life` (days) lets what began long ago count less. At least one spell must have ended.
    """
    return _Fit([spell.known(day) for spell in spells], day, from_due, half_life).run()


class _Fit:
    def __init__(self, spells: Sequence[Spell], day: int, from_due: bool, half_life: float | None) -> None:
        self.from_due = from_due
        base = [spell.promised if from_due else 0 for spell in spells]
        self.values = [
            float((day + 1 if spell.end is None else spell.end) - spell.start - b)
            for spell, b in zip(spells, base, strict=True)
        ]
        self.least = list(self.values)
        self.open = [index for index, spell in enumerate(spells) if spell.end is None]
        self.trust = [_decay(day - spell.start, half_life) for spell in spells]
        self.weights = list(self.trust)
        self.names, self.codes = _codes(spells)
        self.effects = [[0.0] * len(names) for names in self.names]
        self.masses = [[0.0] * len(names) for names in self.names]
        self.taus = [25.0] * len(self.names)
        closed = set(self.open)
        done = [value for index, value in enumerate(self.values) if index not in closed]
        self.mean = median(done)
        self.noise = max(_FLOOR, 1.4826 * median([abs(value - self.mean) for value in done]))

    def run(self) -> Effects:
        for _ in range(ROUNDS):
            self._impute()
            self._center()
            for factor in range(len(self.names)):
                if len(self.names[factor]) > 1:
                    self._update(factor)
            self._weigh()
        return self._effects()

    def _fitted(self) -> list[float]:
        fitted = [self.mean] * len(self.values)
        for codes, effects in zip(self.codes, self.effects, strict=True):
            fitted = [so_far + effects[code] for so_far, code in zip(fitted, codes, strict=True)]
        return fitted

    def _impute(self) -> None:
        """An open spell counts as what it is expected to become, given that it lasted so long."""
        fitted = self._fitted()
        for index in self.open:
            reached = (self.least[index] - 0.5 - fitted[index]) / self.noise
            self.values[index] = fitted[index] + self.noise * _hazard(reached)

    def _center(self) -> None:
        fitted, weight = self._fitted(), sum(self.weights)
        left = sum(w * (value - f) for w, value, f in zip(self.weights, self.values, fitted, strict=True))
        self.mean += left / weight

    def _update(self, factor: int) -> None:
        codes, effects = self.codes[factor], self.effects[factor]
        sums, masses = [0.0] * len(effects), [0.0] * len(effects)
        for code, w, value, f in zip(codes, self.weights, self.values, self._fitted(), strict=True):
            sums[code] += w * (value - f + effects[code])
            masses[code] += w
        noise = self.noise * self.noise
        shrink = noise / self.taus[factor]
        self.effects[factor] = [total / (mass + shrink) for total, mass in zip(sums, masses, strict=True)]
        self.masses[factor] = masses
        square = sum(e * e + noise / (m + shrink) for e, m in zip(self.effects[factor], masses, strict=True))
        self.taus[factor] = max(1e-3, square / len(effects))

    def _weigh(self) -> None:
        misses = [abs(value - f) for value, f in zip(self.values, self._fitted(), strict=True)]
        closed = set(self.open)
        told = [miss for index, miss in enumerate(misses) if index not in closed]
        self.noise = max(_FLOOR, 1.4826 * median(told or misses))
        limit = _HUBER * self.noise
        self.weights = [t if miss <= limit else t * limit / miss for t, miss in zip(self.trust, misses, strict=True)]

    def _effects(self) -> Effects:
        noise = self.noise * self.noise
        levels = [
            {
                name: (effect, noise / (mass + noise / tau))
                for name, effect, mass in zip(names, effects, masses, strict=True)
            }
            if len(names) > 1
            else {}
            for names, effects, masses, tau in zip(self.names, self.effects, self.masses, self.taus, strict=True)
        ]
        unknown = [tau if len(names) > 1 else 0.0 for names, tau in zip(self.names, self.taus, strict=True)]
        spreads, pooled = self._spreads()
        return Effects(self.mean, self.noise, tuple(levels), tuple(unknown), spreads, pooled, self.from_due)

    def _spreads(self) -> tuple[dict[str, float], float]:
        """A customer's own spread, drawn toward everyone's; a single wild miss counts as four spreads at most."""
        names = self.names[0]
        sums, counts = [0.0] * len(names), [0.0] * len(names)
        for code, trust, value, f in zip(self.codes[0], self.trust, self.values, self._fitted(), strict=True):
            sums[code] += trust * min(4.0 * self.noise, value - f, key=abs) ** 2
            counts[code] += trust
        pooled = max(_FLOOR**2, sum(sums) / (sum(counts) or 1.0))
        spreads = {
            name: math.sqrt((SCALE_PRIOR * pooled + total) / (SCALE_PRIOR + count))
            for name, total, count in zip(names, sums, counts, strict=True)
        }
        return spreads, math.sqrt(pooled)


def _codes(spells: Sequence[Spell]) -> tuple[list[list[str]], list[list[int]]]:
    """Per factor, its names and each spell's place among them."""
    all_names: list[list[str]] = []
    all_codes: list[list[int]] = []
    for factor in range(len(spells[0].groups)):
        place: dict[str, int] = {}
        all_codes.append([place.setdefault(spell.groups[factor], len(place)) for spell in spells])
        all_names.append(list(place))
    return all_names, all_codes


def _decay(age: int, half_life: float | None) -> float:
    return 1.0 if half_life is None else float(0.5 ** (age / half_life))


def _hazard(x: float) -> float:
    """The mean of a standard normal above x."""
    if x > 6.0:
        return x + 1.0 / x
    upper = 0.5 * math.erfc(x / math.sqrt(2.0))
    return math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi) / upper


def median(values: Sequence[float], key: Callable[[float], float] | None = None) -> float:
    """The middle one, or the mean of the two in the middle."""
    ordered = sorted(values, key=key)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
