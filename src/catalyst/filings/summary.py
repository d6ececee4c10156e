"""Extractive summaries: the two or three sentences of a filing that say most, word for word. Start with `summarize`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from catalyst.filings.forms.sentences import paragraphs, split
from catalyst.filings.prescore import keywords
from catalyst.filings.types import Parsed
from catalyst.sentiment import score

READ_CHARS = 12_000
"""How much of a document is read: press releases and items say their news first."""
MAX_CHARS = 600
SENTENCES = 3
_SHORTEST, _LONGEST = 40, 420
_END = re.compile(r"[.!?\"”’]$|[a-z]\)$")
_HEAD = 2_000
_RELEASE = re.compile(
    r"\b(?:announc\w+|report(?:s|ed)|today|press release|news release|immediate release|results|declare[sd]?)\b",
    re.IGNORECASE,
)
_EXHIBITS = ("9.01",)
_DISCUSSION = ("I.2", "7")
"""Management's discussion in a 10-Q and a 10-K."""
_FIELD = re.compile(r"[A-Za-z]+[a-z][A-Z]\w*:|[A-Z]\d+:")
"""A field of an XML form shown as text."""

_BOILERPLATE = re.compile(
    "|".join(
        (
            r"forward[- ]looking|safe harbor|private securities litigation|actual results (?:could|may|to) differ",
            r"deemed (?:to be )?[\"“”']?filed|incorporated (?:herein )?by reference|pursuant to the requirements",
            r"check (?:the appropriate|mark)|commission file|exact name of|conference call|webcast|dial[- ]in",
            r"investor relations|media contact|contacts?:|for (?:more|further) information|www\.|https?:",
            r"attached (?:hereto )?as exhibit|is (?:filed|attached|included) (?:as|herewith)|furnished (?:herewith|as)",
            r"non-gaap (?:financial )?measures?|emerging growth company|qualified in its entirety|table of contents",
            r"information (?:contained |included |set forth )?in this|copy of (?:the|this|which)|all rights reserved",
            r"risk factors|no obligation to|undertakes? no|trademarks?\b|securities act of 1933, as amended",
            r"registrant'?s? telephone|zip code|par value \$|name of each exchange|aggregate market value",
            r"not applicable|general instruction|duly (?:caused|authorized)|report to be signed|signatures?$",
            r"omb (?:number|approval)|^about [A-Z]|is a (?:leading|global|premier|clinical[- ]stage)|headquartered in",
            r"criminal offense|passed upon the (?:adequacy|accuracy)|approved or disapproved|dollars in (?:thou|mill)",
        )
    ),
    re.IGNORECASE,
)
_METRIC = re.compile(
    r"\b(?:revenues?|net sales|net income|net loss|earnings|eps|ebitda|margin|guidance|outlook|"
    r"cash|dividend|shares|proceeds|offering|agreement|acqui\w+|merger|appoint\w*|resign\w*|approv\w+|trial|default|price)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\$\s?\d|\d(?:[\d,.]*)\s?(?:%|percent|million|billion)|\d{1,3},\d{3}")


@dataclass(frozen=True, slots=True)
class _Sentence:
    place: int
    text: str
    weight: float


def sources(parsed: Parsed) -> Iterator[str]:
    """A filing's texts, the most telling first: press releases, then item texts, other exhibits, the main document."""
    releases = [exhibit.text for exhibit in parsed.exhibits if _RELEASE.search(exhibit.text[:_HEAD])]
    yield from releases
    items = [item for item in parsed.items if item.code not in _EXHIBITS and item.text]
    yield from (item.text for item in sorted(items, key=lambda item: item.code not in _DISCUSSION))
    yield from (exhibit.text for exhibit in parsed.exhibits if exhibit.text not in releases)
    if not items:
        yield parsed.text


def summarize(texts: Iterable[str]) -> str:
    """Two or three sentences, verbatim and in their order, of the first texts that have any; empty when none has."""
    told: list[str] = []
    for text in texts:
        best = _best(_weighed(text[:READ_CHARS]))
        told += [sentence.text for sentence in best if sentence.text not in told][: SENTENCES - len(told)]
        if len(told) > 1:
            break
    summary = " ".join(told)
    return summary if len(summary) <= MAX_CHARS else told[0]


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text that are neither table rows nor boilerplate nor fragments."""
    for paragraph in paragraphs(text):
        for sentence in split(paragraph):
            if _SHORTEST <= len(sentence) <= _LONGEST and _is_whole(sentence) and not _BOILERPLATE.search(sentence):
                yield sentence


def _is_whole(sentence: str) -> bool:
    return sentence[-1:] in '.!?"”’)' and not sentence[:1].islower() and not _FIELD.match(sentence)


def _weighed(text: str) -> list[_Sentence]:
    found: dict[str, _Sentence] = {}
    for place, sentence in enumerate(sentences(text)):
        found.setdefault(sentence, _Sentence(place, sentence, _weight(place, sentence)))
    return list(found.values())


def _weight(place: int, sentence: str) -> float:
    weight = 2.0 / (1 + 0.2 * place)
    weight += 0.8 * min(2, len(_NUMBER.findall(sentence)))
    weight += 0.4 * min(3, len(_METRIC.findall(sentence)))
    weight += max((keyword.weight for keyword in keywords(sentence)), default=0.0)
    weight += abs(score(sentence).value) * 0.5
    return weight - (0.5 if len(sentence) > 300 else 0.0)


def _best(found: list[_Sentence]) -> list[_Sentence]:
    chosen: list[_Sentence] = []
    length = 0
    for sentence in sorted(found, key=lambda sentence: -sentence.weight):
        if length + len(sentence.text) + 1 > MAX_CHARS:
            continue
        chosen.append(sentence)
        length += len(sentence.text) + 1
        if len(chosen) == SENTENCES:
            break
    return sorted(chosen, key=lambda sentence: sentence.place)
