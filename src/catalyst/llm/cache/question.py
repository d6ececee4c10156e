"""What a question asks, as the cache sees it: `Question`, its `Slots`, and the `Verdict` over two of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

VerdictKind = Literal["serve", "verify", "refuse"]


@dataclass(frozen=True, slots=True)
class Slots:
    """What must be equal in two questions, each in the order of the text; all in canonical spelling."""

    kind: str = ""
    """What sort of answer is asked for: `value`, `yes/no`, `who`, `when`, `why`, `how`, `count`, `summary` …"""
    entities: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    qualifiers: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()
    negations: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()
    """Words that order or bound: `before`, `by`, `to`, `more than`, `and`, `or` …"""
    quoted: tuple[str, ...] = ()
    """Quoted strings, as written."""
    tags: tuple[str, ...] = ()
    """Tickers that a headline gives a company which no list knows; one may lack what the other has."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question, read. Equal `canonical` texts ask the same: it is hashed for L1, and `spoken` embedded for L2."""

    text: str
    """As it was asked."""
    canonical: str = ""
    slots: Slots = field(default_factory=Slots)
    words: tuple[str, ...] = ()
    """Content words that are in no slot, in the order of the text, each as its reviewed synonym's first form."""
    fixed_order: bool = True
    """Whether the order of the words may carry meaning that the slots don't hold."""
    why_bypass: str = ""
    """Why no answer may be taken from or kept under this question's meaning; empty when it may."""

    @property
    def spoken(self) -> str:
        """What is embedded: the canonical terms as a phrase, without marks and tags, which a vector cannot weigh."""
        terms = (term.lstrip("~$") for term in self.canonical.split(" | ") if term not in ("~q", *self.slots.tags))
        return " ".join(terms)

    @property
    def bypass(self) -> bool:
        """Whether only the exact text (L0) may match."""
        return bool(self.why_bypass)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`serve`: the same question. `verify`: only a comparison of answers can tell (L3). `refuse`: another question."""

    kind: VerdictKind
    reason: str
    """In words: the slot that differs with both values, or the words that nothing matches."""
    slot: str = ""
    """The name of the slot that differs, or `words`, `order`, `bypass`; empty for `serve`."""
