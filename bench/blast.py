"""A press-release blast: stories of our own, each carried by 3 to 6 wires in their usual wording, with near misses.

`blast(seed)` is a generator for `bench/cache.py` and the tests; the same seed gives the same blast. What wires do:
their mark before or behind, a ticker in brackets, legal endings, tense and verb, figures in words or short, the
clauses turned round (1 in 20) and a headline cut short (1 in 20).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_FIRST = (
    "Halcyon",
    "Brindle",
    "Osprey",
    "Quarry",
    "Tamarack",
    "Vellum",
    "Northgate",
    "Pinecrest",
    "Solstice",
    "Kestrel",
    "Ironwood",
    "Larkspur",
    "Meridian",
    "Copperfield",
    "Driftwood",
    "Everline",
    "Foxglove",
    "Granite",
    "Hollis",
    "Juniper",
    "Lodestar",
    "Marlowe",
    "Nimbus",
    "Orchard",
    "Palisade",
    "Redwood",
    "Sable",
    "Thornbury",
    "Umber",
    "Wexford",
)
_SECOND = (
    "Robotics",
    "Biosciences",
    "Logistics",
    "Minerals",
    "Semiconductor",
    "Foods",
    "Networks",
    "Aerospace",
    "Medical",
    "Energy",
)
_LEGAL = ("", "", " Inc.", " Corp.", ", Inc.", " Corporation", " Ltd.")
_BEFORE = ("", "", "", "", "UPDATE 1-", "BRIEF-", "UPDATE 2-", "Press Release: ", "FLASH: ")
_BEHIND = ("", "", "", "", " - Reuters", " | Business Wire", " -- GlobeNewswire", " - MarketWatch", " (PR Newswire)")
_QUARTERS = (
    ("Q1", "first-quarter", "1Q"),
    ("Q2", "second-quarter", "2Q"),
    ("Q3", "third-quarter", "3Q"),
    ("Q4", "fourth-quarter", "4Q"),
)
_PLACES = ("Ohio", "Texas", "Ireland", "Vietnam", "Poland", "Nevada", "Quebec", "Saxony")
_PEOPLE = ("Dana Whitlock", "Priya Raman", "Owen Castell", "Mei Tanaka", "Lukas Brandt", "Carla Nunez")
_THINGS = ("insulin pump", "battery pack", "cargo drone", "vision chip", "diagnostic kit", "heat exchanger")

Say = Callable[["Story", random.Random], str]


@dataclass(frozen=True, slots=True)
class Story:
    """One piece of news: what happened, to whom, and its figures."""

    event: int
    company: str
    ticker: str
    quarter: int
    year: int
    percent: int
    money: int
    """Millions of dollars."""
    up: bool
    place: str
    person: str
    thing: str


@dataclass(frozen=True, slots=True)
class Copy:
    """A headline as one wire carries it; `story` is its number: equal numbers are the same news."""

    text: str
    story: int


def _pick(*forms: str) -> Callable[[random.Random], str]:
    return lambda rng: rng.choice(forms)


def _money(story: Story, rng: random.Random) -> str:
    if story.money >= 1000:
        billions = f"{story.money / 1000:.1f}"
        return rng.choice(
            (f"${billions} billion", f"${billions}B", f"${billions} bln", f"${billions}bn", f"${story.money:,} million")
        )
    return rng.choice((f"${story.money} million", f"${story.money}M", f"${story.money} mln", f"${story.money}mn"))


def _percent(story: Story, rng: random.Random) -> str:
    return rng.choice(
        (f"{story.percent}%", f"{story.percent} percent", f"{story.percent} per cent", f"{story.percent} pct")
    )


def _period(story: Story, rng: random.Random) -> str:
    short, long, old = _QUARTERS[story.quarter]
    return rng.choice(
        (f"{short} {story.year}", f"{long} {story.year}", f"{old}{story.year % 100}", f"{short} FY{story.year}")
    )


def _moved(story: Story, rng: random.Random) -> str:
    return rng.choice(
        ("rises", "increases", "grows", "climbs", "up", "rose")
        if story.up
        else ("falls", "declines", "drops", "decreases", "down", "fell")
    )


_reports = _pick("reports", "posts", "announces", "reported")
_buys = _pick("to acquire", "to buy", "agrees to acquire", "will buy", "agrees to buy", "to purchase")
_names = _pick("names", "appoints", "taps", "named")
_raises = _pick("raises", "boosts", "lifts", "hikes", "increases")
_cuts = _pick("cuts", "lowers", "reduces", "trims")
_wins = _pick("wins", "receives", "secures", "gets")
_launches = _pick("launches", "introduces", "unveils", "rolls out")
_lays_off = _pick("to cut {} jobs", "to lay off {} employees", "will cut {} jobs", "to eliminate {} jobs")


def _revenue(story: Story, rng: random.Random) -> str:
    word = rng.choice(("revenue", "net sales", "sales", "total revenue"))
    return f"{_period(story, rng)} {word} {_moved(story, rng)} {_percent(story, rng)}"


def _results(story: Story, rng: random.Random) -> str:
    return f"{_reports(rng)} {_period(story, rng)} {rng.choice(('results', 'financial results', 'earnings results'))}"


def _deal(story: Story, rng: random.Random) -> str:
    return f"{_buys(rng)} {story.thing} maker {story.person.split()[1]} Works for {_money(story, rng)}"


def _officer(story: Story, rng: random.Random) -> str:
    office = rng.choice(("CFO", "chief financial officer", "finance chief"))
    return f"{_names(rng)} {story.person} {rng.choice(('as ', ''))}{office}"


def _outlook(story: Story, rng: random.Random) -> str:
    verb = _raises(rng) if story.up else _cuts(rng)
    return f"{verb} {story.year} {rng.choice(('revenue guidance', 'revenue outlook', 'sales guidance'))}"


def _approval(story: Story, rng: random.Random) -> str:
    return f"{_wins(rng)} {rng.choice(('FDA approval', 'FDA clearance', 'FDA nod'))} for {story.thing}"


def _contract(story: Story, rng: random.Random) -> str:
    return f"{_wins(rng)} {_money(story, rng)} {story.thing} {rng.choice(('contract', 'deal'))} in {story.place}"


def _plant(story: Story, rng: random.Random) -> str:
    verb = rng.choice(("to invest", "plans to invest", "will invest"))
    return f"{verb} {_money(story, rng)} in {story.place} {rng.choice(('plant', 'factory'))}"


def _buyback(story: Story, rng: random.Random) -> str:
    what = rng.choice(("share buyback", "share repurchase program", "stock buyback", "stock repurchase"))
    return f"{_reports(rng)} {_money(story, rng)} {what}"


def _product(story: Story, rng: random.Random) -> str:
    return f"{_launches(rng)} {story.thing} in {story.place}"


def _jobs(story: Story, rng: random.Random) -> str:
    count = story.money + 1000
    return f"{_lays_off(rng).format(rng.choice((f'{count:,}', str(count))))} in {story.place}"


def _dividend(story: Story, rng: random.Random) -> str:
    verb = _raises(rng) if story.up else _cuts(rng)
    return f"{verb} quarterly dividend {rng.choice(('by ', ''))}{_percent(story, rng)}"


EVENTS: tuple[Say, ...] = (
    _revenue,
    _results,
    _deal,
    _officer,
    _outlook,
    _approval,
    _contract,
    _plant,
    _buyback,
    _product,
    _jobs,
    _dividend,
)


def _carried(story: Story, rng: random.Random) -> str:
    """The headline as one wire carries it."""
    name = story.company + rng.choice(_LEGAL)
    tagged = rng.random() < 0.3
    name += (
        rng.choice((f" (NYSE: {story.ticker})", f" ({story.ticker})", f" (NASDAQ:{story.ticker})")) if tagged else ""
    )
    told = EVENTS[story.event](story, rng)
    text = f"{told[0].upper()}{told[1:]}, {name} says" if rng.random() < 0.05 else f"{name} {told}"
    if rng.random() < 0.4:
        text = " ".join(
            word[0].upper() + word[1:] if word[0].isalpha() and len(word) > 3 else word for word in text.split()
        )
    if rng.random() < 0.05:
        return text[: max(30, len(text) * 3 // 4)].rstrip() + "..."
    return rng.choice(_BEFORE) + text + rng.choice(_BEHIND)


def _story(rng: random.Random, number: int) -> Story:
    company = f"{_FIRST[number % len(_FIRST)]} {_SECOND[(number // len(_FIRST) + number) % len(_SECOND)]}"
    ticker = "".join(rng.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(4))
    return Story(
        number % len(EVENTS),
        company,
        ticker,
        rng.randrange(4),
        rng.choice((2024, 2025)),
        rng.randrange(2, 60),
        rng.choice((rng.randrange(20, 999), rng.randrange(10, 95) * 100)),
        rng.random() < 0.5,
        rng.choice(_PLACES),
        rng.choice(_PEOPLE),
        rng.choice(_THINGS),
    )


def _other(values: Sequence[str], value: str) -> str:
    return values[(values.index(value) + 1) % len(values)]


def _twin(story: Story, rng: random.Random) -> Story:
    """Another story that differs from this one in one fact of its headline, or in the company."""
    fields = {name: getattr(story, name) for name in Story.__slots__}
    more: dict[str, object] = {"money": story.money + (200 if story.money >= 1000 else 10)}
    changes: dict[int, dict[str, object]] = {
        0: {"up": not story.up},
        1: {"quarter": (story.quarter + 1) % 4},
        2: more,
        3: {"person": _other(_PEOPLE, story.person)},
        4: {"up": not story.up},
        5: {"thing": _other(_THINGS, story.thing)},
        6: more,
        7: {"place": _other(_PLACES, story.place)},
        8: more,
        9: {"thing": _other(_THINGS, story.thing)},
        10: {"money": story.money + 1},
        11: {"percent": story.percent + 1},
    }
    if rng.random() < 0.3:
        first, second = story.company.split()
        return Story(**{**fields, "company": f"{first} {_other(_SECOND, second)}", "ticker": story.ticker[::-1] + "A"})
    return Story(**{**fields, **changes[story.event]})


def blast(seed: int = 1, stories: int = 200) -> Iterator[Copy]:
    """The copies in the order in which they come in: a story's copies lie near each other, mixed with others'."""
    rng = random.Random(seed)
    told: list[Story] = []
    for number in range(stories):
        twin = number % 4 == 3 and told
        told.append(_twin(told[-1], rng) if twin else _story(rng, number))
    copies = [
        (number + rng.random() * 6, Copy(_carried(story, rng), number))
        for number, story in enumerate(told)
        for _ in range(rng.randint(3, 6))
    ]
    yield from (copy for _, copy in sorted(copies, key=lambda pair: pair[0]))
