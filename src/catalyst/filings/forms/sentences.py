"""A text's sentences, word for word; abbreviations end none. Start with `sentences`."""

from __future__ import annotations

import re
from collections.abc import Iterator

_BREAK = re.compile(r"(?<=[.!?])[\"'”’)]{0,2}\s+(?=[\"'“(]?[A-Z0-9])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Inc|Corp|Co|Ltd|No|Nos|Mr|Mrs|Ms|Dr|Jr|Sr|St|vs|approx|Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|Dec|"
    r"Rule|Sec|Art)"
    r"|\b[A-Z](?:\.[A-Z])*|\bet al|\be\.g|\bi\.e|\bL\.L\.C|\bN\.A|\bp\.m|\ba\.m)\.$"
)
_WRAPPED = 110
"""A text none of whose lines is longer was broken at a column: its sentences run over line ends."""
_MOST = 100_000
_LONGEST = 2_500
"""Characters: what is longer is no sentence, and only its start is told."""


def split(paragraph: str) -> Iterator[str]:
    """The sentences of one paragraph."""
    start = 0
    for found in _BREAK.finditer(paragraph):
        if _ABBREVIATION.search(paragraph, max(start, found.start() - 12), found.start()):
            continue
        yield paragraph[start : found.end()].strip()
        start = found.end()
    if paragraph[start:].strip():
        yield paragraph[start:].strip()


def paragraphs(text: str) -> Iterator[str]:
    """Lines that are no table rows; where lines are broken at a column (`.txt` filings), blocks of them."""
    lines = text.split("\n")
    if max(map(len, lines)) > _WRAPPED:
        yield from (" ".join(line.split()) for line in lines if " | " not in line)
        return
    block: list[str] = []
    for line in (*lines, ""):
        if line.strip() and " | " not in line:
            block.append(line)
        elif block:
            yield " ".join(" ".join(block).split())
            block = []


def sentences(text: str, limit: int = _MOST) -> Iterator[str]:
    """All sentences of the first `limit` characters."""
    for paragraph in paragraphs(text[:limit]):
        yield from (said[:_LONGEST] for said in split(paragraph))
