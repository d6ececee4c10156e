"""Which units of a text are kept: the most facts for each token, and never fewer facts than a floor.

Start with `compress`.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from catalyst.llm.compress.facts import GUIDANCE, NUMBER, TELLING, count_tokens, names, numbers
from catalyst.llm.compress.units import LINE, ROW, Unit, units

KEEP = 0.33
"""Share of the tokens that whole sentences and rows may take; fragments for the floors come on top."""
NUMBERS_FLOOR = 0.985
ENTITIES_FLOOR = 0.95
"""Shares of a text's distinct numbers and names that are kept, whatever that costs in tokens."""

NUMBER_POINTS, NAME_POINTS, WORD_POINTS = 1.0, 0.6, 0.5
PLACE_POINTS = 2.0
"""For the first unit of a text, falling towards its end: news stands first."""
DULL = 0.02
"""What boilerplate's words are worth beside others'; its facts count for the floor alone."""

BEFORE, AFTER = 28, 30
"""Characters around a fact that a fragment keeps, out to whole words."""
GAP = " … "
WHOLE = 0.7
"""A sentence of whose letters more than this share would be kept is kept whole."""

_Spans = tuple[tuple[int, int], ...] | None
"""Which stretches of a unit are kept; None means all of it."""


@dataclass(frozen=True, slots=True)
class Compressed:
    """A shortened text, and what shortening it cost. Shares are of distinct numbers and names, 0 to 1."""

    text: str
    tokens_before: int
    tokens_after: int
    numbers_kept: float
    entities_kept: float
    relaxed: bool
    """Whether more was kept than aimed at, for the floor's sake."""
    dropped: Mapping[str, int]
    """Tokens left out, by kind: boilerplate, repeats, sentence, row, line."""

    @property
    def reduction(self) -> float:
        return 1 - self.tokens_after / self.tokens_before if self.tokens_before else 0.0


@dataclass(slots=True)
class _Item:
    place: int
    unit: Unit
    tokens: int
    numbers: frozenset[str]
    names: frozenset[str]
    own: float
    """Points beside the facts."""


def compress(
    text: str, *, keep: float = KEEP, numbers_floor: float = NUMBERS_FLOOR, entities_floor: float = ENTITIES_FLOOR
) -> Compressed:
    """Shorten `text` to about `keep` of its tokens, or less far where a floor would be broken."""
    before = count_tokens(text)
    items, repeated = _items(units(text))
    facts = _Facts(items)
    kept = _greedy(items, facts, int(before * keep))
    whole = set(kept)
    _relax(items, facts, kept, numbers_floor, entities_floor)
    shown = {place: _shown(items[place], spans) for place, spans in sorted(kept.items())}
    result = _joined((items[place].unit, piece) for place, piece in shown.items())
    after = sum(items[place].tokens if spans is None else count_tokens(shown[place]) for place, spans in kept.items())
    dropped = Counter({"repeats": repeated})
    for item in items:
        if item.place not in kept:
            dropped["boilerplate" if item.unit.boilerplate else item.unit.kind] += item.tokens
    dropped["around facts"] = sum(items[place].tokens - count_tokens(shown[place]) for place in kept.keys() - whole)
    dropped["layout"] = max(0, before - after - sum(dropped.values()))
    return Compressed(
        result,
        before,
        after,
        facts.share(facts.numbers, facts.numbers_left),
        facts.share(facts.names, facts.names_left),
        after > before * keep,
        {kind: count for kind, count in dropped.items() if count > 0},
    )


class _Facts:
    """The distinct facts of a text, and which of them are not kept yet."""

    def __init__(self, items: Iterable[_Item]) -> None:
        self.numbers: set[str] = set()
        self.names: set[str] = set()
        for item in items:
            self.numbers |= item.numbers
            self.names |= item.names
        self.numbers_left, self.names_left = set(self.numbers), set(self.names)

    def take(self, item: _Item) -> None:
        self.numbers_left -= item.numbers
        self.names_left -= item.names

    def gain(self, item: _Item) -> float:
        """New points for each token."""
        new = NUMBER_POINTS * len(item.numbers & self.numbers_left) + NAME_POINTS * len(item.names & self.names_left)
        return ((new * (DULL if item.unit.boilerplate else 1.0)) + item.own) / (item.tokens + 2)

    @staticmethod
    def share(known: set[str], left: set[str]) -> float:
        return 1 - len(left) / len(known) if known else 1.0


def _items(found: Sequence[Unit]) -> tuple[list[_Item], int]:
    """Units without repeats, weighed; and how many tokens the repeats were."""
    items: list[_Item] = []
    seen: set[str] = set()
    repeated = 0
    for unit in found:
        key = unit.text.lower().strip(" .,;:|")
        if key in seen:
            repeated += count_tokens(unit.text)
            continue
        seen.add(key)
        items.append(_item(len(items), unit, len(found)))
    return items, repeated


def _item(place: int, unit: Unit, count: int) -> _Item:
    words = set(unit.text.lower().split())
    own = WORD_POINTS * (len(words & GUIDANCE) + len(words & TELLING))
    if unit.kind != LINE:
        own += PLACE_POINTS / (1 + 20 * place / count)
    if unit.boilerplate:
        own *= DULL
    return _Item(place, unit, count_tokens(unit.text), frozenset(numbers(unit.text)), frozenset(names(unit.text)), own)


def _greedy(items: Sequence[_Item], facts: _Facts, budget: int) -> dict[int, _Spans]:
    """The units with most points for each token, until the budget is full (lazy greedy: points only ever fall)."""
    heap = [(-facts.gain(item), item.place) for item in items]
    heapq.heapify(heap)
    kept: dict[int, _Spans] = {}
    left = budget
    while heap and left > 0:
        place = heapq.heappop(heap)[1]
        item = items[place]
        now = -facts.gain(item)
        if heap and now > heap[0][0]:
            heapq.heappush(heap, (now, place))
            continue
        if place in kept or item.tokens > left:
            continue
        for number in (*_headers(items, place), place):
            if number not in kept:
                kept[number] = None
                left -= items[number].tokens
                facts.take(items[number])
    return kept


def _relax(
    items: Sequence[_Item], facts: _Facts, kept: dict[int, _Spans], numbers_floor: float, entities_floor: float
) -> None:
    """Take what else the floors need: of a sentence the words around the facts, of a table the row."""
    order = sorted(
        (item for item in items if item.place not in kept),
        key=lambda item: (item.unit.boilerplate, item.unit.kind == ROW),
    )
    for of, known, left, floor in (
        ("numbers", facts.numbers, facts.numbers_left, numbers_floor),
        ("names", facts.names, facts.names_left, entities_floor),
    ):
        spare = int(len(known) * (1 - floor))
        for item in order:
            if len(left) <= spare:
                break
            missing = (item.numbers if of == "numbers" else item.names) & left
            if not missing:
                continue
            spans = kept.get(item.place, ())
            if item.unit.kind == ROW or spans is None:
                kept[item.place] = None
                facts.take(item)
            else:
                kept[item.place] = (*spans, *_around(item.unit.text, missing))
                left -= missing


def _around(text: str, missing: Set[str]) -> Iterator[tuple[int, int]]:
    """Where the facts stand first, with the words around them."""
    for fact in missing:
        at = text.find(fact)
        if fact[0].isdigit():
            at = next(found.start() for found in NUMBER.finditer(text) if found.group() == fact)
        end = at + len(fact)
        first = text.find(" ", at - BEFORE, at) + 1 if at > BEFORE else 0
        last = text.rfind(" ", end, end + AFTER) if end + AFTER < len(text) else len(text)
        yield first or at, max(last, end)


def _shown(item: _Item, spans: _Spans) -> str:
    """A unit whole, or its fragments with a mark where words are left out."""
    text = item.unit.text
    if spans is None:
        return text
    merged: list[list[int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1] + len(GAP):
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    if sum(end - start for start, end in merged) > len(text) * WHOLE:
        return text
    pieces = GAP.join(text[start:end].strip() for start, end in merged)
    return f"{'… ' if merged[0][0] > 0 else ''}{pieces}{' …' if merged[-1][1] < len(text) else ''}"


def _headers(items: Sequence[_Item], place: int) -> Sequence[int]:
    """The heading rows above a table's row that is kept: without them its columns mean nothing."""
    if items[place].unit.kind != ROW:
        return []
    top = place
    while top > 0 and items[top - 1].unit.kind == ROW:
        top -= 1
    return range(top, min(top + 2, place))


def _joined(kept: Iterable[tuple[Unit, str]]) -> str:
    lines: list[str] = []
    last = -1
    for unit, text in kept:
        if unit.paragraph == last:
            lines[-1] += " " + text
        else:
            lines.append(text)
        last = unit.paragraph
    return "\n".join(lines)
