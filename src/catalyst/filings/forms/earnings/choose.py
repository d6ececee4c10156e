"""One figure of each name, basis and scope out of all that the tables show. Start with `chosen`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from catalyst.filings.forms.earnings.tables import Found

Key = tuple[str, str, str]
_STATEMENT = frozenset(("revenue", "net_income", "operating_income", "eps_basic", "eps_diluted"))
_ANCHORS = frozenset(("revenue", "net_income", "operating_income", "eps_diluted"))


def chosen(found: Sequence[Found]) -> list[Found]:
    """The statement's figures; then those of tables that share a figure with it; then what all others agree on."""
    statement = _statement(found)
    own = [item for item in found if item.block == statement]
    anchored = _anchored(found, own)
    by_key: dict[Key, list[Found]] = defaultdict(list)
    for item in found:
        by_key[item.name, item.basis, item.scope].append(item)
    picked = (_pick(items, statement, anchored) for items in by_key.values())
    return [item for item in picked if item is not None]


def _statement(found: Sequence[Found]) -> int:
    names: dict[int, set[str]] = defaultdict(set)
    for item in found:
        if item.basis == "gaap" and item.scope == "current" and item.name in _STATEMENT:
            names[item.block].add(item.name)
    return max(names, key=lambda block: (len(names[block]), -block), default=-1)


def _anchored(found: Sequence[Found], own: Sequence[Found]) -> set[int]:
    """Tables that show a figure of the statement, so that they are about the whole company too."""
    known = {
        (item.name, item.value) for item in own if item.scope == "current" and item.name in _ANCHORS and item.value
    }
    return {item.block for item in found if item.scope == "current" and (item.name, item.value) in known}


def _pick(items: list[Found], statement: int, anchored: set[int]) -> Found | None:
    mine = [item for item in items if item.block == statement]
    if mine:
        return _first(mine)
    trusted = [item for item in items if item.block in anchored]
    return _agreed(trusted) if trusted else _agreed(items)


def _first(items: list[Found]) -> Found:
    """One table's figure; a reconciliation ends with its result."""
    best = min(item.rank for item in items)
    rivals = [item for item in items if item.rank == best]
    return rivals[-1] if rivals[0].basis == "non_gaap" else rivals[0]


def _agreed(items: list[Found]) -> Found | None:
    """The most exact of figures that say the same; None where they differ."""
    best = min(item.rank for item in items)
    blocks: dict[int, list[Found]] = defaultdict(list)
    for item in items:
        blocks[item.block].append(item)
    rivals = [found for group in blocks.values() if (found := _first(group)).rank == best]
    exact = min(rivals, key=lambda item: item.step)
    return exact if all(abs(item.value - exact.value) <= item.step for item in rivals) else None
