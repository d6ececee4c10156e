"""Recognised text with boxes as rows: what stands side by side on the page stands in one line again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CELL = " | "


@dataclass(frozen=True, slots=True)
class Box:
    """A piece of text and the page's rectangle it fills; y grows downward."""

    left: float
    top: float
    right: float
    bottom: float
    text: str

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


def rows(boxes: Iterable[Box]) -> str:
    """The boxes as lines, top to bottom; cells of one row, left to right, between ` | `."""
    lines: list[list[Box]] = []
    for box in sorted(boxes, key=lambda box: box.middle):
        if lines and _beside(lines[-1], box):
            lines[-1].append(box)
        else:
            lines.append([box])
    return "\n".join(CELL.join(box.text for box in sorted(line, key=lambda box: box.left)) for line in lines)


def _beside(line: list[Box], box: Box) -> bool:
    """Whether a box stands in a line: its middle within the line's height, and no box of it in its way."""
    last = line[-1]
    height = min(last.bottom - last.top, box.bottom - box.top)
    if box.middle - sum(one.middle for one in line) / len(line) > height * 0.5:
        return False
    return all(box.left >= one.right - 2 or box.right <= one.left + 2 for one in line)
