"""How urgent a filing is by its form, items and watchlist alone: no network, no text, under a millisecond.

The figures stand in `data/prescore.toml`; start with `prescore`. `keywords` finds the table's words in a text.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from catalyst.sentiment.words import Phrases, words
from catalyst.stream.types import Priority

KEYWORD_BYTES = 100_000
"""How much of a text `keywords` reads."""

_FORM_LENGTH = 40
_SPACES = re.compile(r"\s+")
_SCHEDULE = re.compile(r"^SCHEDULE ")
_ITEM = re.compile(r"(?:ITEM )?0?(\d{1,2})(?:\.(\d{1,2}))?$")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: a form or an 8-K item."""

    code: str
    """`2.02` or `424B5`."""
    name: str
    event: str
    urgency: float
    impact: float
    lean: float = 0.0
    """Which way such news usually points, -1 to 1; no part of the score."""


@dataclass(frozen=True, slots=True)
class Score:
    """What `prescore` found. `rules` says in words what made the score."""

    priority_score: float
    tier: Priority
    urgency: float
    impact: float
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Keyword:
    """One of the table's words, found in a text."""

    word: str
    category: str
    weight: float
    lean: float


@dataclass(frozen=True, slots=True)
class _Table:
    weights: Mapping[str, float]
    tiers: tuple[tuple[Priority, float], ...]
    amendment: Mapping[str, float]
    unknown: Row
    items: Mapping[str, Row]
    old_items: Mapping[str, str]
    forms: Mapping[str, Row]
    phrases: Phrases[Keyword]


def prescore(form: str, items: Sequence[str] = (), watched: bool = False) -> Score:
    """Score a filing: min(1, .5 urgency + .5 impact + .2 if watched); several items count by their highest figures."""
    table = _table()
    found = rows(form, items)
    urgent = max(found, key=lambda row: row.urgency)
    weighty = max(found, key=lambda row: row.impact)
    weights = table.weights
    bonus = weights["watched"] if watched else 0.0
    total = weights["urgency"] * urgent.urgency + weights["impact"] * weighty.impact + bonus
    score = round(min(1.0, total), 4)
    return Score(score, tier(score), urgent.urgency, weighty.impact, _reasons(form, urgent, weighty, bonus))


def rows(form: str, items: Sequence[str] = ()) -> tuple[Row, ...]:
    """The rows a filing stands on: its known 8-K items in their order, else its form; never empty."""
    form = normal_form(form)
    table = _table()
    found = [item_row(code) for code in items] if form.startswith("8-K") else []
    known = [row for row in found if row is not None]
    if not known:
        return (_form_row(form),)
    if form.endswith("/A"):
        known = [_amended(row, table) for row in known]
    return tuple(known)


def item_row(code: str) -> Row | None:
    """The table's row of an 8-K item (`2.02`, `Item 2.02`, or `12` as numbered before 2004), or None."""
    match = _ITEM.match(_SPACES.sub(" ", code.strip().upper().removesuffix(".")))
    if match is None:
        return None
    table = _table()
    section, number = match.groups()
    if number is None:
        return table.items.get(table.old_items.get(section, ""))
    return table.items.get(f"{int(section)}.{int(number):02d}")


def lead_item(items: Sequence[str]) -> str:
    """The most urgent of a filing's items as its feed row writes it, or an empty string."""
    scored = [(row.urgency + row.impact, code) for code in items if (row := item_row(code)) is not None]
    return max(scored, key=lambda pair: pair[0])[1] if scored else (items[0] if items else "")


def tier(score: float) -> Priority:
    """The tier of a priority score: high from .8, medium from .6, low from .4."""
    for name, floor in _table().tiers:
        if score >= floor:
            return name
    return "none"


def normal_form(form: str) -> str:
    """One spelling of a form's name: upper case, single spaces, `SC 13D` for `SCHEDULE 13D`."""
    return _SCHEDULE.sub("SC ", _SPACES.sub(" ", form[:_FORM_LENGTH].strip().upper()))


def keywords(text: str) -> tuple[Keyword, ...]:
    """The table's keywords in a text's first `KEYWORD_BYTES` characters: whole words, each once, weightiest first."""
    found: dict[str, Keyword] = {}
    tokens = words(text[:KEYWORD_BYTES])
    for start, length, keyword in _table().phrases.find(tokens):
        shown = " ".join(tokens[start : start + length])
        found.setdefault(shown, Keyword(shown, keyword.category, keyword.weight, keyword.lean))
    return tuple(sorted(found.values(), key=lambda keyword: -keyword.weight))


def _form_row(form: str) -> Row:
    table = _table()
    row = table.forms.get(form)
    if row is not None:
        return row
    base, amended, _ = form.partition("/A")
    known = table.forms.get(base, Row(form, table.unknown.name, table.unknown.event, *_figures(table.unknown)))
    return _amended(known, table) if amended else known


def _figures(row: Row) -> tuple[float, float, float]:
    return row.urgency, row.impact, row.lean


def _amended(row: Row, table: _Table) -> Row:
    urgency, impact = (round(a * b, 4) for a, b in zip(_figures(row), table.amendment.values(), strict=False))
    return Row(row.code, f"{row.name}, amended", row.event, urgency, impact, row.lean)


def _reasons(form: str, urgent: Row, weighty: Row, bonus: float) -> tuple[str, ...]:
    reasons = [f"{_shown(form, urgent)}: urgency {urgent.urgency:g}"]
    if weighty is urgent:
        reasons[0] += f", impact {weighty.impact:g}"
    else:
        reasons.append(f"{_shown(form, weighty)}: impact {weighty.impact:g}")
    if bonus:
        reasons.append(f"on a watchlist: +{bonus:g}")
    return tuple(reasons)


def _shown(form: str, row: Row) -> str:
    form = normal_form(form)
    where = f"{form} item {row.code}" if "." in row.code else f"Form {form}"
    return f"{where} ({row.name})"


@functools.cache
def _table() -> _Table:
    """The table, read once at first use."""
    data = tomllib.loads((files(__package__) / "data" / "prescore.toml").read_text("utf-8"))
    tiers: list[tuple[Priority, float]] = [(name, data["tiers"][name]) for name in ("high", "medium", "low")]
    factors = data["amendment"]
    return _Table(
        weights=data["weights"],
        tiers=tuple(tiers),
        amendment={"urgency": factors["urgency"], "impact": factors["impact"]},
        unknown=_row("", data["unknown"]),
        items={code: _row(code, row) for code, row in data["items"].items()},
        old_items=data["old_items"],
        forms={code: _row(code, row) for code, row in data["forms"].items()},
        phrases=Phrases(_keyword_phrases(data["keywords"])),
    )


def _row(code: str, data: Mapping[str, Any]) -> Row:
    return Row(code, data["name"], data["event"], data["urgency"], data["impact"], data.get("lean", 0.0))


def _keyword_phrases(categories: Mapping[str, Any]) -> dict[str, Keyword]:
    found: dict[str, Keyword] = {}
    for category, data in categories.items():
        for word in data["words"]:
            found[word] = Keyword(word, category, data["weight"], data.get("lean", 0.0))
    return found
