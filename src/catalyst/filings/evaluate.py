"""How good analyses are against labels, what they cost, and how sure those figures are. Start with `scores`.

A labelled set is JSON lines: `{"file": "a.txt", "form": "8-K", "label": "bullish", "priority": "high", "facts":
[{"name": "revenue", "value": "1200000000", "scope": "current"}]}`; `accession` stands in for `file` where the text is
to be fetched. `label`, `priority` and `facts` may each be left out, and then are not judged. Facts are judged by the
names that the set labels for that filing: a verified fact of such a name with another value is wrong, one of another
name is not judged.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from catalyst.errors import UsageError
from catalyst.stream.types import Analysis, Label, Priority

Unit = TypeVar("Unit")
RESAMPLES = 1_000
_Z = 1.959964
"""Of a two-sided 95 % interval."""


class ExpectedFact(BaseModel):
    """One figure that a filing states; an empty scope fits any, `also` holds what is right under another reading."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    name: str = Field(min_length=1, max_length=60)
    value: str = Field(min_length=1, max_length=400)
    scope: str = ""
    also: tuple[str, ...] = ()


class Case(BaseModel):
    """One labelled filing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str = ""
    accession: str = ""
    form: str = ""
    label: Label | None = None
    priority: Priority | None = None
    facts: tuple[ExpectedFact, ...] = ()

    @property
    def name(self) -> str:
        return self.file or self.accession


@dataclass(frozen=True, slots=True)
class Result:
    """One filing's analysis under one arm. Money in dollars, latency in milliseconds of the model's answer."""

    case: Case
    analysis: Analysis
    cost_usd: Decimal = Decimal(0)
    latency_ms: float = 0.0
    tokens_input: int = 0
    tokens_left_out: int = 0
    model: str = ""
    fault: str = ""
    """Why the rules' analysis stands in for the model's; empty where it does not."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its 95 % interval; None where nothing was judged."""

    value: float | None
    low: float | None
    high: float | None
    count: int

    def as_dict(self) -> dict[str, Any]:
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.count}


def read_case(line: str, number: int) -> Case:
    """A line of a set. Raises UsageError that names the line."""
    try:
        case = Case.model_validate_json(line)
    except ValidationError as error:
        raise UsageError(f"line {number} of the set is not a labelled filing: {_first(error)}") from error
    if not case.name:
        raise UsageError(f'line {number} of the set names no filing: give "file" or "accession"')
    return case


def _first(error: ValidationError) -> str:
    told = error.errors()[0]
    return f"{'.'.join(map(str, told['loc']))}: {told['msg']}" if told["loc"] else told["msg"]


def scores(results: Sequence[Result], seed: int = 0) -> dict[str, Any]:
    """The figures of one arm. Label and priority have Wilson intervals, the rest resamples whole filings."""
    labelled = [one for one in results if one.case.label is not None]
    ranked = [one for one in results if one.case.priority is not None]
    counts = [counted(one) for one in results]
    answered = [one for one in results if not one.fault]
    return {
        "filings": len(results),
        "answered": len(answered),
        "label_accuracy": wilson(
            sum(one.analysis.label == one.case.label for one in labelled), len(labelled)
        ).as_dict(),
        "priority_accuracy": wilson(
            sum(one.analysis.priority == one.case.priority for one in ranked), len(ranked)
        ).as_dict(),
        "fact_precision": resampled(counts, _precision, seed).as_dict(),
        "fact_recall": resampled(counts, _recall, seed).as_dict(),
        "usd_per_filing": resampled([float(one.cost_usd) for one in results], _mean, seed).as_dict(),
        "usd_total": str(sum((one.cost_usd for one in results), Decimal(0))),
        "usd_max": str(max((one.cost_usd for one in results), default=Decimal(0))),
        "latency_p50_ms": _percentile([one.latency_ms for one in answered], 0.5),
        "latency_p95_ms": _percentile([one.latency_ms for one in answered], 0.95),
        "tokens_input": sum(one.tokens_input for one in results),
        "tokens_left_out": sum(one.tokens_left_out for one in results),
        "models": _by_model(results),
    }


def difference(ours: Sequence[Result], theirs: Sequence[Result], seed: int = 0) -> dict[str, Any]:
    """What one arm does better than another on the same filings, each pair resampled together."""
    pairs = list(zip(ours, theirs, strict=True))
    labelled = [
        float(a.analysis.label == a.case.label) - float(b.analysis.label == b.case.label)
        for a, b in pairs
        if a.case.label is not None
    ]
    both = [(counted(a), counted(b)) for a, b in pairs]
    return {
        "label_accuracy": resampled(labelled, _mean, seed).as_dict(),
        "fact_precision": resampled(both, lambda some: _gap(some, _precision), seed).as_dict(),
        "fact_recall": resampled(both, lambda some: _gap(some, _recall), seed).as_dict(),
        "usd_per_filing": resampled([float(a.cost_usd - b.cost_usd) for a, b in pairs], _mean, seed).as_dict(),
        "latency_ms": resampled([a.latency_ms - b.latency_ms for a, b in pairs], _mean, seed).as_dict(),
    }


def counted(result: Result) -> tuple[int, int, int]:
    """Right, wrong and missed facts of one filing."""
    expected = result.case.facts
    named = {(fact.name, fact.scope) for fact in expected} | {(fact.name, "") for fact in expected if not fact.scope}
    right = wrong = 0
    met: set[int] = set()
    for fact in result.analysis.facts:
        scope = fact.scope if (fact.name, fact.scope) in named else ""
        if not fact.verified or (fact.name, scope) not in named:
            continue
        hits = [
            place
            for place, one in enumerate(expected)
            if one.name == fact.name
            and one.scope in ("", fact.scope)
            and any(_equal(value, fact.value) for value in (one.value, *one.also))
        ]
        met |= set(hits)
        right, wrong = right + bool(hits), wrong + (not hits)
    return right, wrong, len(expected) - len(met)


def wilson(right: int, count: int) -> Share:
    """A share with Wilson's interval."""
    if not count:
        return Share(None, None, None, 0)
    share, z2 = right / count, _Z * _Z
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = _Z * math.sqrt(share * (1 - share) / count + z2 / (4 * count * count)) / (1 + z2 / count)
    return Share(round(share, 4), round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4), count)


def resampled(units: Sequence[Unit], of: Callable[[Sequence[Unit]], float | None], seed: int) -> Share:
    """A figure of some filings with its interval by the bootstrap: filings drawn again with replacement, seeded."""
    value = of(units)
    if value is None:
        return Share(None, None, None, len(units))
    rng = random.Random(seed)
    drawn = sorted(again for _ in range(RESAMPLES) if (again := of(rng.choices(units, k=len(units)))) is not None)
    low, high = drawn[int(0.025 * len(drawn))], drawn[min(len(drawn) - 1, int(0.975 * len(drawn)))]
    return Share(round(value, 6), round(low, 6), round(high, 6), len(units))


def _equal(expected: str, value: Decimal | str) -> bool:
    if isinstance(value, Decimal):
        try:
            return Decimal(expected.replace(",", "")) == value
        except InvalidOperation:
            return False
    return " ".join(expected.lower().split()) == " ".join(value.lower().split())


def _precision(counts: Sequence[tuple[int, int, int]]) -> float | None:
    right, wrong = sum(one[0] for one in counts), sum(one[1] for one in counts)
    return right / (right + wrong) if right + wrong else None


def _recall(counts: Sequence[tuple[int, int, int]]) -> float | None:
    right, missed = sum(one[0] for one in counts), sum(one[2] for one in counts)
    return right / (right + missed) if right + missed else None


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _gap(
    pairs: Sequence[tuple[tuple[int, int, int], tuple[int, int, int]]],
    of: Callable[[Sequence[tuple[int, int, int]]], float | None],
) -> float | None:
    ours, theirs = of([a for a, _ in pairs]), of([b for _, b in pairs])
    return None if ours is None or theirs is None else ours - theirs


def _percentile(values: Sequence[float], share: float) -> float | None:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)], 1) if ordered else None


def _by_model(results: Sequence[Result]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for one in results:
        name = one.model or "rules"
        found[name] = found.get(name, 0) + 1
    return found
