"""A text as units that are kept or dropped whole: sentences, table rows and short lines; and what is boilerplate."""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

COLUMN = 110
"""A text without a longer line was broken at a column: its lines belong to paragraphs."""

SHORT, CONTACT = 90, 200
"""Characters: a line that may be a heading, and one that only tells how to reach someone."""

LONG = 1_500
"""Characters of a paragraph from which on one phrase does not make all its sentences boilerplate."""

SENTENCE, ROW, LINE = "sentence", "row", "line"

_BREAK = re.compile(r"(?<=[.!?;])[\"'”’)]{0,2} (?=[\"'“(]?[A-Z0-9$(])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Inc|Corp|Co|Ltd|No|Nos|Mr|Mrs|Ms|Dr|Jr|Sr|St|vs|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Sec|Art|"
    r"Reg|Ex|pp?|approx)|\b[A-Za-z](?:\.[A-Za-z])*|\bL\.L\.C)\.$"
)
_RULE = re.compile(r"^[\s\W_]*$")
_GAP = re.compile(r"\S {3,}(?=\S)")
_LEADERS = re.compile(r"\.(?: ?\.){3,} *")
_CONTENTS = re.compile(r"\.(?: ?\.){3,} *(?:F-)?\d{1,3}$")
_DASHES = re.compile(r"[-_=*]{4,}")
_XBRL = re.compile(r"(?:us-gaap|dei|iso4217|xbrli|srt|ecd):\w|xmlns|\d{10} \d{4}-\d\d-\d\d")
_CONTACT = re.compile(r"@[\w-]{1,60}\.\w|\d{3}\)?[ .-]\d{3}[ .-]\d{4}|www\.|https?://")
_ABOUT = re.compile(
    r"^(?:about|###|(?:media|investor|press|company|analyst)\w*(?: relations)? (?:contacts?|inquiries))\b", re.I
)

_PHRASES = (
    # statements about the future, and what the law wants said of them
    "forward-looking", "forward looking", "safe harbor", "private securities litigation", "actual results could",
    "actual results may", "actual results to differ", "results may differ", "differ materially", "undertakes no",
    "undertake no", "no obligation to", "risks and uncertainties", "risk factors", "words such as",
    "similar expressions",
    # cover and signature pages
    "check the appropriate box", "check mark", "exact name of registrant", "exact name of the registrant",
    "state or other jurisdiction", "commission file number", "employer identification", "address of principal",
    "zip code", "telephone number, including", "former name or former address", "written communications pursuant",
    "soliciting material pursuant", "pre-commencement communications", "emerging growth company",
    "name of each exchange", "securities registered pursuant", "pursuant to the requirements", "duly caused",
    "shall not be deemed", "deemed to be \"filed\"", "deemed “filed”", "incorporated by reference",
    "incorporated herein by reference", "pursuant to section 13 or 15", "securities and exchange commission",
    "furnished herewith", "filed herewith", "attached hereto as exhibit", "attached as exhibit",
    # how to reach and hear the company
    "conference call", "webcast", "dial-in", "dial in", "replay of", "investor relations", "media contact",
    "for more information", "for further information", "please visit", "all rights reserved", "trademark",
    # what non-GAAP measures are
    "non-gaap financial measure", "not a substitute for", "in isolation", "should not be considered",
    "headquartered in", "is a leading", "leading provider", "leading global",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """A stretch of the source, whitespace collapsed; `paragraph` groups the sentences that stood together."""

    text: str
    kind: str
    paragraph: int
    boilerplate: bool


def units(text: str) -> list[Unit]:
    """A text in its order. Rules, dot leaders and empty lines are no units."""
    flats, contents = _flats(text)
    dull = _dull(flats) | contents
    found: list[Unit] = []
    about = False
    for number, flat in enumerate(flats):
        if len(flat) < SHORT and " | " not in flat:
            about = bool(_ABOUT.match(flat)) or (about and not _is_heading(flat))
        found.extend(_cut(flat, number, about or number in dull))
    return found


def _flats(text: str) -> tuple[list[str], set[int]]:
    """The paragraphs and rows with whitespace collapsed, and which of them are lines of a table of contents."""
    flats: list[str] = []
    contents: set[int] = set()
    for paragraph in _paragraphs(text):
        if ". ." in paragraph or "..." in paragraph:
            if _CONTENTS.search(paragraph.rstrip()):
                contents.add(len(flats))
            paragraph = _LEADERS.sub(" | ", paragraph)
        flat = " ".join(_DASHES.sub(" ", paragraph).split())
        if not _RULE.match(flat):
            flats.append(flat)
    return flats, contents


def _dull(flats: list[str]) -> set[int]:
    """Which paragraphs are boilerplate. Each phrase is looked for once in all of them: that is what makes it fast."""
    low = "\n".join(flats).lower()
    starts = list(itertools.accumulate((len(flat) + 1 for flat in flats), initial=0))
    if len(low) + 1 != starts[-1]:  # a letter that has another length in lower case
        return {number for number, flat in enumerate(flats) if _has_phrase(flat)}
    places = [place for phrase in _PHRASES for place in _places(low, phrase)]
    if "xmlns" in low or "us-gaap" in low or "dei:" in low or "iso4217" in low:
        places += [found.start() for found in _XBRL.finditer(low)]
    dull = {bisect.bisect_right(starts, place) - 1 for place in places}
    reach = (bisect.bisect_right(starts, found.start()) - 1 for found in _CONTACT.finditer(low))
    return dull | {number for number in reach if len(flats[number]) < CONTACT}


def _places(text: str, phrase: str) -> Iterator[int]:
    place = text.find(phrase)
    while place >= 0:
        yield place
        place = text.find(phrase, place + len(phrase))


def _cut(flat: str, number: int, dull: bool) -> Iterator[Unit]:
    if " | " in flat:
        yield Unit(flat, ROW, number, dull)
        return
    pieces = list(_sentences(flat))
    if len(pieces) == 1:
        yield Unit(flat, SENTENCE if flat[-1:] in ".!?" else LINE, number, dull)
        return
    for piece in pieces:
        yield Unit(piece, SENTENCE, number, dull and (len(flat) < LONG or _has_phrase(piece)))


def _paragraphs(text: str) -> Iterable[str]:
    lines = text.split("\n")
    if max(map(len, lines)) > COLUMN:
        return lines
    return _joined(lines)


def _joined(lines: Iterable[str]) -> Iterator[str]:
    """Lines broken at a column, put together; rows and short lines stay by themselves."""
    block: list[str] = []
    for line in lines:
        row = " | " in line or len(_GAP.findall(line.strip())) > 0
        if row or not line.strip() or _RULE.match(line):
            if block:
                yield " ".join(block)
                block = []
            if row:
                yield line if " | " in line else _GAP.sub(lambda gap: gap.group()[0] + " | ", line.strip())
            continue
        block.append(line.strip())
        if len(line.strip()) < 45:
            yield " ".join(block)
            block = []
    if block:
        yield " ".join(block)


def _sentences(flat: str) -> Iterator[str]:
    start = 0
    for found in _BREAK.finditer(flat):
        if _ABBREVIATION.search(flat, max(start, found.start() - 12), found.start()):
            continue
        yield flat[start : found.end()].strip()
        start = found.end()
    if flat[start:].strip():
        yield flat[start:].strip()


def _is_heading(flat: str) -> bool:
    return flat[:1].isupper() and flat[-1:] not in ".,;" and not _CONTACT.search(flat)


def _has_phrase(flat: str) -> bool:
    low = flat.lower()
    return any(phrase in low for phrase in _PHRASES)
