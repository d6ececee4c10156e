"""Would the forecast have been right? Walk the past forward, a week at a time, with only what was known then. Pure.

At each Monday the delays are learned anew; every invoice of that week is dated on its issue, and the money of all
invoices then open is put into weeks. Peers walk along: 37 days, the due date, the customer's median, everyone's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from catalyst.cashflow.delays import Delays
from catalyst.cashflow.effects import Spell, median
from catalyst.cashflow.mass import Mass, on
from catalyst.cashflow.predictor import SHARE, Knowledge, payment_spell, predict_open
from catalyst.cashflow.rules import TERMS_DAYS
from catalyst.cashflow.types import InvoiceRecord
from catalyst.errors import UsageError

WEEK = 7
AHEAD = 4
"""Weekly buckets forecast at each origin."""
PEERS = ("fixed_37", "due_date", "customer_median", "global_median")

Dating = Callable[[Spell, int], Mass]
"""A spell that is open at the end of a day, to the days after it."""


@dataclass(slots=True)
class Tally:
    """How one way of dating did. Money sums are in the invoices' currency."""

    missed: list[int] = field(default_factory=list)
    weeks: list[tuple[float, float]] = field(default_factory=list)
    """(forecast, came in) of single weeks."""
    months: list[tuple[float, float]] = field(default_factory=list)
    """The same of four weeks."""

    @property
    def mae_days(self) -> float:
        return sum(self.missed) / len(self.missed)

    @property
    def wape_week(self) -> float:
        return wape(self.weeks)

    @property
    def wape_4week(self) -> float:
        return wape(self.months)


@dataclass(frozen=True, slots=True)
class Week:
    """One week as it was forecast at its start, and as it came."""

    start: date
    forecast: float
    low: float
    high: float
    actual: float


@dataclass(frozen=True, slots=True)
class Backtest:
    """The figures. `coverage80` is the share of invoices paid within their interval."""

    invoices: int
    origins: int
    ours: Tally
    peers: dict[str, Tally]
    coverage80: float
    width_days: float
    weeks: list[Week]


def wape(pairs: Sequence[tuple[float, float]]) -> float:
    """Sum of absolute misses over the sum of what came; infinite where nothing came."""
    came = sum(abs(actual) for _, actual in pairs)
    return sum(abs(forecast - actual) for forecast, actual in pairs) / came if came else float("inf")


def backtest(
    invoices: Sequence[InvoiceRecord],
    *,
    warmup: float = 0.4,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Backtest:
    """Walk over the invoices after the first `warmup` share of them. Raises UsageError where there are too few.

    Invoices must be of one currency, else their money would be added.
    """
    if len({invoice.currency for invoice in invoices}) > 1:
        raise UsageError("a backtest adds money: give the invoices of one currency at a time")
    rows = sorted(
        ((payment_spell(invoice), float(invoice.amount)) for invoice in invoices), key=lambda row: row[0].start
    )
    paid = sum(spell.end is not None for spell, _ in rows)
    if paid < 20:
        raise UsageError(f"a backtest needs at least 20 paid invoices, and there are {paid}")
    origins = _origins([spell for spell, _ in rows], warmup)
    if not origins:
        raise UsageError("the invoices span too little time for a backtest: at least 8 weeks after the first ones")
    walk = _Walk(rows)
    for number, origin in enumerate(origins, 1):
        walk.step(origin)
        progress(number, len(origins))
    return walk.told(len(origins))


def _origins(spells: Sequence[Spell], warmup: float) -> list[int]:
    """Mondays from the first invoice to be judged to the last."""
    first = spells[int(len(spells) * warmup)].start
    monday = first - date.fromordinal(first).weekday()
    return list(range(max(monday, spells[0].start + WEEK), spells[-1].start + 1, WEEK))


class _Walk:
    def __init__(self, rows: Sequence[tuple[Spell, float]]) -> None:
        self._rows = rows
        self._seen_until = max(spell.start if spell.end is None else spell.end for spell, _ in rows)
        self._ours = Tally()
        self._peers = {name: Tally() for name in PEERS}
        self._within: list[bool] = []
        self._widths: list[int] = []
        self._weeks: list[Week] = []

    def step(self, origin: int) -> None:
        """Everything that is forecast at the end of the day before `origin`."""
        day = origin - 1
        past = [spell.known(day) for spell, _ in self._rows if spell.start <= day]
        delays = Knowledge.of_payments(past, day)
        ways: dict[str, Dating] = {"ours": _ours(delays)} | _peers(past, day)
        fresh = [spell for spell, _ in self._rows if origin <= spell.start < origin + WEEK and spell.end is not None]
        for spell in fresh:
            self._date(spell, ways)
        self._bank(origin, ways, delays)

    def _date(self, spell: Spell, ways: dict[str, Dating]) -> None:
        assert spell.end is not None
        came, eve = spell.end - spell.start + 1, spell.start - 1
        unpaid = Spell(spell.start, None, spell.promised, spell.groups)
        for name, dating in ways.items():
            mass = dating(unpaid, eve)
            self._tally(name).missed.append(abs(mass.median() - came))
            if name == "ours":
                first, last = mass.interval(SHARE)
                self._within.append(first <= came <= last)
                self._widths.append(last - first)

    def _bank(self, origin: int, ways: dict[str, Dating], delays: Delays | None) -> None:
        """The money of what is open, week by week; weeks that were not seen whole are not judged."""
        day = origin - 1
        left = [(spell, amount) for spell, amount in self._rows if spell.start <= day and spell.known(day).end is None]
        if not left or origin + WEEK - 1 > self._seen_until:
            return
        for name, dating in ways.items():
            masses = [(dating(spell.known(day), day), amount) for spell, amount in left]
            if name == "ours" and delays is not None:
                masses = [
                    (mass.times(delays.ends(spell.known(day), day)), amount)
                    for (mass, amount), (spell, _) in zip(masses, left, strict=True)
                ]
            tally = self._tally(name)
            pairs = [
                (_sum(masses, week), _came(left, origin + week * WEEK))
                for week in range(AHEAD)
                if origin + (week + 1) * WEEK - 1 <= self._seen_until
            ]
            tally.weeks += pairs
            if len(pairs) == AHEAD:
                tally.months.append((sum(f for f, _ in pairs), sum(a for _, a in pairs)))
            if name == "ours":
                self._weeks.append(_week(origin, masses, pairs[0]))

    def told(self, origins: int) -> Backtest:
        count = len(self._within)
        if not count:
            raise UsageError("no invoice after the first ones was paid: nothing can be judged")
        return Backtest(
            count,
            origins,
            self._ours,
            self._peers,
            sum(self._within) / count,
            sum(self._widths) / count,
            self._weeks,
        )

    def _tally(self, name: str) -> Tally:
        return self._ours if name == "ours" else self._peers[name]


def _ours(delays: Delays | None) -> Dating:
    return lambda spell, day: predict_open(delays, spell, day)


def _peers(past: Sequence[Spell], day: int) -> dict[str, Dating]:
    """The plain ways; what they would have paid already, they expect tomorrow."""
    paid = [spell for spell in past if spell.days is not None]
    of: dict[str, list[float]] = {}
    for spell in paid:
        of.setdefault(spell.groups[0], []).append(float(spell.days or 0))
    everyone = median([float(spell.days or 0) for spell in paid]) if paid else float(TERMS_DAYS)
    medians = {customer: median(days) for customer, days in of.items()}
    points: dict[str, Callable[[Spell], float]] = {
        "fixed_37": lambda spell: TERMS_DAYS,
        "due_date": lambda spell: spell.promised,
        "customer_median": lambda spell: medians.get(spell.groups[0], everyone),
        "global_median": lambda spell: everyone,
    }
    return {name: _at(point) for name, point in points.items()}


def _at(point: Callable[[Spell], float]) -> Dating:
    return lambda spell, day: on(max(1, spell.start + round(point(spell)) - day))


def _sum(masses: Sequence[tuple[Mass, float]], week: int) -> float:
    first, last = week * WEEK + 1, (week + 1) * WEEK
    return sum(amount * (mass.by(last) - mass.by(first - 1)) for mass, amount in masses)


def _came(left: Sequence[tuple[Spell, float]], first: int) -> float:
    return sum(amount for spell, amount in left if spell.end is not None and first <= spell.end < first + WEEK)


def _week(origin: int, masses: Sequence[tuple[Mass, float]], pair: tuple[float, float]) -> Week:
    shares = [(amount, mass.by(WEEK)) for mass, amount in masses]
    reach = 1.2816 * sum(amount * amount * share * (1 - share) for amount, share in shares) ** 0.5
    return Week(date.fromordinal(origin), pair[0], max(0.0, pair[0] - reach), pair[0] + reach, pair[1])


def rows_of(result: Backtest) -> Iterator[tuple[str, float, float, float]]:
    """(name, MAE in days, weekly WAPE, four-weekly WAPE), ours first."""
    for name, tally in (("ours", result.ours), *result.peers.items()):
        yield name, tally.mae_days, tally.wape_week, tally.wape_4week
