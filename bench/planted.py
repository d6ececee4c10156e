"""True analyses of labelled releases, and the same with one number made wrong, by a seeded generator.

The kinds of error are those that models make: a digit, the unit, the scale, the period, the sign, and a number that
stands elsewhere in the filing under another name.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from catalyst.stream.types import Fact

KINDS = ("digit", "unit", "scale", "period", "sign", "elsewhere")
_ADJUSTED = {
    "eps_diluted": "eps_adjusted",
    "net_income": "net_income_adjusted",
    "operating_income": "operating_income_adjusted",
}
_SIGNED = ("net_income", "eps", "operating_income", "ebitda")
_FACTS = 4


@dataclass(frozen=True, slots=True)
class Case:
    """An analysis's facts."""

    facts: tuple[Fact, ...]


def true_case(label: dict[str, Any], text: str, found: Sequence[Fact], seed: int) -> Case:
    """Some true facts of a release, each quoted as the extractor or, where it has none, as its own line."""
    rng = random.Random(seed)
    known = {(fact.name, fact.value, fact.scope): fact for fact in found}
    facts = [fact for item in label["facts"] if (fact := _true(label, item, text, known))]
    return Case(tuple(rng.sample(facts, min(_FACTS, len(facts)))))


def _true(label: dict[str, Any], item: dict[str, Any], text: str, known: Mapping[Any, Fact]) -> Fact | None:
    """A label as a model would tell it."""
    name, adjusted = item["name"], item["basis"] == "non_gaap"
    if adjusted and name.startswith("guidance"):
        name = name.replace("guidance_eps", "guidance_eps_adjusted")
    elif adjusted and name != "ebitda_adjusted":
        if name not in _ADJUSTED:
            return None
        name = _ADJUSTED[name]
    scope = "guidance" if name.startswith("guidance") else item["scope"]
    value = Decimal(item["value"])
    same = known.get((name, value, scope))
    if same is not None:
        return same.model_copy(update={"verified": False})
    unit = "USD/share" if "eps" in name or name == "dividend_per_share" else "USD"
    period = label["period_end"] if scope == "current" else ""
    quote = item.get("quote") or line_at(text, item["span"][0])
    return Fact(name=name, value=value, unit=unit, period=period, scope=scope, quote=quote)


def line_at(text: str, at: int) -> str:
    """The line, or the sentence of a long one, that a place is in; at most 400 characters."""
    start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    line = text[start : end if end >= 0 else len(text)]
    if len(line) <= 400:
        return " ".join(line.split())
    place = at - start
    first = max((found.end() for found in re.finditer(r"[.;] ", line) if found.end() <= place), default=0)
    return line[first : first + 400].strip()


def planted(case: Case, kind: str, seed: int) -> Fact | None:
    """One fact of the case with an error of this kind; None where none can have it."""
    rng = random.Random(f"{kind}/{seed}")
    facts = [fact for fact in case.facts if isinstance(fact.value, Decimal) and fact.value]
    rng.shuffle(facts)
    for fact in facts:
        wrong = _MAKERS[kind](fact, facts, rng)
        if wrong is not None and wrong != fact:
            return wrong.model_copy(update={"verified": False})
    return None


def _digit(fact: Fact, facts: Sequence[Fact], rng: random.Random) -> Fact:
    shown = list(f"{fact.value:f}")
    places = [at for at, digit in enumerate(shown) if digit in "123456789"]
    at = rng.choice(places)
    shown[at] = rng.choice([digit for digit in "123456789" if digit != shown[at]])
    return fact.model_copy(update={"value": Decimal("".join(shown))})


def _unit(fact: Fact, facts: Sequence[Fact], rng: random.Random) -> Fact:
    return fact.model_copy(update={"unit": rng.choice([unit for unit in _UNITS if unit != fact.unit])})


_UNITS = ("USD", "USD/share", "shares", "%", "EUR")


def _scale(fact: Fact, facts: Sequence[Fact], rng: random.Random) -> Fact:
    assert isinstance(fact.value, Decimal)
    value = Decimal(f"{fact.value.scaleb(rng.choice((3, -3, 6, -6, 1))):f}")
    return fact.model_copy(update={"value": value})


def _period(fact: Fact, facts: Sequence[Fact], rng: random.Random) -> Fact | None:
    """Another year, or the other scope, whose quote shows both."""
    if fact.scope in ("current", "prior") and rng.random() < 0.5:
        return fact.model_copy(update={"scope": "prior" if fact.scope == "current" else "current"})
    year = re.match(r"(?:19|20)\d\d", fact.period)
    if year is None:
        return None
    other = int(year.group()) + rng.choice((-3, -2, 2, 3))
    return fact.model_copy(update={"period": f"{other}{fact.period[4:]}"})


def _sign(fact: Fact, facts: Sequence[Fact], rng: random.Random) -> Fact | None:
    assert isinstance(fact.value, Decimal)
    if not fact.name.startswith(_SIGNED):
        return None
    return fact.model_copy(update={"value": -fact.value})


def _elsewhere(fact: Fact, facts: Sequence[Fact], rng: random.Random) -> Fact | None:
    """Another figure's number and quote under this one's name."""
    others = [
        other
        for other in facts
        if other.name.split("_")[0] != fact.name.split("_")[0]
        and other.unit == fact.unit
        and other.value != fact.value
        and other.scope == fact.scope
    ]
    if not others:
        return None
    other = rng.choice(others)
    return fact.model_copy(update={"value": other.value, "quote": other.quote})


_MAKERS = {
    "digit": _digit,
    "unit": _unit,
    "scale": _scale,
    "period": _period,
    "sign": _sign,
    "elsewhere": _elsewhere,
}
