"""What a rule finds: a value, where it stands, and how much speaks for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """`value` in one written form (`2018-12-25`, `1234.50`); `score` 0 to 1 ranks, `why` says what spoke for it."""

    value: str
    start: int
    end: int
    score: float
    why: str = ""


def ranked(found: list[Candidate]) -> list[Candidate]:
    """The best first, each value once."""
    kept: dict[str, Candidate] = {}
    for candidate in sorted(found, key=lambda one: (-one.score, one.start)):
        kept.setdefault(candidate.value, candidate)
    return list(kept.values())
