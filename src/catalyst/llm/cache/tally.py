"""What the cache did since the start, for `get_stats` and Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from catalyst.llm.cache.trust import false_hits

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

Level = Literal["exact", "canonical", "near", "verified"]
"""L0 to L3: the same bytes; the same canonical text; nearest and guarded; nearest and proven."""

LEVELS: tuple[Level, ...] = ("exact", "canonical", "near", "verified")
AUDITED = LEVELS[1:]


class Tally:
    """Counts; `audits` holds what comparisons of served answers said, durable ones of the store included."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.hits: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.saved = 0
        self.audits: Counter[str] = Counter()
        if registry is not None:
            _export(self, registry)

    def hit(self, level: Level, saved: int) -> None:
        self.hits[level] += 1
        self.saved += saved

    def count(self, event: str) -> None:
        """`miss`, `kept`, `unkept`, `waited`, `error`, `stale`, `refreshed`, `bypassed`."""
        self.events[event] += 1

    def load(self, figures: Mapping[str, int]) -> None:
        """The store's counts of pairs, which outlive this process."""
        self.audits = audits_of(figures)

    def shown(self) -> dict[str, Any]:
        return {
            "hits": {level: self.hits[level] for level in LEVELS},
            "misses": self.events["miss"],
            "hit_rate": _share(sum(self.hits.values()), self.events["miss"]),
            "saved_usd": Decimal(self.saved) / 10**9,
            **{name: self.events[name] for name in ("kept", "unkept", "bypassed", "stale", "error")},
            "audits": measured(self.audits),
        }


def audits_of(figures: Mapping[str, int]) -> Counter[str]:
    """`agreed`, `disagreed`, `unclear` over the levels that are served by meaning."""
    found: Counter[str] = Counter()
    for outcome in ("agreed", "disagreed", "unclear"):
        found[outcome] = sum(figures.get(f"{level}.{outcome}", 0) for level in AUDITED)
    return found


def measured(audits: Mapping[str, int]) -> dict[str, Any]:
    """The false-hit rate of answers served by meaning, with its 95 % interval; null before the first audit."""
    wrong, judged = audits.get("disagreed", 0), audits.get("disagreed", 0) + audits.get("agreed", 0)
    found: dict[str, Any] = {"judged": judged, "wrong": wrong, "unclear": audits.get("unclear", 0)}
    if not judged:
        return found | {"false_hit_rate": None, "interval": None}
    share, low, high = false_hits(wrong, judged)
    return found | {"false_hit_rate": round(share, 6), "interval": [round(low, 6), round(high, 6)]}


def _share(hits: int, misses: int) -> float | None:
    return round(hits / (hits + misses), 4) if hits + misses else None


def _export(tally: Tally, registry: CollectorRegistry) -> None:
    """Gauges that are read when they are scraped, so that they cost a request nothing."""
    from prometheus_client import Gauge

    levels = Gauge("catalyst_llm_cache_level_hits", "Answers from the cache by level", ("level",), registry=registry)
    for level in LEVELS:
        levels.labels(level).set_function(lambda level=level: tally.hits[level])  # type: ignore[misc]
    events = Gauge("catalyst_llm_cache_events", "What else the cache did", ("event",), registry=registry)
    for event in ("miss", "kept", "unkept", "waited", "error", "stale", "bypassed"):
        events.labels(event).set_function(lambda event=event: tally.events[event])  # type: ignore[misc]
    saved = Gauge("catalyst_llm_cache_saved_usd", "Money that hits did not cost", registry=registry)
    saved.set_function(lambda: tally.saved / 1e9)
    audits = Gauge("catalyst_llm_cache_audits", "Audited hits by outcome", ("outcome",), registry=registry)
    for outcome in ("agreed", "disagreed", "unclear"):
        audits.labels(outcome).set_function(lambda outcome=outcome: tally.audits[outcome])  # type: ignore[misc]
    rate = Gauge("catalyst_llm_cache_false_hit_rate", "Audited hits that were wrong", ("bound",), registry=registry)
    for place, bound in enumerate(("low", "high")):
        rate.labels(bound).set_function(lambda place=place: _bound(tally, place))  # type: ignore[misc]
    rate.labels("measured").set_function(lambda: measured(tally.audits)["false_hit_rate"] or 0.0)


def _bound(tally: Tally, place: int) -> float:
    found = measured(tally.audits)["interval"]
    return float(found[place]) if found else float(place)
