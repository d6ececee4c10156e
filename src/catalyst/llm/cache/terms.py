"""A piece of a question: `Term`. What `scan` finds, what `Reader` recognises, and what a canonical text is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Sort = Literal[
    "entity",
    "metric",
    "qualifier",
    "direction",
    "verb",
    "noun",
    "period",
    "number",
    "quoted",
    "marker",
    "tag",
    "relation",
    "negation",
    "word",
    "possessive",
    "bar",
]

WORDS: frozenset[Sort] = frozenset(("word", "verb", "noun"))
ACTIONS: frozenset[Sort] = frozenset(("verb", "direction"))
"""What may be the verb of a sentence."""


@dataclass(frozen=True, slots=True)
class Term:
    """One piece; `text` is its canonical spelling, which reads as itself again."""

    sort: Sort
    text: str
    raw: str = ""
    """As written (of one word)."""
    topic: bool = False
    past: bool = False
    at: int = 0
    """Where it began in the text."""
