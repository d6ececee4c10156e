"""Take out of a filing's text what speaks to a language model instead of a reader. Start with `sanitize`.

The patterns stand in `data/injection.toml`. No list of them is complete, so this is the first of two checks:
`guard.py` is the second. A passage taken out in error costs one passage of what the model and the rules read.
"""

from __future__ import annotations

import base64
import bisect
import functools
import itertools
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_INVISIBLE = re.compile(
    "[\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180e\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f"
    "\\ufe00-\\ufe0f\\ufeff\\U000e0000-\\U000e0fff]"
)
_LOOKALIKES = str.maketrans("аеорсхуіјѕԁӏһкмтвнαεορτυικνᴀʙᴄᴅᴇ0135", "aeopcxyijsdlhkmtbhaeoptuiknabcdeoies")
"""Cyrillic, Greek and small-capital letters that look Latin, and digits that stand for letters."""
_DIGITS = re.compile(r"[a-z]{2}[0135][a-z]{2}|\b[0135][a-z]{4}")
_TAGS = re.compile("[\\U000e0020-\\U000e007e]")
_LEAST_TAGS, _LEAST_STRANGE = 8, 5
_BASE64 = re.compile(r"[A-Za-z0-9+/]{40,4000}={0,2}")
_SPACED = re.compile(r"\b(?:[a-z][ ._\-*]{1,3}){9,}[a-z]\b")


@dataclass(frozen=True, slots=True)
class Clean:
    """A text fit for a model; `removed` holds the passages that spoke to it, as they stood."""

    text: str
    removed: tuple[str, ...] = ()


def sanitize(text: str) -> Clean:
    """Take out each passage that speaks to a model, those beside it that talk of judging, and our labels' words."""
    units = list(_units(text))
    if not units:
        return Clean(text)
    patterns = _patterns()
    read = [folded(unit) for unit in units]
    hit = _hits(read)
    for place in sorted(hit):
        hit |= {
            beside
            for beside in (place - 1, place + 1)
            if 0 <= beside < len(units) and patterns.judging.search(read[beside])
        }
    hit |= {place for place, unit in enumerate(units) if _is_smuggled(unit)}
    unread = {place for place, unit in enumerate(read) if patterns.labels.search(unit) or _is_foreign(unit, patterns)}
    kept = "".join(unit for place, unit in enumerate(units) if place not in hit | unread)
    return Clean(_INVISIBLE.sub("", kept), tuple(units[place].strip()[:200] for place in sorted(hit)))


def speaks_to_a_model(text: str) -> bool:
    """Whether any passage of a text speaks to a model."""
    return bool(_hits([folded(text)]))


def talks_of_judging(text: str) -> bool:
    """Whether a sentence is about how to judge, which no statement of a filer about its business is."""
    return speaks_to_a_model(text) or _patterns().judging.search(folded(text)) is not None


def folded(text: str) -> str:
    """A text as a careful reader sees it: no invisible marks, look-alike letters made Latin, lower case."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).lower()
    return " ".join(text.split(" ")).replace("’", "'").replace("“", '"').replace("”", '"')


def _is_smuggled(unit: str) -> bool:
    """Whether letters are written in tag characters, which show nowhere, or in base64."""
    if len(_TAGS.findall(unit)) >= _LEAST_TAGS:
        return True
    return any(_is_text(found.group()) for found in _BASE64.finditer(unit))


def _is_text(blob: str) -> bool:
    try:
        plain = base64.b64decode(blob[: len(blob) // 4 * 4])
    except ValueError:
        return False
    letters = sum(byte == 32 or 65 <= byte <= 90 or 97 <= byte <= 122 for byte in plain)
    return letters > 0.8 * len(plain)


def _is_foreign(unit: str, patterns: _Patterns) -> bool:
    """Whether a passage is in another language, or in other letters than Latin ones."""
    if not unit.isascii():
        letters = [letter for letter in unit if letter.isalpha()]
        strange = sum(letter > "\u024f" for letter in letters)
        if strange > _LEAST_STRANGE and 2 * strange > len(letters):
            return True
    return len(set(patterns.foreign.findall(unit))) > 1 and not patterns.english.search(unit)


def _units(text: str) -> Iterator[str]:
    """Sentences, none over a line's end, which stays with the last one."""
    for line in text.splitlines(keepends=True):
        cuts = [0, *(found.end() for found in _SENTENCE.finditer(line)), len(line)]
        yield from (line[start:end] for start, end in itertools.pairwise(cuts) if end > start)


def _hits(read: list[str]) -> set[int]:
    """Which units a pattern touches; a passage broken over lines touches several."""
    patterns = _patterns()
    starts = [0, *itertools.accumulate(len(unit.rstrip("\r\n")) + 1 for unit in read)]
    joined = "\n".join(unit.rstrip("\r\n") for unit in read)
    flat = joined.replace("\n", " ")
    spans = [found.span() for found in patterns.lines.finditer(joined)]
    disguised = not flat.isascii() or _DIGITS.search(flat) is not None
    for shown in (flat, flat.translate(_LOOKALIKES)) if disguised else (flat,):
        spans += [found.span() for pattern in (patterns.words, patterns.marks) for found in pattern.finditer(shown)]
    for found in _SPACED.finditer(joined):
        if patterns.hidden.search(re.sub(r"[^a-z]", "", found.group())):
            spans.append(found.span())
    hit: set[int] = set()
    for start, end in spans:
        hit |= set(range(bisect.bisect_right(starts, start) - 1, bisect.bisect_left(starts, end)))
    return hit


@dataclass(frozen=True, slots=True)
class _Patterns:
    words: re.Pattern[str]
    marks: re.Pattern[str]
    lines: re.Pattern[str]
    labels: re.Pattern[str]
    judging: re.Pattern[str]
    hidden: re.Pattern[str]
    foreign: re.Pattern[str]
    english: re.Pattern[str]


@functools.cache
def _patterns() -> _Patterns:
    """The patterns, read once at first use; all that begin at a word are one, tried once a word."""
    data = tomllib.loads((files(__package__) / "data" / "injection.toml").read_text("utf-8"))

    def built(pattern: str) -> re.Pattern[str]:
        for name in ("judgement", "addressee"):
            pattern = pattern.replace(f"{{{name}}}", data[name])
        return re.compile(pattern)

    return _Patterns(
        words=built(r"\b(?:" + "|".join(data["speaks_to_a_model"]) + ")"),
        marks=built(data["marks"]),
        lines=built(data["begins_a_line"]),
        labels=built(data["label_words"]),
        judging=built(data["talks_of_judging"]),
        hidden=built(data["hidden"]),
        foreign=built(rf"\b{data['foreign']}\b"),
        english=built(rf"\b{data['english']}\b"),
    )
