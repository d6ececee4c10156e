"""A release's prose as sentences, with the heading that each stands under. Start with `passages`.

Lines of a plain text release are wrapped; they are joined up to the next empty line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_END = re.compile(r"(?<=[.!?;”\"])\s+(?=[A-Z“\"•(▪◦])|\s(?=[•▪◦●]\s?)")
_ABBREVIATED = re.compile(
    r"(?:\b(?:Inc|Corp|Co|Ltd|No|vs|Mr|Ms|Mrs|Dr|Jr|Sr|St|approx|U\.S|[A-Z]|Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|"
    r"Dec)\.)$"
)
_BULLET = re.compile(r"^\s*(?:[•·▪◦◾●■►‣⁃*–—-]+|o\s|\(?\d{1,2}[.)]\s)\s*(?:\|\s*)?")
_HEADING = 90
_LONGEST = 1_500
_STOP = re.compile(
    r"^[^a-z]{0,12}(?:safe harbor|forward[- ]looking statements|cautionary|use of non-gaap|"
    r"non-gaap financial measures)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Passage:
    """One sentence, on one line, and the last short line above it, with the one before where that opens a list."""

    text: str
    heading: str


def passages(text: str) -> Iterator[Passage]:
    """The sentences of the lines that are no table rows, up to the legal part."""
    heading = ""
    for paragraph, prose in _paragraphs(text):
        if _STOP.match(paragraph) and len(paragraph) < _HEADING:
            heading = ""
        if not prose and paragraph:
            heading = f"{heading[-_HEADING:]} {paragraph}".strip() if paragraph.endswith(":") else paragraph
        for sentence in _sentences(paragraph):
            yield Passage(sentence[:_LONGEST], heading)


def _paragraphs(text: str) -> Iterator[tuple[str, bool]]:
    """(paragraph on one line, whether it is more than a heading)."""
    gathered: list[str] = []
    for line in (*text.split("\n"), ""):
        bare = _BULLET.sub("", line).strip()
        new = not line.strip() or " | " in bare or bare != line.strip()
        if new and gathered:
            yield _paragraph(gathered)
            gathered = []
        if bare and " | " not in bare:
            gathered.append(bare)
        elif bare:
            yield from (_paragraph([cell]) for cell in bare.split(" | ") if len(cell) > _HEADING)


def _paragraph(lines: list[str]) -> tuple[str, bool]:
    joined = " ".join(" ".join(lines).split())
    return joined, len(joined) > _HEADING or joined.endswith((".", ";")) or bool(
        re.search(r"\d\s?(?:%|million|billion)|\$\d", joined)
    )


def _sentences(paragraph: str) -> Iterator[str]:
    start = 0
    for found in _END.finditer(paragraph):
        if _ABBREVIATED.search(paragraph, max(start, found.start() - 12), found.start()):
            continue
        piece = paragraph[start : found.start()].strip()
        if piece:
            yield piece
        start = found.end()
    if paragraph[start:].strip():
        yield paragraph[start:].strip()
