"""Whether two questions ask the same: `compare`. A vector's distance has no say here; it only finds the candidate."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields

from catalyst.llm.cache.lexicon import load
from catalyst.llm.cache.question import Question, Slots, Verdict

_NAMES = tuple(field.name for field in fields(Slots))


def compare(asked: Question, kept: Question) -> Verdict:
    """Serve only what is proven the same; `Verdict.reason` says what isn't.

    Equal canonical texts are one question. Else every slot must be equal, in order, and then every word must find its
    like: where only words are left without one, a comparison of the answers may tell (`verify`).
    """
    for question in (asked, kept):
        if question.bypass:
            return Verdict("refuse", question.why_bypass, "bypass")
    if asked.canonical == kept.canonical:
        return Verdict("serve", "the same canonical question")
    return _slots(asked, kept) or _words(asked, kept)


def _slots(asked: Question, kept: Question) -> Verdict | None:
    for name in _NAMES:
        left, right = getattr(asked.slots, name), getattr(kept.slots, name)
        if left == right:
            continue
        if name == "tags" and not (left and right):
            continue
        if name == "metrics" and _may_be_words(left, right, asked, kept):
            continue
        return Verdict("refuse", f"{name} differ: {_shown(left)} against {_shown(right)}", name)
    return None


def _may_be_words(left: tuple[str, ...], right: tuple[str, ...], asked: Question, kept: Question) -> bool:
    """Whether one names a figure for which the other may have its own words."""
    if left and right:
        return False
    return bool(asked.words if right else kept.words)


def _words(asked: Question, kept: Question) -> Verdict:
    left, right = Counter(asked.words), Counter(kept.words)
    only_left, only_right = sorted((left - right).elements()), sorted((right - left).elements())
    if asked.slots.metrics != kept.slots.metrics:
        only_left, only_right = [*only_left, *asked.slots.metrics], [*only_right, *kept.slots.metrics]
    antonyms = load().antonyms
    for a in only_left:
        for b in only_right:
            if frozenset((a, b)) in antonyms:
                return Verdict("refuse", f"{a} is the opposite of {b}", "words")
    if only_left or only_right:
        return Verdict("verify", f"nothing matches {_shown((*only_left, *only_right))}", "words")
    if _pieces(asked) == _pieces(kept):
        return Verdict("serve", "the same headline, of which only one names the ticker")
    if asked.fixed_order or kept.fixed_order:
        return Verdict("refuse", "the same words in another order", "order")
    return Verdict("serve", "the same words, in an order that carries no meaning")


def _pieces(question: Question) -> list[str]:
    """The canonical text without tags."""
    return [piece for piece in question.canonical.split(" | ") if piece not in question.slots.tags]


def _shown(values: str | tuple[str, ...]) -> str:
    return values or "none" if isinstance(values, str) else ", ".join(values) or "none"
