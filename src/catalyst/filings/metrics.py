"""What figures are called: the mentions of known figures in a text, and which figure a fact's name means.

The list is `data/metrics.toml`. Start with `mentions`.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files

RATIOS = frozenset(("growth", "change", "margin", "pct", "percent", "rate", "yield", "increase", "decrease", "decline"))
"""Words of a name that make it a share or a change of what the rest names."""
_EPS = frozenset(("eps", "eps_diluted", "eps_basic", "basic_and_diluted", "eps_adjusted"))
_SAME = {
    "eps_diluted": frozenset(("eps_diluted", "eps", "basic_and_diluted")),
    "eps_basic": frozenset(("eps_basic", "eps", "basic_and_diluted")),
    "eps": _EPS - {"eps_adjusted"},
    "eps_adjusted": frozenset(("eps_adjusted",)),
}
"""Which mentions support an EPS: text says "per share" for either kind."""
_DRESSING = frozenset(
    (
        "guidance",
        "low",
        "high",
        "mid",
        "total",
        "prior",
        "current",
        "quarterly",
        "annual",
        "fy",
        "full",
        "year",
        "gaap",
        "growth",
        "change",
    )
)


@dataclass(frozen=True, slots=True)
class Metric:
    """One kind of figure."""

    name: str
    unit: str
    """money, per_share, shares, percent or any."""
    signed: bool


@dataclass(frozen=True, slots=True)
class Mention:
    """A figure's name in a text."""

    start: int
    end: int
    metric: Metric


def mentions(text: str) -> Iterator[Mention]:
    """The figures a lower-case text names, longest names first at each place."""
    pattern, known = _metrics()
    for found in pattern.finditer(text):
        yield Mention(found.start(), found.end(), known[found.group()])


def metric_of(name: str) -> Metric | None:
    """The figure that a fact's name means (`guidance_revenue_low` is revenue), or None where it is not a known one."""
    _, known = _metrics()
    by_name = {metric.name: metric for metric in known.values()}
    words = tuple(word for word in name.lower().split("_") if word)
    if name in by_name:
        return by_name[name]
    core = tuple(word for word in words if word not in _DRESSING)
    spoken = " ".join(core)
    if "_".join(core) in by_name:
        return by_name["_".join(core)]
    if spoken in known:
        return known[spoken]
    adjusted = [word for word in core if word in ("adjusted", "non", "core")]
    rest = "_".join(word for word in core if word not in ("adjusted", "non", "core"))
    return by_name.get(f"{rest}_adjusted") if adjusted else None


def supports(metric: Metric, mentioned: Metric) -> bool:
    """Whether a text's mention of a figure can be the one a fact names."""
    return mentioned.name in _SAME.get(metric.name, frozenset((metric.name,)))


@functools.cache
def _metrics() -> tuple[re.Pattern[str], Mapping[str, Metric]]:
    """The list, read once at first use."""
    data = tomllib.loads((files(__package__) / "data" / "metrics.toml").read_text("utf-8"))
    known = {
        word: Metric(name, row["unit"], row.get("signed", False)) for name, row in data.items() for word in row["words"]
    }
    longest = sorted(known, key=lambda word: -len(word))
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, longest)) + r")(?!\w)"), known
